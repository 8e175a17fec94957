/* SPDX-License-Identifier: BSL-1.0
 *
 * See service.h. A service is never disconnected: struct channel lives as long
 * as the domain, also when its server is another one.
 */
#include "service.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <vesper/start.h>
#include <vesper/thread.h>

#include "signal_state.h"

#define FILES_DATA_BYTES 65536u
#define OTHER_DATA_BYTES 40960u /* with the rings: 64 KiB less the tables */
#define SERVICE_DATA_MIN 16384u /* half of it is the least */
#define RETURN_TRIES     50     /* how long a server may take to come back */
#define RETURN_STEP_NS   UINT64_C(20000000)

struct service {
    char name[START_SERVICE_BYTES];
    struct mutex connecting; /* held while channel is made, or made anew */
    struct channel *channel; /* NULL: not connected yet; set once */
    uint32_t generation;     /* atomic; how often the server came back */
};

static struct service services[SERVICE_MAX];
static struct mutex services_lock; /* guards the names */

static struct service *find_locked(const char *name)
{
    for (size_t i = 0; i < SERVICE_MAX; i++) {
        struct service *s = &services[i];

        if (s->name[0] == '\0') {
            strcpy(s->name, name);
        }
        if (strcmp(s->name, name) == 0) {
            return s;
        }
    }
    return NULL;
}

struct service *posix_service_find(const char *name)
{
    struct service *s;

    if (name[0] == '\0' || strlen(name) >= START_SERVICE_BYTES) {
        return NULL;
    }
    posix_signal_hold();
    mutex_lock(&services_lock);
    s = find_locked(name);
    mutex_unlock(&services_lock);
    posix_signal_release();
    return s;
}

const char *posix_service_name(const struct service *s)
{
    return s->name;
}

uint32_t posix_service_generation(const struct service *s)
{
    return __atomic_load_n(&s->generation, __ATOMIC_ACQUIRE);
}

bool posix_service_again(int error, unsigned *tries)
{
    return error == ESTALE && (*tries)++ == 0;
}

static int channel_make(struct service *s, struct channel **out)
{
    uint32_t bytes =
        strcmp(s->name, "files") == 0 ? FILES_DATA_BYTES : OTHER_DATA_BYTES;
    int error = channel_connect(s->name, bytes, out);

    if (error == 0 && channel_data_bytes(*out) < SERVICE_DATA_MIN) {
        error = ENOMEM;
    }
    return error;
}

/* The lock is held across the connecting, so that two threads do not make two
 * channels; afterwards nobody takes it. Partner of the acquire: the release. */
static int service_channel(struct service *s, struct channel **out)
{
    int error = 0;
    struct channel *c = __atomic_load_n(&s->channel, __ATOMIC_ACQUIRE);

    if (c == NULL) {
        mutex_lock(&s->connecting);
        c = s->channel;
        if (c == NULL) {
            error = channel_make(s, &c);
            if (error == 0) {
                __atomic_store_n(&s->channel, c, __ATOMIC_RELEASE);
            }
        }
        mutex_unlock(&s->connecting);
    }
    *out = c;
    return error;
}

/* Wait for the server to be started again. `seen` is the generation of the
 * request that failed: another thread may have been here since. */
static int service_return(struct service *s, uint32_t seen)
{
    int error = EIO;

    mutex_lock(&s->connecting);
    for (unsigned i = 0; i < RETURN_TRIES; i++) {
        if (s->generation != seen) {
            error = ESTALE;
            break;
        }
        if (channel_reconnect(s->channel) == 0) {
            /* release: pairs with acquire in posix_service_generation. */
            __atomic_store_n(&s->generation, seen + 1, __ATOMIC_RELEASE);
            error = ESTALE;
            break;
        }
        thread_sleep_until(time_ns() + RETURN_STEP_NS);
    }
    mutex_unlock(&s->connecting);
    return error;
}

/* The channel's first epoch is 1, our first generation is 0. */
static uint32_t epoch_of(uint32_t generation)
{
    return generation + 1;
}

/* EPIPE without an answer is the channel's: nobody is there. With one it is the
 * service's, about a pipe. */
static int service_answer(struct service *s, uint32_t seen, int error,
                          const struct channel_completion *answer)
{
    return error == EPIPE && answer->error != EPIPE ? service_return(s, seen)
                                                    : error;
}

static int service_send(struct service *s, uint32_t seen,
                        struct channel_request *r,
                        struct channel_completion *answer)
{
    int error;

    answer->error = 0;
    error = channel_call_epoch(s->channel, epoch_of(seen), r, answer);
    return service_answer(s, seen, error, answer);
}

int posix_service_call_of(struct service *s, uint32_t *generation,
                          struct channel_request *r,
                          struct channel_completion *answer)
{
    struct channel *c;
    unsigned tries = 0;
    int error;

    posix_signal_hold();
    error = service_channel(s, &c);
    if (error == 0) {
        r->data = 0;
        r->bytes = 0;
        do {
            if (r->handle == 0) {
                *generation = posix_service_generation(s);
            }
            error = service_send(s, *generation, r, answer);
        } while (r->handle == 0 && posix_service_again(error, &tries));
    }
    posix_signal_release();
    return error;
}

int posix_service_call(struct service *s, struct channel_request *r,
                       struct channel_completion *answer)
{
    uint32_t generation = posix_service_generation(s);

    return posix_service_call_of(s, &generation, r, answer);
}

int posix_piece_take(struct service *s, uint32_t bytes, struct piece *out)
{
    struct channel *c;
    uint32_t half;
    int error;

    posix_signal_hold();
    error = service_channel(s, &c);
    if (error != 0) {
        posix_signal_release();
        return error;
    }
    half = channel_data_bytes(c) / 2;
    out->service = s;
    out->channel = c;
    out->generation = posix_service_generation(s);
    out->bytes = bytes < half ? bytes : half;
    out->offset = channel_data_take(c, out->bytes);
    out->data = channel_data(c, out->offset);
    return 0;
}

int posix_piece_call(struct piece *p, struct channel_request *r, uint32_t bytes,
                     struct channel_completion *answer)
{
    int error;

    r->data = p->offset;
    r->bytes = bytes < p->bytes ? bytes : p->bytes;
    error = service_send(p->service, p->generation, r, answer);
    if (error == ESTALE) {
        p->generation = posix_service_generation(p->service);
        p->data = channel_data(p->channel, p->offset);
    }
    return error;
}

int posix_pieces_call_any(struct piece_call *calls, uint32_t count,
                          uint64_t until_ns)
{
    struct channel_call under_way[SERVICE_MAX];
    int error;

    for (uint32_t i = 0; i < count; i++) {
        const struct piece *p = calls[i].piece;

        calls[i].request.data = p->offset;
        calls[i].request.bytes = p->bytes;
        under_way[i] = (struct channel_call){.channel = p->channel,
                                             .epoch = epoch_of(p->generation),
                                             .request = calls[i].request};
    }
    error = channel_call_any(under_way, count, until_ns);
    for (uint32_t i = 0; i < count; i++) {
        const struct piece *p = calls[i].piece;

        calls[i].error =
            service_answer(p->service, p->generation, under_way[i].error,
                           &under_way[i].answer);
    }
    return error;
}

void posix_piece_give(struct piece *p)
{
    channel_data_give(p->channel, p->offset, p->bytes);
    posix_signal_release();
}
