/* SPDX-License-Identifier: BSL-1.0 */
/* Ends of pipes that we move ourselves; the contract is in pipe.h. */
#include "pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>

#include <abi/calls.h>
#include <vesper/channel.h>
#include <vesper/file.h>
#include <vesper/pipe.h>
#include <vesper/root.h>
#include <vesper/root_call.h>
#include <vesper/thread.h>

#include "../core/event.h"
#include "../core/page.h"
#include "../core/queue.h"
#include "../core/signal_frame.h"
#include "../core/slots.h"
#include "../core/sync.h"
#include "fd.h"
#include "service.h"
#include "signal_state.h"
#include "standard.h"

#define DIRECT_MAX 16u
/* A try to have an end costs as much as two requests, and is in vain while
 * others hold it, too: so one is after 4 requests, 8, 16, .. 128, and then
 * after every 64. */
#define SERVED_MIN 4u
#define SERVED_MAX 128u

/* Rather short than fast: every program has it, and pays for each page of it
 * when it starts. */
#define RARE __attribute__((cold, noinline))
#define ONCE __attribute__((noinline))

/* Guarded by the lock, which is held while bytes are copied and while ends come
 * and go, never while a thread waits for the other end. */
struct direct_end {
    struct pipe_ring *ring; /* NULL: not in use */
    uint64_t handle, link;  /* of the description, of the root server */
    enum pipe_end end;
    cptr_t peer; /* event that wakes who has the other end */
    int bit;     /* of ours */
    bool left;   /* free as soon as nobody waits */
    uint32_t waiters;
} __attribute__((aligned(64))); /* an index is a shift */

static struct mutex ends_lock;
static struct direct_end ends[DIRECT_MAX]; /* number 1 is the first */

static void enter(void)
{
    posix_signal_hold();
    mutex_lock(&ends_lock);
}

static void leave(void)
{
    mutex_unlock(&ends_lock);
    posix_signal_release();
}

/* ---- having an end ------------------------------------------------------ */

static RARE int ask(const struct description *d, uint32_t op, uint64_t arg,
                    struct channel_completion *answer)
{
    struct channel_request r = posix_request(op, d->handle);
    uint32_t generation = d->generation;

    r.arg[0] = arg;
    return posix_service_call_of(d->service, &generation, &r, answer);
}

static int link_open(struct direct_end *e, uint64_t link, uint64_t end)
{
    uint64_t w[8] = {ROOT_LINK_OPEN, link, end, e->peer, (uint64_t)e->bit};
    int error = root_call(w, 0);

    if (error == 0 && w[2] != PIPE_PAGES * PAGE_BYTES) {
        error = EIO;
    }
    if (error == 0) {
        e->ring = (struct pipe_ring *)(uintptr_t)w[1];
        e->link = link;
    }
    return error;
}

static RARE void end_free(struct direct_end *e)
{
    if (e->peer != 0) {
        (void)sys_cap_delete(e->peer);
        slot_give(e->peer);
    }
    if (e->bit >= 0) {
        event_give(e->bit);
    }
    e->ring = NULL;
}

/* What the service says of the end counts only if it can be true. */
static RARE int end_open(const struct description *d, struct direct_end *e)
{
    struct channel_completion answer;
    int error = ENOMEM;

    *e = (struct direct_end){.handle = d->handle,
                             .peer = slot_take(),
                             .bit = event_take()};
    e->end = (d->flags & O_ACCMODE) == O_WRONLY ? PIPE_WRITING : PIPE_READING;
    if (e->peer != 0 && e->bit >= 0) {
        error = ask(d, FILE_DIRECT, 1, &answer);
        if (error == 0) {
            error = answer.value[1] == e->end
                        ? link_open(e, answer.value[0], e->end)
                        : EIO;
            if (error != 0) {
                (void)ask(d, FILE_DIRECT, 0, &answer);
            }
        }
    }
    if (error != 0) {
        end_free(e);
    }
    return error;
}

/* The one for that handle, or one that is not in use. */
static RARE struct direct_end *end_find(bool used, uint64_t handle)
{
    for (uint32_t i = 0; i < DIRECT_MAX; i++) {
        struct direct_end *e = &ends[i];

        if (used ? e->ring != NULL && e->handle == handle && !e->left
                 : e->ring == NULL) {
            return e;
        }
    }
    return NULL;
}

