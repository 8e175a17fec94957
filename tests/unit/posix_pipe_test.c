/* SPDX-License-Identifier: BSL-1.0 */
/*
 * posix_pipe_test.c - libos/posix/pipe.c alone: the test is the file server,
 * the root server, and who has the other end, who acts just where it hurts:
 * between "I wait" and the last look, or while we wait.
 */
#include "tests/unit/tap.h"

#include <stdlib.h>

#include <vesper/pipe.h>

typedef void (*act)(struct pipe_ring *r);
static act at_wait, at_event; /* what the other one does then, once */

static void act_once(act *what, struct pipe_ring *r)
{
    act now = *what;

    *what = NULL;
    if (now != NULL) {
        now(r);
    }
}

static void watched_pipe_wait(struct pipe_ring *r, enum pipe_end end,
                              enum pipe_waits how)
{
    pipe_wait(r, end, how);
    act_once(&at_wait, r);
}

#define pipe_wait watched_pipe_wait
#include "libos/posix/pipe.c"
#undef pipe_wait

/* ---- what it stands on --------------------------------------------------- */

struct fd_entry posix_fd_table[FD_MAX];
static struct upcall_page page;
struct upcall_page *upcall_page = &page;
static struct description file;
static struct pipe_ring *ring;

static struct {
    int held, locks, events, signals, pumps, polls, given, leaves, asked;
    int refused; /* what the file server says to FILE_DIRECT */
    int open_error;
    uint64_t arrived;
    bool interrupts, restarts, in_vain;
    struct thread *holder; /* another thread in the lock */
} world;

void posix_signal_hold(void)
{
    world.held++;
}

void posix_signal_release(void)
{
    world.held--;
}

bool posix_signal_restarts(void)
{
    return world.held == 0 && world.restarts;
}

void posix_standard_flush(void)
{
}

void mutex_lock(struct mutex *m)
{
    if (m->owner != world.holder) {
        abort(); /* ours already */
    }
    world.holder = NULL; /* the other thread is done */
    world.locks++;
    m->owner = (struct thread *)&world;
}

void mutex_unlock(struct mutex *m)
{
    m->owner = NULL;
}

/* Where there is no upcall. */
void mutex_give(struct mutex *m)
{
    if (page.mask != MASK_ON) {
        abort();
    }
    m->owner = NULL;
}

void signals_hold(void)
{
    world.held++;
}

void signals_allow(void)
{
    world.held--;
}

enum abi_error sys_leave(void)
{
    return ERR_OK;
}

enum abi_error sys_event_signal(uint64_t event)
{
    world.signals += event == 33;
    return ERR_OK;
}

enum abi_error sys_cap_delete(uint64_t slot)
{
    world.given += slot == 33;
    return ERR_OK;
}

cptr_t slot_take(void)
{
    return 33;
}

void slot_give(cptr_t slot)
{
    world.given += slot == 33;
}

int event_take(void)
{
    return 20;
}

void event_give(int bit)
{
    world.given += bit == 20;
}

void event_arrived(uint64_t bits)
{
    world.arrived |= bits;
}

void event_post(int bit)
{
    world.arrived |= 1ull << bit;
}

/* The event of whoever has the other end, after what it did; or a signal. */
uint64_t event_await(uint64_t mask, uint64_t deadline, bool *interrupted)
{
    world.events++;
    world.in_vain |=
        at_event == NULL || deadline != DEADLINE_NONE || page.mask != MASK_OFF;
    act_once(&at_event, ring);
    *interrupted = world.interrupts || world.in_vain;
    return *interrupted ? 0 : mask;
}

int posix_description_check(const struct description *d)
{
    return d->generation == 1 ? 0 : ESTALE;
}

int posix_fd_hold(int fd, struct description **out)
{
    *out = posix_fd_table[fd].description;
    return *out != NULL ? 0 : EBADF;
}

void posix_description_drop(struct description *d)
{
    (void)d;
}

