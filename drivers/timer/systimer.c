/* SPDX-License-Identifier: BSL-1.0 */
/* The system timer; the contract is in systimer.h. */
#include "systimer.h"

#include "../mmio.h"
#include "regs.h"

/* The comparison has 32 bits, so what is further away is reached in steps. */
#define STEP_US 0x80000000ull

static uint64_t base;

void systimer_start(uint64_t device)
{
    base = device;
    systimer_quench();
}

uint64_t systimer_now_us(void)
{
    uint32_t high, low, again;

    mmio_barrier();
    do {
        high = mmio_read32(base + TIMER_HIGH);
        low = mmio_read32(base + TIMER_LOW);
        again = mmio_read32(base + TIMER_HIGH);
    } while (high != again); /* at most once in 71 minutes */
    mmio_barrier();
    return (uint64_t)high << 32 | low;
}

bool systimer_arm(uint64_t deadline_us)
{
    uint64_t now = systimer_now_us();
    uint64_t match = deadline_us;

    if (deadline_us <= now) {
        return true;
    }
    if (deadline_us - now > STEP_US) {
        match = now + STEP_US;
    }
    mmio_write32(base + TIMER_COMPARE_1, (uint32_t)match);
    mmio_barrier();
    /* The counter may have passed the value before it was in the register: then
     * it would match only after 71 minutes. */
    return systimer_now_us() >= deadline_us;
}

void systimer_quench(void)
{
    mmio_barrier();
    mmio_write32(base + TIMER_STATUS, TIMER_STATUS_1);
    mmio_barrier();
}
