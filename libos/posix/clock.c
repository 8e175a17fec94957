/* SPDX-License-Identifier: BSL-1.0
 *
 * The clocks: CLOCK_MONOTONIC is the counter that every program can read,
 * without a call. CLOCK_REALTIME is the counter plus the root server's "wall
 * epoch", asked for at most once a second; so another program's setting of the
 * clock is seen within a second. The CPU time of a thread is libos' own account
 * of it; its clock has CLOCKS_OF_THREADS and its number. Also times(), from
 * which picolibc makes clock().
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>
#include <vesper/root.h>
#include <vesper/root_call.h>
#include <vesper/start.h>
#include <vesper/thread.h>

#include "../core/account.h"
#include "clock.h"
#include "result.h"

#define NS_PER_S      INT64_C(1000000000)
#define NS_PER_US     INT64_C(1000)
#define NS_PER_TICK   (NS_PER_S / CLOCKS_PER_SEC)
#define EPOCH_KEEP_NS ((uint64_t)NS_PER_S)
#define EPOCH_ASK     INT64_MIN

/* Two threads may race here: then both ask, and both answers are right. */
static int64_t epoch_ns;
static uint64_t epoch_until_ns; /* 0: never asked */

/* Set the epoch, or ask with EPOCH_ASK. */
static int epoch_exchange(int64_t wanted_ns)
{
    uint64_t w[8] = {ROOT_WALL, (uint64_t)wanted_ns};
    int error = root_call(w, 0);

    if (error == 0) {
        __atomic_store_n(&epoch_ns, (int64_t)w[1], __ATOMIC_RELAXED);
        __atomic_store_n(&epoch_until_ns, time_ns() + EPOCH_KEEP_NS,
                         __ATOMIC_RELAXED);
    }
    return error;
}

static int wall_ns(int64_t *out)
{
    int error = 0;

    if (time_ns() >= __atomic_load_n(&epoch_until_ns, __ATOMIC_RELAXED)) {
        error = epoch_exchange(EPOCH_ASK);
    }
    *out = __atomic_load_n(&epoch_ns, __ATOMIC_RELAXED) + (int64_t)time_ns();
    return error;
}

static int wall_set(int64_t wall)
{
    return epoch_exchange(wall - (int64_t)time_ns());
}

/* CPU time of this domain. */
static int cpu_ns(int64_t *out)
{
    for (uint64_t i = 0;; i++) {
        uint64_t w[8] = {ROOT_DOMAINS, i};
        int error = root_call(w, 0);

        if (error != 0) {
            return error;
        }
        if ((uint32_t)w[1] == start_self->id) {
            *out = (int64_t)w[4];
            return 0;
        }
    }
}

static bool is_of_thread(clockid_t clock)
{
    return clock == CLOCK_THREAD_CPUTIME_ID ||
           (clock > CLOCKS_OF_THREADS && clock <= CLOCKS_OF_THREADS + ~0u);
}

static int thread_ns(clockid_t clock, int64_t *out)
{
    uint32_t id = clock != CLOCK_THREAD_CPUTIME_ID ? (uint32_t)clock : 0;
    uint64_t ns;
    bool known = is_of_thread(clock) && account_read(id, &ns);

    *out = known ? (int64_t)ns : 0;
    return known ? 0 : EINVAL;
}

static int clock_ns(clockid_t clock, int64_t *out)
{
    switch (clock) {
    case CLOCK_REALTIME:
        return wall_ns(out);
    case CLOCK_MONOTONIC:
        *out = (int64_t)time_ns();
        return 0;
    case CLOCK_PROCESS_CPUTIME_ID:
        return cpu_ns(out);
    default:
        return thread_ns(clock, out);
    }
}

static struct timespec timespec_of(int64_t ns)
{
    struct timespec t = {ns / NS_PER_S, ns % NS_PER_S};

    if (t.tv_nsec < 0) {
        t.tv_sec--;
        t.tv_nsec += NS_PER_S;
    }
    return t;
}

int clock_gettime(clockid_t clock, struct timespec *out)
{
    int64_t ns = 0;
    int error = clock_ns(clock, &ns);

    if (error == 0) {
        *out = timespec_of(ns);
    }
    return result(error);
}

/* The counter has at least 1 MHz; its true rate is not worth a promise. */
int clock_getres(clockid_t clock, struct timespec *out)
{
    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC &&
        clock != CLOCK_PROCESS_CPUTIME_ID && !is_of_thread(clock)) {
        return result(EINVAL);
    }
    if (out != NULL) {
        *out = timespec_of(NS_PER_US);
    }
    return 0;
}

/* Seconds that still fit into a count of ns; beyond the year 2200. */
#define SECONDS_MAX (INT64_MAX / NS_PER_S / 2)

int clock_settime(clockid_t clock, const struct timespec *wanted)
{
    if (clock != CLOCK_REALTIME || wanted->tv_nsec < 0 ||
        wanted->tv_nsec >= NS_PER_S || wanted->tv_sec < 0 ||
        wanted->tv_sec > SECONDS_MAX) {
        return result(EINVAL);
    }
    return result(wall_set(wanted->tv_sec * NS_PER_S + wanted->tv_nsec));
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    struct timespec now;

    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0) {
        return -1;
    }
    out->tv_sec = now.tv_sec;
    out->tv_usec = (suseconds_t)(now.tv_nsec / NS_PER_US);
    return 0;
}

int settimeofday(const struct timeval *wanted, const struct timezone *zone)
{
    struct timespec t = {wanted->tv_sec, wanted->tv_usec * NS_PER_US};

    (void)zone;
    return clock_settime(CLOCK_REALTIME, &t);
}

/* In ticks of 1/CLOCKS_PER_SEC. The kernel does not tell user and system time
 * apart, nor the children's. */
clock_t times(struct tms *out)
{
    int64_t used = 0;
    int error = cpu_ns(&used);

    if (error != 0) {
        return (clock_t)result(error);
    }
    *out = (struct tms){.tms_utime = (clock_t)(used / NS_PER_TICK)};
    return (clock_t)((int64_t)time_ns() / NS_PER_TICK);
}