int posix_description_piece(const struct description *d, uint32_t bytes,
                            struct piece *out)
{
    static uint64_t data[8];

    (void)d, (void)bytes;
    out->data = data;
    return 0;
}

void posix_piece_give(struct piece *p)
{
    (void)p;
}

int posix_piece_call(struct piece *p, struct channel_request *r, uint32_t bytes,
                     struct channel_completion *answer)
{
    (void)p, (void)bytes, (void)answer;
    world.polls += r->op == FILE_POLL && r->arg[0] == 1;
    world.in_vain |= at_event == NULL;
    act_once(&at_event, ring);
    return world.interrupts || world.in_vain ? EINTR : 0;
}

int posix_service_call_of(struct service *s, uint32_t *generation,
                          struct channel_request *r,
                          struct channel_completion *answer)
{
    (void)s, (void)generation;
    if (r->op == FILE_PUMP) {
        world.pumps++;
        return 0;
    }
    world.asked += r->arg[0] == 1;
    world.leaves += r->arg[0] == 0;
    answer->value[0] = 99;
    answer->value[1] = (file.flags & O_ACCMODE) == O_WRONLY;
    return r->arg[0] == 1 ? world.refused : 0;
}

int root_call(uint64_t w[8], uint64_t loan)
{
    (void)loan;
    if (w[0] == ROOT_LINK_LEAVE) {
        world.leaves += 100;
        return 0;
    }
    if (w[0] != ROOT_LINK_OPEN || w[1] != 99 || w[3] != 33 || w[4] != 20) {
        abort();
    }
    w[1] = (uint64_t)(uintptr_t)ring;
    w[2] = PIPE_PAGES * PAGE_BYTES;
    return world.open_error;
}

/* ---- a pipe -------------------------------------------------------------- */

/* File descriptor 5 is that end; the other one is moved by another domain. */
static void file_start(enum pipe_end end)
{
    memset(&world, 0, sizeof world);
    memset(ends, 0, sizeof ends);
    memset(ring, 0, PIPE_PAGES * PAGE_BYTES);
    ring->magic = CHANNEL_MAGIC;
    ring->direct = PIPE_BIT(0) | PIPE_BIT(1);
    file = (struct description){.refs = 1,
                                .type = FILE_PIPE_END,
                                .handle = 7,
                                .generation = 1,
                                .flags =
                                    end == PIPE_WRITING ? O_WRONLY : O_RDONLY};
    posix_fd_table[5].description = &file;
    at_wait = at_event = NULL;
}

static void served(int times)
{
    for (int i = 0; i < times; i++) {
        posix_pipe_served(&file);
    }
}

static void end_start(enum pipe_end end)
{
    file_start(end);
    served(SERVED_MIN);
}

static char bytes[2 * PIPE_BYTES], got[2 * PIPE_BYTES];

static int move_some(enum pipe_end end, size_t n, size_t *done)
{
    struct pipe_move m = {end == PIPE_WRITING ? bytes : got, n, 0};
    int error = posix_pipe_move(5, end, &m);

    *done = m.done;
    return error;
}

static void other_puts(struct pipe_ring *r)
{
    pipe_put(r, "xyz", 3, 3);
}

static void other_takes(struct pipe_ring *r)
{
    static char all[PIPE_BYTES];

    pipe_take(r, all, sizeof all);
}

static void other_closes(struct pipe_ring *r)
{
    r->gone = PIPE_BIT(0) | PIPE_BIT(1);
}

static void nothing(struct pipe_ring *r)
{
    (void)r;
}

/* Another thread of ours. */
static void we_leave(struct pipe_ring *r)
{
    (void)r;
    posix_pipe_leave(&file);
}

/* -------------------------------------------------------------------------- */