RARE void posix_pipe_served(struct description *d)
{
    uint8_t served = ++d->served;
    struct direct_end *e;

    if (d->type != FILE_PIPE_END || served < SERVED_MIN ||
        (served & (served - 1)) != 0) {
        return;
    }
    enter();
    e = end_find(false, 0);
    if (d->direct == 0 && !d->granting && e != NULL &&
        posix_description_check(d) == 0 && end_open(d, e) == 0) {
        d->direct = (uint8_t)(e - ends + 1);
    }
    if (served == SERVED_MAX) {
        d->served = SERVED_MAX / 2;
    }
    leave();
}

/* With the lock. */
static RARE void end_leave(struct description *d)
{
    struct channel_completion answer;
    struct direct_end *e = end_find(true, d->handle);

    d->direct = 0;
    if (e == NULL) {
        return;
    }
    if (posix_description_check(d) != 0 ||
        ask(d, FILE_DIRECT, 0, &answer) != 0) { /* the server is gone */
        uint64_t w[8] = {ROOT_LINK_LEAVE, e->link, e->end};

        (void)root_call(w, 0);
    }
    e->left = true;
    if (e->waiters > 0) {
        event_post(e->bit);
    } else {
        end_free(e);
    }
}

RARE void posix_pipe_leave(struct description *d)
{
    enter();
    end_leave(d);
    leave();
}

RARE void posix_pipe_grant_begin(struct description *d)
{
    enter();
    end_leave(d);
    d->granting = true;
    leave();
}

void posix_pipe_grant_end(struct description *d)
{
    d->granting = false;
}

/* ---- moving ------------------------------------------------------------- */

static uint32_t word(const uint32_t *w)
{
    return __atomic_load_n(w, __ATOMIC_ACQUIRE);
}

/* The end that fd is, if it is that one and ours. With the lock, or masked
 * while the lock is free: then it stays so. */
static inline struct direct_end *end_at(int fd, enum pipe_end end)
{
    uint8_t number = posix_fd_direct(fd);
    struct direct_end *e = number != 0 ? &ends[number - 1] : NULL;

    return e != NULL && e->end == end ? e : NULL;
}

static ONCE bool tell_them(const struct direct_end *e)
{
    uint32_t waits = pipe_wakes(e->ring, e->end);

    if ((waits & PIPE_WAITS_DIRECT) != 0) {
        (void)sys_event_signal(e->peer); /* empty: it has been woken */
    }
    if (e->waiters > 0) {
        event_arrived(1ull << e->bit);
    }
    return (waits & PIPE_WAITS_SERVER) != 0;
}

/* Masked. What was moved may be what others wait for: who has the other end,
 * other threads at this one. True: the server has to be told. */
static ONCE bool tell(const struct direct_end *e)
{
    return (pipe_waited(e->ring, e->end) || e->waiters > 0) && tell_them(e);
}

static RARE void pump(int fd)
{
    struct channel_completion answer;
    struct description *d;

    if (posix_fd_hold(fd, &d) == 0) {
        (void)ask(d, FILE_PUMP, 0, &answer);
        posix_description_drop(d);
    }
}

/* Who has the other end wakes us; or the root server, when that changes. We are
 * one of the waiters. EAGAIN: look again. */
static RARE int wait_direct(struct direct_end *e)
{
    bool interrupted;

    posix_standard_flush();
    (void)event_await(1ull << e->bit, DEADLINE_NONE, &interrupted);
    upcall_mask();
    e->waiters--;
    if (e->left && e->waiters > 0) {
        event_arrived(1ull << e->bit);
    }
    upcall_unmask();
    if (e->left && e->waiters == 0) {
        end_free(e);
    }
    return interrupted ? EINTR : EAGAIN;
}

/* ---- a few bytes, at once ----------------------------------------------- */

/* Most moves are small and find what they need. Those take no lock: they are
 * done under the mask, where no memory of the program may be touched, since
 * that may fault; so the bytes go by way of the stack. */
#define SMALL 64u

