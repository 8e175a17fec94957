/* SPDX-License-Identifier: BSL-1.0
 *
 * Sleeping: only the calling thread does. The main thread wakes for a signal.
 */
#include <stdbool.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>
#include <vesper/signals.h>
#include <vesper/thread.h>

#include "result.h"
#include "sleep.h"
#include "standard.h"

#define NS_PER_S    UINT64_C(1000000000)
#define SECONDS_MAX ((time_t)1 << 33) /* 270 years; fits in 64 bits of ns */

bool posix_sleep(uint64_t until_ns)
{
    bool interrupted = false;

    while (!interrupted && time_ns() < until_ns) {
        event_wait(0, until_ns, &interrupted);
    }
    return !interrupted;
}

static int sleep_until(uint64_t until_ns)
{
    bool slept;

    posix_standard_flush();
    thread_cancel_begin();
    slept = posix_sleep(until_ns);
    thread_cancel_end(!slept);
    if (!slept) {
        signals_run();
        return EINTR;
    }
    return 0;
}

static bool is_valid(const struct timespec *t)
{
    return t->tv_nsec >= 0 && (uint64_t)t->tv_nsec < NS_PER_S && t->tv_sec >= 0;
}

static uint64_t ns_of(const struct timespec *t)
{
    time_t seconds = t->tv_sec < SECONDS_MAX ? t->tv_sec : SECONDS_MAX;

    return (uint64_t)seconds * NS_PER_S + (uint64_t)t->tv_nsec;
}

int nanosleep(const struct timespec *time, struct timespec *left)
{
    uint64_t until_ns, now;
    int error;

    if (!is_valid(time)) {
        return result(EINVAL);
    }
    until_ns = time_ns() + ns_of(time);
    error = sleep_until(until_ns);
    if (error != 0 && left != NULL) {
        now = time_ns();
        now = now < until_ns ? until_ns - now : 0;
        left->tv_sec = (time_t)(now / NS_PER_S);
        left->tv_nsec = (long)(now % NS_PER_S);
    }
    return result(error);
}

/* Answers the errno instead of setting it. CLOCK_REALTIME: as it is set now. */
int clock_nanosleep(clockid_t clock, int flags, const struct timespec *time,
                    struct timespec *left)
{
    struct timespec now;
    uint64_t until_ns;

    if ((clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME) ||
        !is_valid(time)) {
        return EINVAL;
    }
    if ((flags & TIMER_ABSTIME) == 0) {
        return nanosleep(time, left) == 0 ? 0 : errno;
    }
    if (clock_gettime(clock, &now) != 0) {
        return errno;
    }
    until_ns = ns_of(time);
    until_ns = until_ns > ns_of(&now) ? until_ns - ns_of(&now) : 0;
    return sleep_until(time_ns() + until_ns);
}

unsigned sleep(unsigned seconds)
{
    struct timespec time = {seconds, 0}, left;

    if (nanosleep(&time, &left) == 0) {
        return 0;
    }
    return (unsigned)left.tv_sec + (left.tv_nsec != 0);
}

int usleep(useconds_t us)
{
    struct timespec time = {us / 1000000, (long)(us % 1000000) * 1000};

    return nanosleep(&time, NULL);
}
