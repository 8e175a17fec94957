/* SPDX-License-Identifier: BSL-1.0
 *
 * POSIX timers. A timer that notifies is a thread of its own, which sleeps
 * until the timer is due, then raises the signal or calls the function: so no
 * timer delays another, and what comes due while the function still runs is an
 * overrun. A timer that does not notify (SIGEV_NONE) is only arithmetic.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>
#include <vesper/thread.h>

#define TIMERS_MAX 32u
#define NS_PER_S   UINT64_C(1000000000)
#define NEVER      (~UINT64_C(0))

struct timer {
    bool used, deleted; /* deleted: its thread frees it */
    clockid_t clock;
    struct sigevent event;
    struct condition changed;
    uint64_t due_ns;      /* of the counter; NEVER: disarmed */
    uint64_t interval_ns; /* 0: once */
    int overrun;          /* before the latest notification */
};

static struct mutex timers_lock; /* guards all of it */
static struct timer timers[TIMERS_MAX];

static int answer(int error)
{
    if (error != 0) {
        errno = error;
    }
    return error != 0 ? -1 : 0;
}

/* With the lock; NULL: no such timer. */
static struct timer *timer_of(timer_t id)
{
    struct timer *t = id < TIMERS_MAX ? &timers[id] : NULL;

    return t != NULL && t->used && !t->deleted ? t : NULL;
}

/* With the lock: if it is due, reckon up to `now`. */
static bool timer_step(struct timer *t, uint64_t now)
{
    if (now < t->due_ns) {
        return false;
    }
    uint64_t missed =
        t->interval_ns != 0 ? (now - t->due_ns) / t->interval_ns : 0;
    t->overrun = missed < INT32_MAX ? (int)missed : INT32_MAX;
    t->due_ns =
        t->interval_ns != 0 ? t->due_ns + (missed + 1) * t->interval_ns : NEVER;
    return true;
}

static void notify(const struct sigevent *event)
{
    if (event->sigev_notify == SIGEV_SIGNAL) {
        (void)raise(event->sigev_signo);
    } else {
        event->sigev_notify_function(event->sigev_value);
    }
}

static void *timer_main(void *timer)
{
    struct timer *t = timer;

    mutex_lock(&timers_lock);
    while (!t->deleted) {
        if (timer_step(t, time_ns())) {
            struct sigevent event = t->event;
            mutex_unlock(&timers_lock);
            notify(&event);
            mutex_lock(&timers_lock);
        } else {
            (void)condition_wait(&t->changed, &timers_lock, t->due_ns);
        }
    }
    t->used = false;
    mutex_unlock(&timers_lock);
    return NULL;
}

static int event_check(const struct sigevent *event)
{
    switch (event->sigev_notify) {
    case SIGEV_NONE:
        return 0;
    case SIGEV_SIGNAL:
        return event->sigev_signo > 0 && event->sigev_signo < NSIG ? 0 : EINVAL;
    case SIGEV_THREAD:
        return event->sigev_notify_function != NULL ? 0 : EINVAL;
    default:
        return EINVAL;
    }
}

static int thread_of_timer(struct timer *t)
{
    pthread_t thread;
    pthread_attr_t *a = t->event.sigev_notify == SIGEV_THREAD
                            ? t->event.sigev_notify_attributes
                            : NULL;

    if (t->event.sigev_notify == SIGEV_NONE) {
        return 0;
    }
    int error = pthread_create(&thread, a, timer_main, t);
    if (error == 0) {
        (void)pthread_detach(thread); /* the attributes may have said so */
    }
    return error;
}

/* With the lock. */
static struct timer *timer_free(void)
{
    for (struct timer *t = timers; t < timers + TIMERS_MAX; t++) {
        if (!t->used) {
            return t;
        }
    }
    return NULL;
}

static int timer_make(clockid_t clock, const struct sigevent *event,
                      timer_t *id)
{
    struct timer *t = timer_free();

    if (t == NULL) {
        return EAGAIN;
    }
    *t = (struct timer){.used = true,
                        .clock = clock,
                        .event = *event,
                        .due_ns = NEVER};
    int error = thread_of_timer(t);
    t->used = error == 0;
    *id = (timer_t)(t - timers);
    return error;
}

