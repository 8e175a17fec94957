/* SPDX-License-Identifier: BSL-1.0 */
/*
 * posix_fake.c - see posix_fake.h.
 */
#include "tests/unit/posix_fake.h"

#include <errno.h>
#include <string.h>
#include <vesper/channel.h>
#include <vesper/memory.h>
#include <vesper/root_call.h>
#include <vesper/thread.h>

#include "libos/posix/fd.h"
#include "libos/posix/pipe.h"
#include "libos/posix/signal_state.h"
#include "libos/posix/spawn_request.h"
#include "libos/posix/standard.h"
#include "tests/unit/posix_card.h"

enum { DATA = 65536, STRETCH = 0x200000 };

struct channel {
    const char *service;
    bool dead;
    uint32_t epoch;
    uint8_t *data; /* another one after each dialling */
};

struct fake_trouble fake_trouble;
int fake_last_signal, fake_held;
bool fake_restarts;
char fake_console[256];
uint64_t fake_dials;
struct spawn_request fake_spawn;
uint8_t fake_spawn_bytes[0x200000];
size_t fake_spawn_used;
unsigned fake_spawns;
uint64_t fake_stamp, fake_kept;

static struct channel channels[2] = {{.service = "files"},
                                     {.service = "console"}};
static unsigned pieces, runs;

/* What attributes are to the libos and to this machine's libc differs. */
uint32_t posix_spawn_flags(const posix_spawnattr_t *attributes)
{
    return attributes != NULL ? SPAWN_NESTED : 0;
}

/* ---- signals, streams, threads ---- */

void posix_signal_hold(void)
{
    fake_held++;
}

void posix_signal_release(void)
{
    fake_held--;
}

bool posix_signal_restarts(void)
{
    return fake_restarts;
}

void posix_signal_cause(int number)
{
    fake_last_signal = number;
}

void posix_standard_flush(void)
{
}

/* ---- ends of pipes: none is ours ---- */

int posix_pipe_move(int fd, enum pipe_end end, struct pipe_move *m)
{
    (void)fd;
    (void)end;
    (void)m;
    return EALREADY;
}

void posix_pipe_served(struct description *d)
{
    (void)d;
}

void posix_pipe_leave(struct description *d)
{
    (void)d;
}

void posix_pipe_grant_begin(struct description *d)
{
    d->granting = true;
}

void posix_pipe_grant_end(struct description *d)
{
    if (!d->granting) {
        abort();
    }
    d->granting = false;
}

/* One thread: taking a lock twice is a deadlock, and found here. */
void mutex_lock(struct mutex *m)
{
    if (m->depth++ != 0) {
        abort();
    }
}

void mutex_unlock(struct mutex *m)
{
    if (m->depth-- != 1) {
        abort();
    }
}

uint64_t time_ns(void)
{
    return 0;
}

void thread_sleep_until(uint64_t until_ns)
{
    (void)until_ns;
}

void thread_cancel_begin(void)
{
}

void thread_cancel_end(bool interrupted)
{
    (void)interrupted;
}

int unimplemented(const char *name)
{
    (void)name;
    errno = ENOSYS;
    return -1;
}

void fake_reset(void)
{
    card_reset();
    memset(&fake_trouble, 0, sizeof(fake_trouble));
    fake_last_signal = 0;
    fake_restarts = false;
    fake_stamp = fake_kept = 0;
    fake_console[0] = '\0';
}

unsigned fake_pieces(void)
{
    return pieces;
}

unsigned fake_runs(void)
{
    return runs;
}

/* ---- channels ---- */

static void dial(struct channel *c)
{
    free(c->data);
    c->data = calloc(1, DATA);
    c->dead = false;
    c->epoch++;
    fake_dials++;
}

int channel_connect(const char *service, uint32_t data_bytes,
                    struct channel **out)
{
    (void)data_bytes;
    for (int i = 0; i < 2; i++) {
        if (strcmp(channels[i].service, service) == 0) {
            channels[i].epoch = 0;
            dial(&channels[i]);
            *out = &channels[i];
            return 0;
        }
    }
    return ENOENT;
}

int channel_reconnect(struct channel *c)
{
    if (fake_trouble.gone) {
        return ENOENT;
    }
    if (c->dead) {
        dial(c);
    }
    return 0;
}

/* Always the same part: the tests have one thread, and no piece inside another.
 */
uint32_t channel_data_take(struct channel *c, uint32_t bytes)
{
    (void)c;
    if (pieces++ != 0 || bytes == 0 || bytes > DATA / 2) {
        abort();
    }
    return DATA - bytes;
}

void channel_data_give(struct channel *c, uint32_t offset, uint32_t bytes)
{
    (void)c;
    (void)offset;
    (void)bytes;
    pieces--;
}

void *channel_data(struct channel *c, uint32_t offset)
{
    return c->data + offset;
}

uint32_t channel_data_bytes(const struct channel *c)
{
    (void)c;
    return DATA;
}

static int call_serve(struct channel_call *call)
{
    struct channel *c = call->channel;
    struct channel_completion *answer = &call->answer;

    if (fake_held == 0) {
        abort(); /* a signal handler could come in between */
    }
    if (fake_trouble.dead) {
        fake_trouble.dead = false;
        c->dead = true;
        card_restart();
    }
    if (c->dead || call->epoch != c->epoch) {
        return EPIPE;
    }
    if (fake_trouble.interrupts > 0) {
        fake_trouble.interrupts--;
        answer->error = EINTR;
        return EINTR;
    }
    memset(answer, 0, sizeof(*answer));
    answer->error =
        card_serve(strcmp(c->service, "console") == 0, &call->request,
                   c->data + call->request.data, answer->value);
    return answer->error;
}

int channel_call_any(struct channel_call *calls, uint32_t count,
                     uint64_t until_ns)
{
    (void)until_ns;
    for (uint32_t i = 0; i < count; i++) {
        calls[i].error = call_serve(&calls[i]);
    }
    return calls[0].error == EINTR ? EINTR : 0;
}

int channel_call_epoch(struct channel *c, uint32_t epoch,
                       struct channel_request *r,
                       struct channel_completion *answer)
{
    struct channel_call call = {.channel = c,
                                .epoch = epoch,
                                .request = *r,
                                .answer = *answer};

    channel_call_any(&call, 1, UINT64_MAX);
    *answer = call.answer;
    return call.error;
}

/* ---- memory and the root server ---- */

int memory_run_take_uncleared(size_t bytes, struct memory_run *out)
{
    if (bytes == 0 || bytes > MEMORY_RUN_MAX) {
        abort(); /* posix has to know */
    }
    *out = (struct memory_run){aligned_alloc(STRETCH, STRETCH), bytes, 77};
    memset(out->address, 0xa5, bytes);
    runs++;
    return 0;
}

void memory_run_give(struct memory_run *run)
{
    free(run->address);
    runs--;
}

int root_call(uint64_t w[8], uint64_t loan)
{
    if (w[0] != ROOT_SPAWN || loan != LOAN(w[1], RIGHT_READ)) {
        return ENOSYS;
    }
    if (w[1] % STRETCH + w[2] > STRETCH) {
        return EINVAL; /* not all of it was lent */
    }
    fake_spawn_used = w[2];
    memcpy(fake_spawn_bytes, (const void *)w[1], w[2]);
    memcpy(&fake_spawn, fake_spawn_bytes, sizeof(fake_spawn));
    fake_spawns++;
    if (fake_spawn.image_bytes == 0 && fake_spawn.key != 0 &&
        fake_spawn.key != fake_kept) {
        return ESTALE;
    }
    w[1] = 42;
    return fake_trouble.spawn_error;
}
