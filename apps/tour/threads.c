/* SPDX-License-Identifier: BSL-1.0
 *
 * Threads: libos schedules them inside the domain, with preemption.
 */
#include "tour.h"

#include <pthread.h>
#include <stddef.h>
#include <time.h>

enum { WORKERS = 3, ROUNDS = 2000 };

/* doc: thread */
static pthread_mutex_t counter_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned counter;

static void *count_up(void *argument)
{
    unsigned rounds = *(const unsigned *)argument;

    for (unsigned i = 0; i < rounds; i++) {
        pthread_mutex_lock(&counter_lock);
        counter++;
        pthread_mutex_unlock(&counter_lock);
    }
    return NULL;
}
/* end */

/* doc: join */
static bool count_together(unsigned rounds)
{
    pthread_t workers[WORKERS];
    unsigned started = 0;
    bool good = true;

    while (started < WORKERS &&
           pthread_create(&workers[started], NULL, count_up, &rounds) == 0) {
        started++;
    }
    for (unsigned i = 0; i < started; i++) {
        good &= pthread_join(workers[i], NULL) == 0;
    }
    return good && started == WORKERS;
}
/* end */

/* doc: condition */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    int value;
    bool full;
} box = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, false};

static void *box_fill(void *argument)
{
    pthread_mutex_lock(&box.lock);
    box.value = *(const int *)argument;
    box.full = true;
    pthread_cond_signal(&box.filled);
    pthread_mutex_unlock(&box.lock);
    return NULL;
}

static int box_take(const struct timespec *until)
{
    int value = -1, error = 0;

    pthread_mutex_lock(&box.lock);
    while (!box.full && error == 0) {
        error = pthread_cond_clockwait(&box.filled, &box.lock, CLOCK_MONOTONIC,
                                       until);
    }
    if (box.full) {
        value = box.value;
        box.full = false;
    }
    pthread_mutex_unlock(&box.lock);
    return value; /* -1: nothing came in time */
}
/* end */

static struct timespec soon(time_t seconds, long ms)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_nsec += ms * 1000000;
    t.tv_sec += seconds + t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

static bool box_works(void)
{
    pthread_t t;
    int value = 42;
    struct timespec until = soon(5, 0);

    if (pthread_create(&t, NULL, box_fill, &value) != 0) {
        return false;
    }
    int got = box_take(&until);
    return pthread_join(t, NULL) == 0 && got == 42;
}

void tour_threads(void)
{
    struct timespec until;

    tour_check(count_together(ROUNDS) && counter == WORKERS * ROUNDS,
               "three threads count with a lock");
    tour_check(box_works(), "one thread waits for another");
    until = soon(0, 20);
    tour_check(box_take(&until) == -1, "or only so long");
}
