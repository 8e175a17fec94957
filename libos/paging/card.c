/* SPDX-License-Identifier: BSL-1.0
 *
 * Stores on the card. The pager has a channel of its own to the file server: on
 * that of POSIX it could wait for a thread that holds a part of it and waits
 * for the pager. With the paging lock.
 */
#include "paging.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include <vesper/channel.h>
#include <vesper/file.h>

#define DATA_BYTES (PAGING_ROW * PAGE_BYTES)

struct card_store {
    struct paging_store store;
    uint64_t handle;
    uint64_t offset; /* in the file */
    uint32_t epoch;  /* of the server that knows the handle */
};

static struct channel *card;

static int card_connect(void)
{
    if (card != NULL) {
        return channel_reconnect(card);
    }
    struct channel *c;
    int error = channel_connect_pager("files", DATA_BYTES, &c);
    if (error == 0 && channel_data_bytes(c) < DATA_BYTES) {
        error = ENOMEM;
    }
    if (error == 0) {
        card = c;
    }
    return error;
}

/* All requests use the data area from its start; the lock keeps them apart. */
static int card_call(const struct card_store *c, struct channel_request *r,
                     struct channel_completion *answer)
{
    r->handle = c->handle;
    return channel_call_epoch(card, c->epoch, r, answer);
}

static int card_read(struct paging_store *s, uint32_t place, void *to,
                     size_t bytes, size_t *got)
{
    struct card_store *c = (struct card_store *)s;
    struct channel_completion answer;
    struct channel_request r = {.op = FILE_READ, .bytes = (uint32_t)bytes};
    r.arg[0] = c->offset + (uint64_t)place * PAGE_BYTES;
    int error = card_call(c, &r, &answer);
    if (error == 0 && answer.value[0] > bytes) {
        error = EIO;
    }
    if (error == 0) {
        *got = (size_t)answer.value[0];
        memcpy(to, channel_data(card, 0), *got);
    }
    return error != 0 ? EIO : 0;
}

/* A file does not grow by its last page. */
static int card_room(const struct card_store *c, uint64_t at, size_t *bytes)
{
    struct channel_completion answer;
    struct channel_request r = {.op = FILE_FSTAT,
                                .bytes = sizeof(struct file_stat)};
    if (c->store.scratch) {
        return 0;
    }
    int error = card_call(c, &r, &answer);
    if (error == 0) {
        struct file_stat stat;
        memcpy(&stat, channel_data(card, 0), sizeof(stat));
        uint64_t left = stat.size > at ? stat.size - at : 0;
        *bytes = left < *bytes ? (size_t)left : *bytes;
    }
    return error;
}

static int card_write(struct paging_store *s, uint32_t place, const void *from,
                      size_t bytes)
{
    struct card_store *c = (struct card_store *)s;
    struct channel_completion answer;
    uint64_t at = c->offset + (uint64_t)place * PAGE_BYTES;
    int error = card_room(c, at, &bytes);
    if (error != 0 || bytes == 0) {
        return error;
    }
    struct channel_request r = {.op = FILE_WRITE, .bytes = (uint32_t)bytes};
    r.arg[0] = at;
    memcpy(channel_data(card, 0), from, bytes);
    error = card_call(c, &r, &answer);
    return error == 0 && answer.value[0] == bytes ? 0 : EIO;
}

static int card_sync(struct paging_store *s)
{
    struct card_store *c = (struct card_store *)s;
    struct channel_completion answer;
    struct channel_request r = {.op = FILE_SYNC};
    return card_call(c, &r, &answer) == 0 ? 0 : EIO;
}

static void card_close(struct paging_store *s)
{
    struct card_store *c = (struct card_store *)s;
    struct channel_completion answer;
    struct channel_request r = {.op = FILE_CLOSE};
    (void)card_call(c, &r, &answer);
    free(c);
}

static struct card_store *card_new(void)
{
    struct card_store *c = calloc(1, sizeof(*c));
    if (c != NULL) {
        c->store.read = card_read;
        c->store.write = card_write;
        c->store.sync = card_sync;
        c->store.close = card_close;
    }
    return c;
}

static int scratch_open(struct card_store *c, const char *path)
{
    struct channel_completion answer;
    struct channel_request r = {.op = FILE_OPEN,
                                .bytes = (uint32_t)strlen(path)};
    r.arg[0] = O_RDWR | O_CREAT | O_TRUNC | FILE_SCRATCH;
    int error = r.bytes <= DATA_BYTES ? card_connect() : ENAMETOOLONG;
    if (error != 0) {
        return error;
    }
    c->epoch = channel_epoch(card);
    memcpy(channel_data(card, 0), path, r.bytes);
    error = card_call(c, &r, &answer);
    c->handle = answer.value[0];
    return error;
}

int card_scratch(const char *path, struct paging_store **out)
{
    struct card_store *c = card_new();
    if (c == NULL) {
        return ENOMEM;
    }
    c->store.scratch = true;
    mutex_lock(&paging_lock);
    int error = scratch_open(c, path);
    mutex_unlock(&paging_lock);
    if (error != 0) {
        free(c);
        return error;
    }
    *out = &c->store;
    return 0;
}

int card_open_file(uint64_t granted, uint64_t offset, bool shared,
                   struct paging_store **out)
{
    struct card_store *c = card_new();
    if (c == NULL) {
        return ENOMEM;
    }
    c->handle = granted;
    c->offset = offset;
    if (!shared) {
        c->store.write = NULL;
    }
    mutex_lock(&paging_lock);
    int error = card_connect();
    if (error == 0) {
        struct channel_completion answer;
        struct channel_request r = {.op = FILE_FSTAT,
                                    .bytes = sizeof(struct file_stat)};
        c->epoch = channel_epoch(card);
        error = card_call(c, &r, &answer); /* takes the grant */
    }
    mutex_unlock(&paging_lock);
    if (error != 0) {
        free(c);
        return error;
    }
    *out = &c->store;
    return 0;
}
