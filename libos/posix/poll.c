/* SPDX-License-Identifier: BSL-1.0
 *
 * poll and select: one FILE_POLL for each service that some of the descriptors
 * are of, all under way together; the first that is answered ends the others.
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

#define NS_PER_MS   UINT64_C(1000000)
#define NS_PER_US   UINT64_C(1000)
#define US_PER_S    1000000
#define FOR_EVER    UINT64_MAX
#define SECONDS_MAX ((time_t)1 << 33)

#define IN  (POLLIN | POLLRDNORM)
#define OUT (POLLOUT | POLLWRNORM)

_Static_assert(FD_MAX <= FILE_POLLS_MAX, "one request for each service");

/* What one call looks at. */
struct polled {
    struct pollfd *entries;
    nfds_t count;
    struct description *of[FD_MAX]; /* NULL: known without asking */
    struct piece pieces[SERVICE_MAX];
    struct piece_call calls[SERVICE_MAX];
    uint32_t services;
};

/* ---- one descriptor ---------------------------------------------------- */

static void entry_set(struct pollfd *p, unsigned events)
{
    p->revents = (short)(events & ((unsigned short)p->events | POLLERR |
                                   POLLHUP | POLLNVAL));
}

/* What READY_x mean for this descriptor. */
static unsigned events_of(const struct description *d, uint32_t ready)
{
    bool reads = (d->flags & O_ACCMODE) != O_WRONLY;
    bool writes = (d->flags & O_ACCMODE) != O_RDONLY;
    unsigned holds = (ready & READY_ERROR) != 0 ? POLLERR : 0;

    if ((ready & READY_HANGUP) != 0) {
        holds |= writes ? POLLERR : POLLHUP;
    }
    holds |= (ready & READY_READ) != 0 && reads ? IN : 0;
    holds |= (ready & READY_WRITE) != 0 && writes ? OUT : 0;
    return holds;
}

/* Does only its service know? If not, *ready is what holds. */
static bool must_ask(struct description *d, uint32_t *ready)
{
    uint32_t type = FILE_REGULAR;
    int error =
        d->service == NULL || d->plain ? 0 : posix_description_type(d, &type);

    *ready = READY_READ | READY_WRITE;
    if (error == 0 && (type == FILE_TTY || type == FILE_PIPE_END)) {
        error = posix_description_check(d);
        if (error == 0) {
            return true;
        }
    }
    *ready = error == 0 ? *ready : READY_ERROR;
    return false;
}

static void entry_start(struct polled *q, nfds_t i)
{
    struct pollfd *p = &q->entries[i];
    struct description *d;
    uint32_t ready;

    q->of[i] = NULL;
    p->revents = 0;
    if (p->fd < 0) {
        return;
    }
    if (posix_fd_hold(p->fd, &d) != 0) {
        entry_set(p, POLLNVAL);
    } else if (must_ask(d, &ready)) {
        q->of[i] = d; /* and keep it */
    } else {
        entry_set(p, events_of(d, ready));
        posix_description_drop(d);
    }
}

/* ---- one service ------------------------------------------------------- */

static uint32_t asked_of(const struct polled *q, const struct service *s)
{
    uint32_t asked = 0;

    for (nfds_t i = 0; i < q->count; i++) {
        asked += q->of[i] != NULL && q->of[i]->service == s;
    }
    return asked;
}

static uint32_t wanted_by(const struct pollfd *p)
{
    return ((p->events & IN) != 0 ? READY_READ : 0u) |
           ((p->events & OUT) != 0 ? READY_WRITE : 0u);
}

static void request_fill(struct polled *q, const struct piece *piece)
{
    volatile struct file_poll *to = piece->data;

    for (nfds_t i = 0; i < q->count; i++) {
        if (q->of[i] != NULL && q->of[i]->service == piece->service) {
            to->handle = q->of[i]->handle;
            to->wanted = wanted_by(&q->entries[i]);
            to->ready = 0;
            to++;
        }
    }
}

/* A request about all that are of s. */
static int service_add(struct polled *q, struct service *s)
{
    struct piece *piece = &q->pieces[q->services];
    uint32_t bytes = asked_of(q, s) * (uint32_t)sizeof(struct file_poll);
    int error = posix_piece_take(s, bytes, piece);

    if (error == 0) {
        request_fill(q, piece);
        q->calls[q->services++] =
            (struct piece_call){.piece = piece, .request = {.op = FILE_POLL}};
    }
    return error;
}

