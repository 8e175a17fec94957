/* SPDX-License-Identifier: BSL-1.0 */
/* Pipes; the contract is in pipe.h. */
#include "pipe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <vesper/file.h>
#include <vesper/waiting.h>

_Static_assert((PIPE_BYTES & (PIPE_BYTES - 1)) == 0, "power of two");

struct pipe {
    uint8_t *ring;       /* NULL: this pipe is not in use */
    uint32_t head, tail; /* they only grow */
    uint32_t reading_ends, writing_ends;
    struct waiting_list readers, writers;
};

static struct pipe pipes[PIPES_MAX];
static bool changed;

int pipe_create(struct pipe **out)
{
    for (uint32_t i = 0; i < PIPES_MAX; i++) {
        struct pipe *p = &pipes[i];

        if (p->ring == NULL) {
            *p = (struct pipe){.ring = malloc(PIPE_BYTES),
                               .reading_ends = 1,
                               .writing_ends = 1};
            *out = p;
            return p->ring != NULL ? 0 : ENOMEM;
        }
    }
    return ENFILE;
}

bool pipe_changed(void)
{
    bool was = changed;

    changed = false;
    return was;
}

uint32_t pipe_waiting_bytes(const struct pipe *p)
{
    return p->tail - p->head;
}

uint32_t pipe_ready(const struct pipe *p, bool writing)
{
    uint32_t bytes = pipe_waiting_bytes(p);
    bool alone = (writing ? p->reading_ends : p->writing_ends) == 0;

    if (alone) { /* both calls come back at once: EPIPE, or end of input */
        return READY_HANGUP | (writing ? READY_WRITE : READY_READ);
    }
    if (!writing) {
        return bytes > 0 ? READY_READ : 0;
    }
    return bytes + FILE_ROOM <= PIPE_BYTES ? READY_WRITE : 0;
}

/* How many bytes from a position of the ring on lie in one piece. */
static uint32_t piece_bytes(uint32_t position, uint32_t most)
{
    uint32_t straight = PIPE_BYTES - position % PIPE_BYTES;

    return most < straight ? most : straight;
}

static uint32_t ring_put(struct pipe *p, const char *from, uint32_t bytes)
{
    uint32_t done = 0;

    while (done < bytes && p->tail - p->head < PIPE_BYTES) {
        uint32_t room = PIPE_BYTES - (p->tail - p->head);
        uint32_t n = bytes - done < room ? bytes - done : room;

        n = piece_bytes(p->tail, n);
        memcpy(&p->ring[p->tail % PIPE_BYTES], from + done, n);
        p->tail += n;
        done += n;
    }
    return done;
}

static uint32_t ring_take(struct pipe *p, char *to, uint32_t bytes)
{
    uint32_t done = 0;

    while (done < bytes && p->tail != p->head) {
        uint32_t full = p->tail - p->head;
        uint32_t n = bytes - done < full ? bytes - done : full;

        n = piece_bytes(p->head, n);
        memcpy(to + done, &p->ring[p->head % PIPE_BYTES], n);
        p->head += n;
        done += n;
    }
    return done;
}

/* Move what can be moved. Each round fills or empties the ring or answers a
 * request, so it ends. */
static void pipe_pump(struct pipe *p)
{
    bool moved = true;

    changed = true;
    while (moved) {
        struct waiting *w = p->writers.first;
        struct waiting *r = p->readers.first;

        moved = false;
        if (w != NULL && p->tail - p->head < PIPE_BYTES) {
            w->done += ring_put(p, w->data + w->done, w->bytes - w->done);
            moved = true;
            if (w->done == w->bytes) {
                waiting_answer(&p->writers, w, 0);
            }
        }
        if (r != NULL && p->tail != p->head) {
            r->done = ring_take(p, r->data, r->bytes);
            moved = true;
            waiting_answer(&p->readers, r, 0);
        }
    }
}

static void waiting_end(struct waiting_list *list, int error)
{
    while (list->first != NULL) {
        waiting_answer(list, list->first, error);
    }
}

void pipe_close(struct pipe *p, bool writing)
{
    changed = true;
    if (writing) {
        p->writing_ends--;
    } else {
        p->reading_ends--;
    }
    if (p->reading_ends == 0) {
        waiting_end(&p->readers, EBADF); /* closed under them by their own */
        waiting_end(&p->writers, EPIPE);
    }
    if (p->writing_ends == 0) {
        waiting_end(&p->writers, EBADF);
        waiting_end(&p->readers, 0); /* the ring is empty, or none waited */
    }
    if (p->reading_ends == 0 && p->writing_ends == 0) {
        free(p->ring);
        p->ring = NULL;
    }
}

static void pipe_queue(struct pipe *p, struct waiting_list *list,
                       struct server_client *c, const struct channel_request *r,
                       void *data)
{
    int error = waiting_add(list, c, r, data);

    if (error != 0) {
        server_complete(c, r->id, error, 0, 0, 0);
    }
    pipe_pump(p);
}

void pipe_read(struct pipe *p, struct server_client *c,
               const struct channel_request *r, void *data)
{
    if (p->writing_ends == 0 && p->tail == p->head) {
        server_complete(c, r->id, 0, 0, 0, 0);
    } else {
        pipe_queue(p, &p->readers, c, r, data);
    }
}

void pipe_write(struct pipe *p, struct server_client *c,
                const struct channel_request *r, void *data)
{
    if (p->reading_ends == 0) {
        server_complete(c, r->id, EPIPE, 0, 0, 0);
    } else {
        pipe_queue(p, &p->writers, c, r, data);
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
        waiting_cancel(&pipes[i].readers, c, id);
        waiting_cancel(&pipes[i].writers, c, id);
        if (pipes[i].ring != NULL) {
            pipe_pump(&pipes[i]); /* the next writer may have its turn */
        }
    }
}

void pipe_client_drop(struct server_client *c)
{
    for (uint32_t i = 0; i < PIPES_MAX; i++) {
        waiting_client_drop(&pipes[i].readers, c);
        waiting_client_drop(&pipes[i].writers, c);
        if (pipes[i].ring != NULL) {
            pipe_pump(&pipes[i]);
        }
    }
}