static void having_test(void)
{
    size_t done;

    file_start(PIPE_READING);
    world.refused = EBUSY;
    served(3);
    CHECK(world.asked == 0, "the server moves an end three times");
    served(1);
    CHECK(world.asked == 1 && file.direct == 0 && world.given == 3,
          "then it is asked for; refused, nothing is kept");
    served(3);
    CHECK(world.asked == 1, "not at once again");
    served(1);
    CHECK(world.asked == 2, "after eight");
    served(256 - 8);
    CHECK(world.asked == 6 + 2, "16, 32, 64, 128, and then every 64");
    CHECK(move_some(PIPE_READING, 1, &done) == EALREADY,
          "the server's to move");
    file_start(PIPE_READING);
    world.open_error = EACCES;
    served(4);
    CHECK(file.direct == 0 && world.leaves == 1 && world.given == 3,
          "the root server refuses: the file server is told");
    end_start(PIPE_READING);
    CHECK(file.direct != 0 && world.given == 0, "had");
    CHECK(move_some(PIPE_WRITING, 1, &done) == EALREADY, "the wrong direction");
    posix_pipe_grant_begin(&file);
    CHECK(file.direct == 0 && world.leaves == 1 && world.given == 3,
          "given up to be granted");
    served(60);
    CHECK(file.direct == 0, "and not asked for while it is");
    posix_pipe_grant_end(&file);
    served(64);
    CHECK(file.direct != 0, "but later");
    file.generation = 0;
    posix_pipe_leave(&file);
    CHECK(world.leaves == 101, "the server is gone: the root server takes it");
    CHECK(world.held == 0, "signals were held in pairs");
}

static void reading_test(void)
{
    size_t done;

    end_start(PIPE_READING);
    other_puts(ring);
    ring->waits[1] = PIPE_WAITS_DIRECT | PIPE_WAITS_SERVER;
    CHECK(move_some(PIPE_READING, 2, &done) == 0 && done == 2 &&
              memcmp(got, "xy", 2) == 0 && world.locks == 1,
          "what is there, without the lock");
    CHECK(world.signals == 1 && world.pumps == 1, "who waited is told");
    CHECK(move_some(PIPE_READING, 5000, &done) == 0 && done == 1 &&
              world.signals == 1 && world.pumps == 1,
          "less than asked for; nobody waited");
    at_wait = other_puts;
    CHECK(move_some(PIPE_READING, 10, &done) == 0 && done == 3 &&
              world.events == 0,
          "what comes between \"I wait\" and the last look is seen");
    at_wait = other_puts;
    CHECK(move_some(PIPE_READING, 1000, &done) == 0 && done == 3 &&
              world.events == 0,
          "also if many may come");
    at_event = other_puts;
    CHECK(move_some(PIPE_READING, 10, &done) == 0 && done == 3 &&
              world.events == 1 && !world.in_vain && ends[0].waiters == 0,
          "an event, and the bytes");
    at_event = nothing;
    ring->direct = PIPE_BIT(0);
    world.interrupts = true;
    CHECK(move_some(PIPE_READING, 10, &done) == EINTR && world.polls == 1 &&
              world.events == 1,
          "the server moves the other end: it is asked to say when");
    other_closes(ring);
    CHECK(move_some(PIPE_READING, 10, &done) == 0 && done == 0, "the end");
    ring->magic = 0;
    CHECK(move_some(PIPE_READING, 10, &done) == EALREADY, "no server: ask it");
    ring->magic = CHANNEL_MAGIC;
    ring->head = ring->tail + 1;
    CHECK(move_some(PIPE_READING, 10, &done) == EIO, "nonsense");
    CHECK(move_some(PIPE_READING, 100, &done) == EIO && done == 0,
          "nonsense to who reads much");
    CHECK(world.held == 0 && page.mask == MASK_OFF, "all is let go");
}