static bool has_request(const struct polled *q, const struct service *s)
{
    for (uint32_t i = 0; i < q->services; i++) {
        if (q->pieces[i].service == s) {
            return true;
        }
    }
    return false;
}

static void call_look(struct polled *q, const struct piece_call *call)
{
    const volatile struct file_poll *from = call->piece->data;

    for (nfds_t i = 0; i < q->count; i++) {
        const struct description *d = q->of[i];

        if (d == NULL || d->service != call->piece->service) {
            continue;
        }
        if (call->error == 0) {
            entry_set(&q->entries[i], events_of(d, (from++)->ready));
        } else if (call->error != ECANCELED) {
            entry_set(&q->entries[i], POLLERR);
        }
    }
}

/* ---- all of them ------------------------------------------------------- */

static int holding(const struct polled *q)
{
    int holds = 0;

    for (nfds_t i = 0; i < q->count; i++) {
        holds += q->entries[i].revents != 0;
    }
    return holds;
}

static void polled_start(struct polled *q)
{
    q->services = 0;
    for (nfds_t i = 0; i < q->count; i++) {
        entry_start(q, i);
    }
    for (nfds_t i = 0; i < q->count; i++) {
        const struct description *d = q->of[i];

        if (d != NULL && !has_request(q, d->service) &&
            service_add(q, d->service) != 0) {
            entry_set(&q->entries[i], POLLERR);
        }
    }
}

static void polled_end(struct polled *q)
{
    while (q->services > 0) {
        posix_piece_give(&q->pieces[--q->services]);
    }
    for (nfds_t i = 0; i < q->count; i++) {
        if (q->of[i] != NULL) {
            posix_description_drop(q->of[i]);
        }
    }
}

/* EINTR: a signal came before anything held. */
static int polled_wait(struct polled *q, uint64_t until_ns)
{
    bool waits = holding(q) == 0 && time_ns() < until_ns;
    int error;

    if (q->services == 0) {
        return !waits || posix_sleep(until_ns) ? 0 : EINTR;
    }
    for (uint32_t i = 0; i < q->services; i++) {
        q->calls[i].request.arg[0] = waits;
    }
    error = posix_pieces_call_any(q->calls, q->services,
                                  waits ? until_ns : FOR_EVER);
    for (uint32_t i = 0; i < q->services; i++) {
        call_look(q, &q->calls[i]);
    }
    return error == EINTR ? EINTR : 0;
}

/* Handlers wait until the end, so that one cannot run unseen before the request
 * is on its way. */
static int poll_until(struct pollfd *entries, nfds_t count, uint64_t until_ns)
{
    struct polled q = {.entries = entries, .count = count};
    int holds, error;

    posix_standard_flush();
    thread_cancel_begin();
    posix_signal_hold();
    polled_start(&q);
    error = polled_wait(&q, until_ns);
    polled_end(&q);
    holds = holding(&q);
    posix_signal_release();
    thread_cancel_end(error == EINTR);
    return holds == 0 && error != 0 ? result(error) : holds;
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

static void entries_make(struct pollfd *entries, int count, fd_set *reads,
                         fd_set *writes, fd_set *others)
{
    for (int fd = 0; fd < count; fd++) {
        bool any = has(fd, reads) || has(fd, writes) || has(fd, others);

        entries[fd] =
            (struct pollfd){.fd = any ? fd : -1,
                            .events = (short)((has(fd, reads) ? POLLIN : 0) |
                                              (has(fd, writes) ? POLLOUT : 0))};
    }
}

static bool any_closed(const struct pollfd *entries, int count)
{
    for (int fd = 0; fd < count; fd++) {
        if (entries[fd].revents == POLLNVAL) {
            return true;
        }
    }
    return false;
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
    entries_make(entries, count, reads, writes, others);
    if (poll_until(entries, (nfds_t)count, until_ns) < 0) {
        return -1;
    }
    if (any_closed(entries, count)) {
        return result(EBADF);
    }
    for (int fd = 0; fd < count; fd++) {
        const struct pollfd *p = &entries[fd];

        holds += set_keep(reads, p, fd, POLLIN | POLLHUP | POLLERR);
        holds += set_keep(writes, p, fd, POLLOUT | POLLERR);
        holds += set_keep(others, p, fd, 0);
    }
    return holds;
}
