/* SPDX-License-Identifier: BSL-1.0
 *
 * The system timer's driver against a model of the device that counts on with
 * every access, as the real one does: torn reads, missed compares, far
 * deadlines. And the queue of alarms.
 */
#include "../../drivers/mmio.h"
#include "../../drivers/timer/alarms.h"
#include "../../drivers/timer/regs.h"
#include "../../drivers/timer/systimer.h"

#include <errno.h>
#include <stdio.h>

#define BASE 0x3f003000u

static struct {
    uint64_t now, step; /* every access takes so long */
    uint32_t compare, status;
    bool armed;
} model;

static int count, failures;

static void check(int good, const char *what)
{
    printf("%sok %d - %s\n", good ? "" : "not ", ++count, what);
    failures += !good;
}

/* The counter passes through every value; only equality matches. */
static void time_pass(uint64_t us)
{
    uint32_t distance = model.compare - (uint32_t)model.now;

    if (model.armed && distance != 0 && distance <= us) {
        model.status |= TIMER_STATUS_1;
    }
    model.now += us;
}

uint32_t mmio_hook_read(uint64_t address)
{
    uint32_t value = 0;

    if (address == BASE + TIMER_LOW) {
        value = (uint32_t)model.now;
    } else if (address == BASE + TIMER_HIGH) {
        value = (uint32_t)(model.now >> 32);
    } else if (address == BASE + TIMER_STATUS) {
        value = model.status;
    }
    time_pass(model.step);
    return value;
}

void mmio_hook_write(uint64_t address, uint32_t value)
{
    time_pass(model.step);
    if (address == BASE + TIMER_COMPARE_1) {
        model.compare = value;
        model.armed = true;
    } else if (address == BASE + TIMER_STATUS) {
        model.status &= ~value;
    }
}

void mmio_hook_barrier(void)
{
}

static void begin(uint64_t now, uint64_t step)
{
    model.now = now;
    model.step = step;
    model.armed = false;
    model.status = 0;
    systimer_start(BASE);
}

static void test_read(void)
{
    bool torn = false;

    for (uint64_t i = 0; i < 8; i++) {
        uint64_t before, got;

        begin(0xfffffffcu + i, 1);
        before = model.now;
        got = systimer_now_us();
        torn |= got < before || got > model.now;
    }
    check(!torn, "64 bits are read in one piece round the carry");
}

/* Either it says that the time has come, or the interrupt comes in time. */
static bool arm_holds(uint64_t now, uint64_t step, uint64_t delay)
{
    uint64_t deadline = now + delay;

    begin(now, step);
    if (systimer_arm(deadline)) {
        return model.now >= deadline;
    }
    while (!(model.status & TIMER_STATUS_1)) {
        if (model.now > deadline + 2 * step) {
            return false;
        }
        time_pass(1);
    }
    return true;
}

static void test_arm(void)
{
    bool good = true;

    for (uint64_t delay = 0; delay < 200; delay++) {
        good &= arm_holds(1000, 7, delay);
        good &= arm_holds(0xffffffc0u, 7, delay);
    }
    check(good, "no deadline is missed, however near");
    begin(5000, 1);
    check(systimer_arm(4000), "a deadline in the past has come");
    begin(0, 1);
    check(!systimer_arm(~0ull) &&
              model.compare - (uint32_t)model.now <= 0x80000000u,
          "a far one is reached in steps");
    time_pass(0x80000000u);
    check(model.status & TIMER_STATUS_1, "... each with an interrupt");
    systimer_quench();
    check(!(model.status & TIMER_STATUS_1), "... that can be quenched");
}

static struct alarms alarms;

static void test_alarms(void)
{
    struct alarm due;
    int a, b, error = 0;
    uint32_t n = 0;

    alarms_start(&alarms);
    check(alarms_add(&alarms, &a, 1, 30) == 0 &&
              alarms_add(&alarms, &b, 2, 10) == 0 &&
              alarms_add(&alarms, &a, 3, 10) == 0,
          "alarms are added");
    check(!alarms_due(&alarms, 9, &due), "none is due before its time");
    check(alarms_due(&alarms, 10, &due) && due.client == &b && due.id == 2 &&
              alarms_due(&alarms, 10, &due) && due.id == 3 &&
              !alarms_due(&alarms, 29, &due),
          "in order of time, then arrival");
    check(!alarms_cancel(&alarms, &b, 1) && alarms_cancel(&alarms, &a, 1) &&
              alarms.first == NULL,
          "cancelled by their own client only");
    while (error == 0) {
        error = alarms_add(&alarms, &a, n, n);
        n += error == 0;
    }
    check(n == ALARMS_EACH && error == EAGAIN, "ALARMS_EACH for a client");
    check(alarms_add(&alarms, &b, 1, 1) == 0, "... and room for the others");
    alarms_drop(&alarms, &a);
    check(alarms_due(&alarms, 100, &due) && due.client == &b &&
              alarms.first == NULL,
          "a client's alarms go with it");
    n = 0;
    for (char many[200], *c = many; c < many + 200; c++) {
        for (uint32_t i = 0; i < ALARMS_EACH; i++) {
            n += alarms_add(&alarms, c, i, 5) == 0;
        }
    }
    check(n == ALARMS_MAX, "ALARMS_MAX in all");
}

int main(void)
{
    test_read();
    test_arm();
    test_alarms();
    printf("1..%d\n", count);
    return failures != 0;
}