/* EINVAL: clock, event. EAGAIN: 32 timers exist, or no memory. */
int timer_create(clockid_t clock, struct sigevent *restrict event,
                 timer_t *restrict id)
{
    struct sigevent alarm = {.sigev_notify = SIGEV_SIGNAL,
                             .sigev_signo = SIGALRM};

    event = event != NULL ? event : &alarm;
    if (clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME) {
        return answer(EINVAL);
    }
    int error = event_check(event);
    if (error == 0) {
        mutex_lock(&timers_lock);
        error = timer_make(clock, event, id);
        mutex_unlock(&timers_lock);
    }
    return answer(error);
}

int timer_delete(timer_t id)
{
    mutex_lock(&timers_lock);
    struct timer *t = timer_of(id);
    if (t != NULL && t->event.sigev_notify == SIGEV_NONE) {
        t->used = false;
    } else if (t != NULL) {
        t->deleted = true;
        condition_broadcast(&t->changed);
    }
    mutex_unlock(&timers_lock);
    return answer(t != NULL ? 0 : EINVAL);
}

static uint64_t ns_of(const struct timespec *t)
{
    return (uint64_t)t->tv_sec * NS_PER_S + (uint64_t)t->tv_nsec;
}

static struct timespec timespec_of(uint64_t ns)
{
    return (struct timespec){(time_t)(ns / NS_PER_S), (long)(ns % NS_PER_S)};
}

/* With the lock. */
static struct itimerspec timer_state(struct timer *t)
{
    uint64_t now = time_ns();

    if (t->event.sigev_notify == SIGEV_NONE) {
        (void)timer_step(t, now);
    }
    uint64_t left = t->due_ns == NEVER ? 0
                    : t->due_ns > now  ? t->due_ns - now
                                       : 1;
    return (struct itimerspec){timespec_of(t->interval_ns), timespec_of(left)};
}

int timer_gettime(timer_t id, struct itimerspec *out)
{
    mutex_lock(&timers_lock);
    struct timer *t = timer_of(id);
    if (t != NULL) {
        *out = timer_state(t);
    }
    mutex_unlock(&timers_lock);
    return answer(t != NULL ? 0 : EINVAL);
}

int timer_getoverrun(timer_t id)
{
    mutex_lock(&timers_lock);
    const struct timer *t = timer_of(id);
    int overrun = t != NULL ? t->overrun : 0;
    mutex_unlock(&timers_lock);
    return t != NULL ? overrun : answer(EINVAL);
}

static bool is_time(const struct timespec *t)
{
    return t->tv_sec >= 0 && t->tv_sec < (time_t)1 << 33 && t->tv_nsec >= 0 &&
           (uint64_t)t->tv_nsec < NS_PER_S;
}

/* When, on the counter, it first comes due. CLOCK_REALTIME: as it is set now.
 */
static uint64_t due_of(clockid_t clock, int flags, const struct timespec *value)
{
    uint64_t at = ns_of(value);
    struct timespec now;

    if (at == 0) {
        return NEVER;
    }
    if ((flags & TIMER_ABSTIME) == 0) {
        return time_ns() + at;
    }
    if (clock == CLOCK_MONOTONIC) {
        return at;
    }
    (void)clock_gettime(clock, &now);
    return time_ns() + (at > ns_of(&now) ? at - ns_of(&now) : 0);
}

int timer_settime(timer_t id, int flags, const struct itimerspec *restrict new,
                  struct itimerspec *restrict old)
{
    if (!is_time(&new->it_value) || !is_time(&new->it_interval)) {
        return answer(EINVAL);
    }
    mutex_lock(&timers_lock);
    struct timer *t = timer_of(id);
    if (t != NULL) {
        struct itimerspec before = timer_state(t);
        t->due_ns = due_of(t->clock, flags, &new->it_value);
        t->interval_ns = ns_of(&new->it_interval);
        t->overrun = 0;
        condition_broadcast(&t->changed);
        if (old != NULL) {
            *old = before;
        }
    }
    mutex_unlock(&timers_lock);
    return answer(t != NULL ? 0 : EINVAL);
}
