/* SPDX-License-Identifier: BSL-1.0
 *
 * What the tests of POSIX threads share.
 */
#pragma once

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define MS 1000000l

static inline struct timespec after(clockid_t clock, long ns)
{
    struct timespec t;
    clock_gettime(clock, &t);
    t.tv_nsec += ns;
    t.tv_sec += t.tv_nsec / 1000000000l;
    t.tv_nsec %= 1000000000l;
    return t;
}

static inline void nap(long ns)
{
    struct timespec t = {0, ns};
    nanosleep(&t, NULL);
}

/* A function that says why by errno. */
static inline bool fails(int answer, int error)
{
    return answer == -1 && errno == error;
}

/* Until every other thread waits for something. */
static inline void settle(void)
{
    for (int i = 0; i < 50; i++) {
        sched_yield();
    }
}

static inline void *pass(void *argument)
{
    return argument;
}

static inline void *wait_for(void *semaphore)
{
    sem_wait(semaphore);
    return semaphore;
}

/* What fn answers on another thread. */
static inline int elsewhere(void *(*fn)(void *), void *argument)
{
    pthread_t t;
    void *result;
    if (pthread_create(&t, NULL, fn, argument) != 0) {
        return -1;
    }
    pthread_join(t, &result);
    return (int)(intptr_t)result;
}
