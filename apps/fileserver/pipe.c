/* SPDX-License-Identifier: BSL-1.0 */
/* Pipes; the contract is in pipe.h. */
#include "pipe.h"

#include <errno.h>
#include <stddef.h>
#include <vesper/file.h>
#include <vesper/root.h>
#include <vesper/root_call.h>
#include <vesper/waiting.h>

struct pipe {
    struct pipe_ring *ring; /* NULL: this pipe is not in use */
    uint64_t link;
    uint32_t ends[2];               /* how many there are of each */
    uint32_t direct;                /* PIPE_BIT of ends; also in the ring */
    struct waiting_list waiting[2]; /* at each end */
};

static struct pipe pipes[PIPES_MAX];
static bool changed;

int pipe_create(struct pipe **out)
{
    uint64_t w[8] = {ROOT_LINK_MAKE, PIPE_PAGES};
    struct pipe *p = pipes;
    int error;

    while (p < &pipes[PIPES_MAX] && p->ring != NULL) {
        p++;
    }
    if (p == &pipes[PIPES_MAX]) {
        return ENFILE;
    }
    error = root_call(w, 0);
    if (error == 0) {
        *p = (struct pipe){.ring = (struct pipe_ring *)(uintptr_t)w[1],
                           .link = w[3],
                           .ends = {1, 1}};
        *out = p;
    }
    return error;
}

bool pipe_changed(void)
{
    bool was = changed;

    changed = false;
    return was;
}

/* ---- ends that their holders move --------------------------------------- */

static bool is_direct(const struct pipe *p, enum pipe_end end)
{
    return (p->direct & PIPE_BIT(end)) != 0;
}

static void direct_set(struct pipe *p, uint32_t direct)
{
    p->direct = direct;
    __atomic_store_n(&p->ring->direct, direct, __ATOMIC_RELEASE);
}

/* Who moved the end itself, and who waits for it at the other one, learn it
 * from the root server. */
static int end_allow(const struct pipe *p, enum pipe_end end, uint64_t channel)
{
    uint64_t w[8] = {ROOT_LINK_ALLOW, p->link, end, channel};

    return root_call(w, 0);
}

int pipe_direct(struct pipe *p, enum pipe_end end,
                const struct server_client *c, uint64_t *link)
{
    int error =
        p->waiting[end].first != NULL ? EBUSY : end_allow(p, end, c->id);

    if (error == 0) {
        direct_set(p, p->direct | PIPE_BIT(end));
        *link = p->link;
        pipe_pump(p); /* who waits here for that end is woken by others now */
    }
    return error;
}

void pipe_indirect(struct pipe *p, enum pipe_end end)
{
    if (is_direct(p, end)) {
        direct_set(p, p->direct & ~PIPE_BIT(end));
        (void)end_allow(p, end, 0);
        pipe_pump(p);
    }
}

/* Is nothing to be had at this end? Then its server is woken when that changes,
 * also by who moves the other end himself. */
static bool must_wait(struct pipe *p, enum pipe_end end,
                      bool (*has)(const struct pipe *p, enum pipe_end end))
{
    if (has(p, end)) {
        return false;
    }
    if (!is_direct(p, !end)) {
        return true;
    }
    pipe_wait(p->ring, end, PIPE_WAITS_SERVER);
    return !has(p, end);
}

/* ---- looking ------------------------------------------------------------ */

uint32_t pipe_waiting_bytes(const struct pipe *p)
{
    uint32_t used = pipe_used(p->ring);

    return used <= PIPE_BYTES ? used : 0;
}

/* Would a request be answered at once, maybe with an error? */
static bool is_ready(const struct pipe *p, enum pipe_end end)
{
    uint32_t used = pipe_used(p->ring);

    if (used > PIPE_BYTES || p->ends[!end] == 0) {
        return true;
    }
    return end == PIPE_READING ? used > 0 : used + FILE_ROOM <= PIPE_BYTES;
}

uint32_t pipe_ready(struct pipe *p, enum pipe_end end)
{
    uint32_t ready = end == PIPE_WRITING ? READY_WRITE : READY_READ;

    if (must_wait(p, end, is_ready)) {
        return 0;
    }
    return p->ends[!end] == 0 ? ready | READY_HANGUP : ready;
}

/* ---- moving ------------------------------------------------------------- */

static void waiting_end(struct waiting_list *list, int error)
{
    while (list->first != NULL) {
        waiting_answer(list, list->first, error);
    }
}

