/* SPDX-License-Identifier: BSL-1.0 */
/*
 * pipe_test.c - the memory of a pipe (libos/ipc/pipe.c): bytes, room, numbers
 * that cannot be; and two threads, as two domains, that wait for each other by
 * the rules of <vesper/pipe.h>. Nobody may wait in vain.
 */
#include "tests/unit/tap.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <vesper/pipe.h>

enum { EXCHANGES = 300000, PATIENCE_S = 10 };

static struct pipe_ring *ring, *back;

static struct pipe_ring *ring_make(uint32_t position)
{
    struct pipe_ring *r = aligned_alloc(PAGE_BYTES, PIPE_PAGES * PAGE_BYTES);

    memset(r, 0, PIPE_PAGES * PAGE_BYTES);
    r->head = r->tail = position;
    return r;
}

static void bytes_test(void)
{
    static char in[PIPE_BYTES + 1], out[PIPE_BYTES + 1];

    for (size_t i = 0; i < sizeof in; i++) {
        in[i] = (char)(i * 7 + i / 251);
    }
    ring = ring_make(~0u - 100); /* positions and the ring both wrap */
    CHECK(pipe_take(ring, out, 10) == 0 && pipe_used(ring) == 0, "empty");
    CHECK(pipe_put(ring, in, 1000, 1) == 1000 && pipe_used(ring) == 1000,
          "some is put");
    CHECK(pipe_put(ring, in + 1000, PIPE_BYTES, PIPE_BYTES - 999) == 0,
          "not where there is not the room that is asked for");
    CHECK(pipe_put(ring, in + 1000, PIPE_BYTES, 1) == PIPE_BYTES - 1000 &&
              pipe_put(ring, in, 1, 1) == 0,
          "full");
    CHECK(pipe_take(ring, out, 300) == 300 &&
              pipe_take(ring, out + 300, PIPE_BYTES + 1) == PIPE_BYTES - 300 &&
              memcmp(in, out, PIPE_BYTES) == 0 && pipe_used(ring) == 0,
          "all of it comes out as it went in");
    ring->tail = ring->head + PIPE_BYTES + 1;
    CHECK(pipe_take(ring, out, 1) == PIPE_BROKEN &&
              pipe_put(ring, in, 1, 1) == PIPE_BROKEN,
          "more than it holds");
    ring->tail = ring->head - 1;
    CHECK(pipe_take(ring, out, 1) == PIPE_BROKEN &&
              pipe_put(ring, in, 1, 1) == PIPE_BROKEN,
          "less than nothing");
    free(ring);
}

static void waits_test(void)
{
    ring = ring_make(0);
    pipe_wait(ring, PIPE_READING, PIPE_WAITS_DIRECT);
    pipe_wait(ring, PIPE_READING, PIPE_WAITS_SERVER);
    CHECK(pipe_waiters(ring, PIPE_READING) == 0,
          "who moves an end wakes nobody there");
    CHECK(pipe_waiters(ring, PIPE_WRITING) ==
                  (PIPE_WAITS_DIRECT | PIPE_WAITS_SERVER) &&
              pipe_waiters(ring, PIPE_WRITING) == 0,
          "but at the other end, each once");
    free(ring);
}

/* ---- two domains --------------------------------------------------------- */

static sem_t event[2];
static bool in_vain;

static void event_wait_here(sem_t *e)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    while (sem_timedwait(e, &until) != 0) {
        if (errno == ETIMEDOUT) {
            in_vain = true;
            return;
        }
    }
}

/* One byte, waiting for it at e; then other is told, if it waits. */
static uint8_t move(struct pipe_ring *r, enum pipe_end end, uint8_t byte,
                    sem_t *e, sem_t *other)
{
    for (bool waits = false; !in_vain; waits = !waits) {
        uint32_t moved = end == PIPE_WRITING ? pipe_put(r, &byte, 1, 1)
                                             : pipe_take(r, &byte, 1);

        if (moved > 0) {
            if (pipe_waiters(r, end) != 0) {
                sem_post(other);
            }
            return byte;
        }
        if (waits) {
            event_wait_here(e);
        } else {
            pipe_wait(r, end, PIPE_WAITS_DIRECT);
        }
    }
    return 0;
}

/* That the two meet in all ways. */
static void spin(uint32_t *state)
{
    *state = *state * 1103515245 + 12345;
    for (volatile uint32_t i = *state >> 26; i > 0; i--) {
    }
}

static void *echo(void *unused)
{
    uint32_t state = 1;

    for (uint32_t i = 0; i < EXCHANGES && !in_vain; i++) {
        uint8_t byte = move(ring, PIPE_READING, 0, &event[0], &event[1]);

        spin(&state);
        move(back, PIPE_WRITING, byte, &event[0], &event[1]);
    }
    return unused;
}

static void domains_test(void)
{
    pthread_t thread;
    uint32_t state = 2, wrong = 0;

    ring = ring_make(0);
    back = ring_make(0);
    sem_init(&event[0], 0, 0);
    sem_init(&event[1], 0, 0);
    pthread_create(&thread, NULL, echo, NULL);
    for (uint32_t i = 0; i < EXCHANGES && !in_vain; i++) {
        move(ring, PIPE_WRITING, (uint8_t)i, &event[1], &event[0]);
        spin(&state);
        wrong +=
            move(back, PIPE_READING, 0, &event[1], &event[0]) != (uint8_t)i;
    }
    pthread_join(thread, NULL);
    CHECK(!in_vain, "nobody waits in vain");
    CHECK(wrong == 0, "all bytes arrive");
    free(ring);
    free(back);
}

int main(void)
{
    bytes_test();
    waits_test();
    domains_test();
    return tap_end();
}
