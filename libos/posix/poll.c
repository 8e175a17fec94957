/* SPDX-License-Identifier: BSL-1.0
 *
 * poll and select. Each look asks the services; between two looks the thread
 * sleeps, because a request that waits in several services at once would have
 * to be called back from all but one.
 */
#include <poll.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/select.h>
#include <vesper/file.h>
#include <vesper/thread.h>

#include "fd.h"
#include "result.h"
#include "service.h"
#include "signal_state.h"
#include "sleep.h"
#include "standard.h"

#define STEP_NS     UINT64_C(10000000)
#define NS_PER_MS   UINT64_C(1000000)
#define NS_PER_US   UINT64_C(1000)
#define US_PER_S    1000000
#define FOR_EVER    UINT64_MAX
#define SECONDS_MAX ((time_t)1 << 33)

#define IN  (POLLIN | POLLRDNORM)
#define OUT (POLLOUT | POLLWRNORM)

/* ---- one descriptor ---------------------------------------------------- */

static int ready_ask(struct description *d, uint64_t *ready)
{
    struct channel_request r = {.op = FILE_POLL, .handle = d->handle};
    struct channel_completion answer;
    uint32_t type = FILE_REGULAR, generation = d->generation;
    int error =
        d->service == NULL || d->plain ? 0 : posix_description_type(d, &type);

    *ready = READY_READ | READY_WRITE;
    if (error != 0 || (type != FILE_TTY && type != FILE_PIPE_END)) {
        return error;
    }
    error = posix_description_check(d);
    if (error == 0) {
        error = posix_service_call_of(d->service, &generation, &r, &answer);
    }
    *ready = error == 0 ? answer.value[0] : 0;
    return error;
}

/* EINTR: a signal came before the service answered. */
static int events_of(struct description *d, short *events)
{
    uint64_t ready;
    bool reads = (d->flags & O_ACCMODE) != O_WRONLY;
    bool writes = (d->flags & O_ACCMODE) != O_RDONLY;
    unsigned holds = 0;
    int error = ready_ask(d, &ready);

    if (error != 0) {
        *events = POLLERR;
        return error == EINTR ? EINTR : 0;
    }
    if ((ready & READY_HANGUP) != 0) {
        holds |= writes ? POLLERR : POLLHUP;
    }
    holds |= (ready & READY_READ) != 0 && reads ? IN : 0;
    holds |= (ready & READY_WRITE) != 0 && writes ? OUT : 0;
    *events = (short)holds;
    return 0;
}

static int entry_look(struct pollfd *p)
{
    struct description *d;
    int error;

    p->revents = 0;
    if (p->fd < 0) {
        return 0;
    }
    if (posix_fd_hold(p->fd, &d) != 0) {
        p->revents = POLLNVAL;
        return 0;
    }
    error = events_of(d, &p->revents);
    p->revents = (short)(p->revents & (p->events | POLLERR | POLLHUP));
    posix_description_drop(d);
    return error;
}

/* ---- all of them ------------------------------------------------------- */

static int look(struct pollfd *entries, nfds_t count, int *holds)
{
    int error = 0;

    *holds = 0;
    for (nfds_t i = 0; i < count && error == 0; i++) {
        error = entry_look(&entries[i]);
        *holds += entries[i].revents != 0;
    }
    return error;
}

static int look_until(struct pollfd *entries, nfds_t count, uint64_t until_ns,
                      int *holds)
{
    for (;;) {
        int error = look(entries, count, holds);
        uint64_t now = time_ns();

        if (error != 0 || *holds > 0 || now >= until_ns) {
            return error;
        }
        if (!posix_sleep(until_ns - now < STEP_NS ? until_ns : now + STEP_NS)) {
            return EINTR;
        }
    }
}

/* Handlers wait until the end, so that one cannot run unseen between a look and
 * the sleep after it. */
static int poll_until(struct pollfd *entries, nfds_t count, uint64_t until_ns)
{
    int holds, error;

    posix_standard_flush();
    thread_cancel_begin();
    posix_signal_hold();
    error = look_until(entries, count, until_ns, &holds);
    posix_signal_release();
    thread_cancel_end(error == EINTR);
    return error != 0 ? result(error) : holds;
}

int poll(struct pollfd *entries, nfds_t count, int timeout_ms)
{
    if (count > FD_MAX) {
        return result(EINVAL);
    }
    return poll_until(entries, count,
                      timeout_ms < 0
                          ? FOR_EVER
                          : time_ns() + (uint64_t)timeout_ms * NS_PER_MS);
}

/* ---- select ------------------------------------------------------------ */

static bool has(int fd, fd_set *set)
{
    return set != NULL && FD_ISSET(fd, set);
}

static int entries_make(struct pollfd *entries, int count, fd_set *reads,
                        fd_set *writes, fd_set *others)
{
    int error = 0;

    for (int fd = 0; fd < count && error == 0; fd++) {
        bool any = has(fd, reads) || has(fd, writes) || has(fd, others);

        entries[fd] =
            (struct pollfd){.fd = any ? fd : -1,
                            .events = (short)((has(fd, reads) ? POLLIN : 0) |
                                              (has(fd, writes) ? POLLOUT : 0))};
        error = entry_look(&entries[fd]);
        if (error == 0 && entries[fd].revents == POLLNVAL) {
            error = EBADF;
        }
    }
    return error;
}

/* Leave fd in the set if one of these events holds. */
static bool set_keep(fd_set *set, const struct pollfd *p, int fd, int events)
{
    bool holds = has(fd, set) && (p->revents & events) != 0;

    if (set != NULL && !holds) {
        FD_CLR(fd, set);
    }
    return holds;
}

static int until_of(const struct timeval *timeout, uint64_t *until_ns)
{
    *until_ns = FOR_EVER;
    if (timeout == NULL) {
        return 0;
    }
    if (timeout->tv_sec < 0 || timeout->tv_usec < 0 ||
        timeout->tv_usec >= US_PER_S) {
        return EINVAL;
    }
    if (timeout->tv_sec < SECONDS_MAX) {
        *until_ns = time_ns() + ((uint64_t)timeout->tv_sec * US_PER_S +
                                 (uint64_t)timeout->tv_usec) *
                                    NS_PER_US;
    }
    return 0;
}

int select(int count, fd_set *reads, fd_set *writes, fd_set *others,
           struct timeval *timeout)
{
    struct pollfd entries[FD_MAX];
    uint64_t until_ns;
    int error = until_of(timeout, &until_ns), holds = 0;

    if (count < 0 || count > FD_MAX || error != 0) {
        return result(EINVAL);
    }
    error = entries_make(entries, count, reads, writes, others);
    if (error != 0) {
        return result(error);
    }
    if (poll_until(entries, (nfds_t)count, until_ns) < 0) {
        return -1;
    }
    for (int fd = 0; fd < count; fd++) {
        const struct pollfd *p = &entries[fd];

        holds += set_keep(reads, p, fd, POLLIN | POLLHUP | POLLERR);
        holds += set_keep(writes, p, fd, POLLOUT | POLLERR);
        holds += set_keep(others, p, fd, 0);
    }
    return holds;
}