static inline struct direct_end *small_begin(int fd, enum pipe_end end)
{
    upcall_mask();
    return ends_lock.owner == NULL ? end_at(fd, end) : NULL;
}

static inline void small_end(int fd, const struct direct_end *e, bool moved)
{
    bool serves = moved && tell(e);

    upcall_unmask();
    if (serves) {
        pump(fd);
    }
}

/* Nothing is to be read. True: we are one of the waiters now, since the ring
 * was looked at again after who has the other end was told. */
static inline bool waits_small(struct direct_end *e)
{
    const struct pipe_ring *r = e->ring;
    bool waits;

    pipe_wait(e->ring, PIPE_READING, PIPE_WAITS_DIRECT);
    waits = pipe_used(r) == 0 && word(&r->gone) == 0 &&
            word(&r->magic) == CHANNEL_MAGIC &&
            (word(&r->direct) & PIPE_BIT(PIPE_WRITING)) != 0;
    e->waiters += waits;
    return waits;
}

/* *at: where a thread is one of the waiters, or as it was. */
static bool take_small(int fd, struct pipe_move *m, struct direct_end **at)
{
    uint8_t bytes[SMALL];
    struct direct_end *e = small_begin(fd, PIPE_READING);
    uint32_t n = 0;

    if (e != NULL && pipe_used(e->ring) != 0) {
        n = pipe_take(e->ring, bytes, m->left);
        n = n != PIPE_BROKEN ? n : 0;
    } else if (e != NULL && waits_small(e)) {
        *at = e;
    }
    small_end(fd, e, n > 0);
    if (n > 0) {
        memcpy(m->at, bytes, n);
        m->done = n;
    }
    return n > 0;
}

static bool put_small(int fd, struct pipe_move *m)
{
    uint8_t bytes[SMALL];
    struct direct_end *e;
    uint32_t n = (uint32_t)m->left;
    bool moved;

    memcpy(bytes, m->at, n);
    e = small_begin(fd, PIPE_WRITING);
    moved = e != NULL && word(&e->ring->gone) == 0 &&
            pipe_put(e->ring, bytes, n, n) == n;
    small_end(fd, e, moved);
    m->done += moved ? n : 0;
    return moved;
}

static inline bool move_small(int fd, enum pipe_end end, struct pipe_move *m,
                              struct direct_end **at)
{
    if (m->left > SMALL) {
        return false;
    }
    return end == PIPE_WRITING ? put_small(fd, m) : take_small(fd, m, at);
}

/* ---- all else ----------------------------------------------------------- */

/* EAGAIN: there is nothing to be moved now. Whether the other end is gone is
 * looked at before the ring: no more comes into it then. */
static int take(struct direct_end *e, struct pipe_move *m)
{
    bool alone = (word(&e->ring->gone) & PIPE_BIT(PIPE_WRITING)) != 0;
    uint32_t n;

    if (pipe_used(e->ring) == 0) {
        return alone ? 0 : EAGAIN;
    }
    n = pipe_take(e->ring, m->at, m->left);
    if (n == PIPE_BROKEN) {
        return EIO;
    }
    m->done = n;
    return 0;
}

static int put(struct direct_end *e, struct pipe_move *m)
{
    uint32_t n;

    if ((word(&e->ring->gone) & PIPE_BIT(PIPE_READING)) != 0) {
        return EPIPE;
    }
    n = pipe_put(e->ring, m->at, m->left,
                 m->left <= FILE_ROOM ? (uint32_t)m->left : 1);
    if (n == PIPE_BROKEN) {
        return EIO;
    }
    m->at += n;
    m->left -= n;
    m->done += n;
    return m->left == 0 ? 0 : EAGAIN;
}

static RARE int move(struct direct_end *e, struct pipe_move *m)
{
    if (word(&e->ring->magic) != CHANNEL_MAGIC) {
        return EALREADY; /* the server is gone, and will be found to be */
    }
    return e->end == PIPE_WRITING ? put(e, m) : take(e, m);
}

/* With the lock. *direct: if there is no more to be done now, who has the other
 * end wakes us; the ring was looked at again since it was told to. */