/* Move an end for who has waited longest there. */
static bool move(struct pipe *p, enum pipe_end end)
{
    struct waiting_list *list = &p->waiting[end];
    struct waiting *w = list->first;
    uint32_t n;

    if (w == NULL) {
        return false;
    }
    n = end == PIPE_WRITING
            ? pipe_put(p->ring, w->data + w->done, w->bytes - w->done, 0)
            : pipe_take(p->ring, w->data, w->bytes);
    if (n == PIPE_BROKEN) {
        waiting_end(list, EIO);
        return true;
    }
    w->done += n;
    if (n > 0 && (end == PIPE_READING || w->done == w->bytes)) {
        waiting_answer(list, w, 0);
    }
    return n > 0;
}

static bool can_move(const struct pipe *p, enum pipe_end end)
{
    uint32_t used = pipe_used(p->ring);

    return end == PIPE_READING ? used != 0 : used != PIPE_BYTES;
}

/* Is somebody here to be served still? Then it is by what comes later. */
static bool may_move(struct pipe *p, enum pipe_end end)
{
    return p->waiting[end].first != NULL && !must_wait(p, end, can_move);
}

/* Move what can be moved. Each round fills or empties the ring or answers a
 * request, so it ends. */
void pipe_pump(struct pipe *p)
{
    changed = true;
    do {
        while (move(p, PIPE_WRITING) | move(p, PIPE_READING)) {
        }
    } while (may_move(p, PIPE_READING) || may_move(p, PIPE_WRITING));
}

/* The last end of its kind is gone: closed by those who wait there; at the
 * other end, writes are for nobody, and the ring is empty if a read waits. */
static void end_gone(struct pipe *p, enum pipe_end end)
{
    __atomic_fetch_or(&p->ring->gone, PIPE_BIT(end), __ATOMIC_SEQ_CST);
    if (is_direct(p, end) || is_direct(p, !end)) {
        direct_set(p, p->direct & ~PIPE_BIT(end));
        (void)end_allow(p, end, 0);
    }
    waiting_end(&p->waiting[end], EBADF);
    waiting_end(&p->waiting[!end], end == PIPE_READING ? EPIPE : 0);
}

void pipe_close(struct pipe *p, enum pipe_end end)
{
    changed = true;
    if (--p->ends[end] == 0) {
        end_gone(p, end);
    }
    if (p->ends[PIPE_READING] == 0 && p->ends[PIPE_WRITING] == 0) {
        uint64_t w[8] = {ROOT_LINK_FREE, p->link};

        (void)root_call(w, 0);
        p->ring = NULL;
    }
}

static void pipe_queue(struct pipe *p, enum pipe_end end,
                       struct server_client *c, const struct channel_request *r,
                       void *data)
{
    int error = is_direct(p, end) ? EALREADY
                                  : waiting_add(&p->waiting[end], c, r, data);

    if (error != 0) {
        server_complete(c, r->id, error, 0, 0, 0);
    }
    pipe_pump(p);
}

void pipe_read(struct pipe *p, struct server_client *c,
               const struct channel_request *r, void *data)
{
    if (p->ends[PIPE_WRITING] == 0 && pipe_used(p->ring) == 0) {
        server_complete(c, r->id, 0, 0, 0, 0);
    } else {
        pipe_queue(p, PIPE_READING, c, r, data);
    }
}

void pipe_write(struct pipe *p, struct server_client *c,
                const struct channel_request *r, void *data)
{
    if (p->ends[PIPE_READING] == 0) {
        server_complete(c, r->id, EPIPE, 0, 0, 0);
    } else {
        pipe_queue(p, PIPE_WRITING, c, r, data);
    }
}

static void waiting_cancel(struct waiting_list *list, struct server_client *c,
                           uint32_t id)
{
    struct waiting *w = waiting_find(list, c, id);

    if (w != NULL) {
        waiting_answer(list, w, w->done > 0 ? 0 : ECANCELED);
    }
}

void pipe_cancel(struct server_client *c, uint32_t id)
{
    for (uint32_t i = 0; i < PIPES_MAX; i++) {
        waiting_cancel(&pipes[i].waiting[PIPE_READING], c, id);
        waiting_cancel(&pipes[i].waiting[PIPE_WRITING], c, id);
        if (pipes[i].ring != NULL) {
            pipe_pump(&pipes[i]); /* the next writer may have its turn */
        }
    }
}

void pipe_client_drop(struct server_client *c)
{
    for (uint32_t i = 0; i < PIPES_MAX; i++) {
        waiting_client_drop(&pipes[i].waiting[PIPE_READING], c);
        waiting_client_drop(&pipes[i].waiting[PIPE_WRITING], c);
        if (pipes[i].ring != NULL) {
            pipe_pump(&pipes[i]);
        }
    }
}
