/* SPDX-License-Identifier: BSL-1.0 */
/* With the thread's events; see pause.h. */
#include "pause.h"

#include <vesper/start.h>
#include <vesper/thread.h>
#include <abi/calls.h>

#define NS_PER_US 1000u

uint64_t pause_now_us(void)
{
    return time_ns() / NS_PER_US;
}

void pause_us(uint32_t us)
{
    thread_sleep_until(time_ns() + (uint64_t)us * NS_PER_US);
}

void pause_interrupt(uint32_t us)
{
    uint64_t until = time_ns() + (uint64_t)us * NS_PER_US;

    /* The line was quenched at the device since it came last. */
    (void)sys_irq_ack(SLOT_IRQ);
    (void)event_wait(1ull << EVENT_IRQ, until, NULL);
}