static int move_or_wait(struct direct_end *e, struct pipe_move *m, bool *direct)
{
    int error = move(e, m);

    if (error == EAGAIN) {
        pipe_wait(e->ring, e->end, PIPE_WAITS_DIRECT);
        error = move(e, m);
        *direct = (word(&e->ring->direct) & PIPE_BIT(!e->end)) != 0;
    }
    return error;
}

/* The server moves the other end, and so is asked to say when it did. EAGAIN:
 * look again. */
static RARE int wait_served(int fd, enum pipe_end end)
{
    struct channel_request r = posix_request(FILE_POLL, 0);
    struct channel_completion answer;
    struct description *d;
    struct piece p;
    int error = posix_fd_hold(fd, &d);

    if (error != 0) {
        return error;
    }
    posix_standard_flush();
    error = posix_description_piece(d, sizeof(struct file_poll), &p);
    if (error == 0) {
        *(volatile struct file_poll *)p.data =
            (struct file_poll){.handle = d->handle,
                               .wanted = end == PIPE_WRITING ? READY_WRITE
                                                             : READY_READ};
        r.arg[0] = 1;
        error = posix_piece_call(&p, &r, sizeof(struct file_poll), &answer);
        posix_piece_give(&p);
    }
    posix_description_drop(d);
    return error == 0 ? EAGAIN : error;
}

/* EAGAIN: another round is to come. */
static RARE int move_round(int fd, enum pipe_end end, struct pipe_move *m)
{
    size_t before = m->done;
    bool serves = false, direct = false;
    int error = EALREADY;
    struct direct_end *e;

    mutex_lock(&ends_lock);
    e = end_at(fd, end);
    if (e != NULL) {
        error = move_or_wait(e, m, &direct);
        direct = direct && error == EAGAIN;
        upcall_mask();
        serves = m->done != before && tell(e);
        e->waiters += direct;
        upcall_unmask();
    }
    mutex_unlock(&ends_lock);
    if (serves) {
        pump(fd);
    }
    if (error != EAGAIN) {
        return error;
    }
    return direct ? wait_direct(e) : wait_served(fd, end);
}

static int move_all(int fd, enum pipe_end end, struct pipe_move *m)
{
    struct direct_end *at;
    int error;

    do {
        at = NULL;
        if (move_small(fd, end, m, &at)) {
            return 0;
        }
        posix_signal_hold();
        error = at != NULL ? wait_direct(at) : move_round(fd, end, m);
        posix_signal_release();
    } while (error == EAGAIN);
    return error;
}

static ONCE int move_waiting(int fd, enum pipe_end end, struct pipe_move *m)
{
    int error;

    do {
        error = move_all(fd, end, m);
    } while (error == EINTR && m->done == 0 && posix_signal_restarts());
    return error;
}

/* Many bytes, if that needs no wait: with the lock, which a handler may want,
 * since the program's memory is touched. For all else there is move_round. */
static ONCE int move_large(int fd, enum pipe_end end, struct pipe_move *m)
{
    struct direct_end *e;
    uint32_t n = 0;
    bool serves;

    signals_hold();
    mutex_lock(&ends_lock);
    e = end_at(fd, end);
    if (e == NULL || word(&e->ring->magic) != CHANNEL_MAGIC) {
        n = 0;
    } else if (end == PIPE_READING) {
        n = pipe_take(e->ring, m->at, m->left);
    } else if (word(&e->ring->gone) == 0) {
        n = pipe_put(e->ring, m->at, m->left, (uint32_t)m->left);
    }
    n = n != PIPE_BROKEN ? n : 0;
    upcall_mask();
    serves = n > 0 && tell(e);
    mutex_give(&ends_lock);
    upcall_unmask();
    signals_allow();
    if (serves) {
        pump(fd);
    }
    m->done += n;
    return n > 0 ? 0 : move_waiting(fd, end, m);
}

int posix_pipe_move(int fd, enum pipe_end end, struct pipe_move *m)
{
    if (posix_fd_direct(fd) == 0 || m->left == 0 || m->left > PTRDIFF_MAX) {
        return EALREADY;
    }
    return m->left > SMALL && m->left <= PIPE_BYTES ? move_large(fd, end, m)
                                                    : move_waiting(fd, end, m);
}
