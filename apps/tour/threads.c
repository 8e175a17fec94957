/* SPDX-License-Identifier: BSL-1.0
 *
 * Threads: libos schedules them inside the domain, with preemption.
 */
#include "tour.h"

#include <stddef.h>
#include <vesper/thread.h>

enum { WORKERS = 3, ROUNDS = 2000 };

/* doc: thread */
static struct mutex counter_lock; /* all zero: unlocked */
static unsigned counter;

static int count_up(void *argument)
{
    unsigned rounds = *(const unsigned *)argument;

    for (unsigned i = 0; i < rounds; i++) {
        mutex_lock(&counter_lock);
        counter++;
        mutex_unlock(&counter_lock);
    }
    return 0;
}
/* end */

/* doc: join */
static bool count_together(unsigned rounds)
{
    struct thread *workers[WORKERS];
    unsigned started = 0;
    bool good = true;

    while (started < WORKERS &&
           thread_create(&workers[started], count_up, &rounds, "worker") == 0) {
        started++;
    }
    for (unsigned i = 0; i < started; i++) {
        int result;

        good &= thread_join(workers[i], &result) == 0 && result == 0;
    }
    return good && started == WORKERS;
}
/* end */

/* doc: condition */
static struct {
    struct mutex lock;
    struct condition filled;
    int value;
    bool full;
} box;

static int box_fill(void *argument)
{
    mutex_lock(&box.lock);
    box.value = *(const int *)argument;
    box.full = true;
    condition_signal(&box.filled);
    mutex_unlock(&box.lock);
    return 0;
}

static int box_take(uint64_t until_ns)
{
    int value = -1;

    mutex_lock(&box.lock);
    while (!box.full && condition_wait(&box.filled, &box.lock, until_ns)) {
    }
    if (box.full) {
        value = box.value;
        box.full = false;
    }
    mutex_unlock(&box.lock);
    return value; /* -1: nothing came in time */
}
/* end */

static bool box_works(void)
{
    struct thread *t;
    int value = 42;

    if (thread_create(&t, box_fill, &value, "filler") != 0) {
        return false;
    }
    int got = box_take(time_ns() + 5000000000ull);
    return thread_join(t, NULL) == 0 && got == 42;
}

void tour_threads(void)
{
    tour_check(count_together(ROUNDS) && counter == WORKERS * ROUNDS,
               "three threads count with a lock");
    tour_check(box_works(), "one thread waits for another");
    tour_check(box_take(time_ns() + 20000000) == -1, "or only so long");
}