static void interrupted_test(void)
{
    size_t done;

    end_start(PIPE_READING);
    at_event = nothing;
    world.interrupts = true;
    CHECK(move_some(PIPE_READING, 10, &done) == EINTR && ends[0].waiters == 0,
          "a signal");
    at_event = we_leave;
    world.interrupts = false;
    CHECK(move_some(PIPE_READING, 10, &done) == EALREADY && world.given == 3,
          "left by another thread: it goes when we do, and the server serves");
    end_start(PIPE_READING);
    ends[0].waiters = 1;
    other_puts(ring);
    CHECK(move_some(PIPE_READING, 1, &done) == 0 && world.arrived == 1ull << 20,
          "another thread waits, too: it may look now");
    ends[0].waiters = 0;
    ends_lock.owner = world.holder = (struct thread *)&done;
    world.locks = 0;
    CHECK(move_some(PIPE_READING, 1, &done) == 0 && world.locks == 1,
          "another thread has the lock: it is waited for");
}

/* Many bytes at once, as they go if all is well: who waits is told, what went
 * before counts, and a server that is gone is found out. */
static void many_test(void)
{
    struct pipe_move m = {bytes, 100, 7};
    size_t done;

    end_start(PIPE_WRITING);
    ring->waits[0] = PIPE_WAITS_DIRECT | PIPE_WAITS_SERVER;
    CHECK(posix_pipe_move(5, PIPE_WRITING, &m) == 0 && m.done == 107 &&
              pipe_used(ring) == 100,
          "what went before counts");
    CHECK(world.signals == 1 && world.pumps == 1, "who waits is told");
    ring->magic = 0;
    CHECK(move_some(PIPE_WRITING, 100, &done) == EALREADY && done == 0 &&
              pipe_used(ring) == 100,
          "nothing goes when the server is gone");
    ring->magic = CHANNEL_MAGIC;
}

static void writing_test(void)
{
    size_t done;

    end_start(PIPE_WRITING);
    CHECK(move_some(PIPE_WRITING, 64, &done) == 0 && done == 64 &&
              world.locks == 1 && pipe_used(ring) == 64,
          "a few bytes, without the lock");
    CHECK(move_some(PIPE_WRITING, PIPE_BYTES - 164, &done) == 0 &&
              pipe_used(ring) == PIPE_BYTES - 100 && world.locks == 2,
          "many");
    at_event = nothing;
    world.interrupts = true;
    CHECK(move_some(PIPE_WRITING, FILE_ROOM, &done) == EINTR && done == 0 &&
              pipe_used(ring) == PIPE_BYTES - 100,
          "up to FILE_ROOM bytes go as one");
    at_event = nothing;
    CHECK(move_some(PIPE_WRITING, FILE_ROOM + 1, &done) == EINTR &&
              done == 100 && pipe_used(ring) == PIPE_BYTES,
          "more as there is room; what went counts");
    world.interrupts = false;
    at_event = other_takes;
    CHECK(move_some(PIPE_WRITING, PIPE_BYTES, &done) == 0 &&
              done == PIPE_BYTES && !world.in_vain,
          "on when there is room");
    at_wait = other_takes;
    CHECK(move_some(PIPE_WRITING, 10, &done) == 0 && done == 10 &&
              world.events == 3,
          "also if it comes between \"I wait\" and the last look");
    at_event = other_closes;
    CHECK(move_some(PIPE_WRITING, 2 * PIPE_BYTES, &done) == EPIPE &&
              done == PIPE_BYTES - 10,
          "until nobody reads");
    other_takes(ring);
    CHECK(move_some(PIPE_WRITING, 1, &done) == EPIPE && done == 0,
          "also if there is room");
    CHECK(move_some(PIPE_WRITING, 100, &done) == EPIPE && done == 0,
          "or many are to go");
    many_test();
    CHECK(world.held == 0 && page.mask == MASK_OFF, "all is let go");
}

int main(void)
{
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (char)i;
    }
    ring = aligned_alloc(PAGE_BYTES, PIPE_PAGES * PAGE_BYTES);
    having_test();
    reading_test();
    interrupted_test();
    writing_test();
    free(ring);
    return tap_end();
}
