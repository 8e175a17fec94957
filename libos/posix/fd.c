/* SPDX-License-Identifier: BSL-1.0
 *
 * See fd.h. Descriptions come from a fixed pool, twice the table's size,
 * because posix_spawn's file actions open files in a copy of the table.
 */
#include "fd.h"

#include <errno.h>
#include <stddef.h>
#include <vesper/file.h>
#include <vesper/thread.h>

#include "pipe.h"
#include "service.h"
#include "signal_state.h"

#define DESCRIPTION_MAX (2 * FD_MAX)

static struct mutex table_lock; /* guards both arrays */
static struct description descriptions[DESCRIPTION_MAX];
struct fd_entry posix_fd_table[FD_MAX];
static int table_end; /* from here on, none was in use yet */

static void table_enter(void)
{
    posix_signal_hold();
    mutex_lock(&table_lock);
}

static void table_leave(void)
{
    mutex_unlock(&table_lock);
    posix_signal_release();
}

static void table_set(int fd, struct fd_entry entry)
{
    posix_fd_table[fd] = entry;
    if (fd >= table_end) {
        table_end = fd + 1;
    }
}

static bool fd_is_valid(int fd)
{
    return fd >= 0 && fd < FD_MAX;
}

static struct description *description_free(void)
{
    for (size_t i = 0; i < DESCRIPTION_MAX; i++) {
        /* acquire: pairs with release in posix_description_drop. */
        if (__atomic_load_n(&descriptions[i].refs, __ATOMIC_ACQUIRE) == 0) {
            return &descriptions[i];
        }
    }
    return NULL;
}

int posix_description_create(struct service *service, uint64_t handle,
                             uint32_t flags, struct description **out)
{
    struct description *d;

    table_enter();
    d = description_free();
    if (d != NULL) {
        *d = (struct description){.flags = flags,
                                  .handle = handle,
                                  .service = service};
        if (service != NULL) {
            d->generation = posix_service_generation(service);
        }
        /* release: pairs with acquire in description_revive. */
        __atomic_store_n(&d->refs, 1, __ATOMIC_RELEASE);
        *out = d;
    }
    table_leave();
    return d != NULL ? 0 : ENFILE;
}

int posix_description_check(const struct description *d)
{
    if (d->service == NULL || d->handle == 0 ||
        d->generation == posix_service_generation(d->service)) {
        return 0;
    }
    return ESTALE;
}

/* Handle 0 is a service's default and is nobody's to close. */
static void description_close(struct description *d)
{
    struct channel_request r = posix_request(FILE_CLOSE, d->handle);
    struct channel_completion answer;
    int saved = errno;

    if (d->type == FILE_PIPE_END) {
        posix_pipe_leave(d);
    }
    if (d->service != NULL && d->handle != 0 &&
        posix_description_check(d) == 0) {
        uint32_t generation = d->generation;

        posix_service_call_of(d->service, &generation, &r, &answer);
    }
    errno = saved;
}

void posix_description_hold(struct description *d)
{
    __atomic_fetch_add(&d->refs, 1, __ATOMIC_RELAXED);
}

void posix_description_drop(struct description *d)
{
    struct description copy = *d;

    /* release: pairs with acquire in description_free. d may be another file's
     * from now on. */
    if (__atomic_fetch_sub(&d->refs, 1, __ATOMIC_RELEASE) == 1) {
        description_close(&copy);
    }
}

int posix_description_piece(const struct description *d, uint32_t bytes,
                            struct piece *out)
{
    int error = posix_piece_take(d->service, bytes, out);

    if (error == 0 && d->handle != 0) {
        out->generation = d->generation;
    }
    return error;
}

int posix_description_type(struct description *d, uint32_t *type)
{
    struct channel_request r = posix_request(FILE_FSTAT, d->handle);
    struct channel_completion answer;
    struct piece p;
    int error;

    if (d->service == NULL || d->type != 0) {
        *type = d->service == NULL ? 0 : d->type;
        return 0;
    }
    error = posix_description_check(d);
    if (error != 0) {
        return error;
    }
    error = posix_description_piece(d, sizeof(struct file_stat), &p);
    if (error != 0) {
        return error;
    }
    error = posix_piece_call(&p, &r, sizeof(struct file_stat), &answer);
    if (error == 0) {
        d->type = ((const volatile struct file_stat *)p.data)->type;
        *type = d->type;
    }
    posix_piece_give(&p);
    return error;
}

static struct description *fd_description(int fd)
{
    return __atomic_load_n(&posix_fd_table[fd].description, __ATOMIC_ACQUIRE);
}

/* A reference to what fd stood for, if that has any left and fd still stands
 * for it: meanwhile it may have been closed, and be another file's. */
static bool description_revive(struct description *d, int fd)
{
    uint32_t refs = __atomic_load_n(&d->refs, __ATOMIC_RELAXED);

    do {
        if (refs == 0) {
            return false;
        }
    } while (!__atomic_compare_exchange_n(&d->refs, &refs, refs + 1, true,
                                          __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
    if (fd_description(fd) != d) {
        posix_description_drop(d);
        return false;
    }
    return true;
}

int posix_fd_hold(int fd, struct description **out)
{
    struct description *d;

    if (!fd_is_valid(fd)) {
        return EBADF;
    }
    do {
        d = fd_description(fd);
        if (d == NULL) {
            return EBADF;
        }
    } while (!description_revive(d, fd));
    *out = d;
    return 0;
}

int posix_fd_take(struct description *d, int lowest, bool close_on_exec,
                  int *fd)
{
    int at = lowest;

    if (!fd_is_valid(lowest)) {
        return EINVAL;
    }
    table_enter();
    while (at < FD_MAX && posix_fd_table[at].description != NULL) {
        at++;
    }
    if (at < FD_MAX) {
        table_set(at, (struct fd_entry){d, close_on_exec});
        *fd = at;
    }
    table_leave();
    return at < FD_MAX ? 0 : EMFILE;
}

int posix_fd_put(struct description *d, int fd, bool close_on_exec)
{
    struct description *old;

    if (!fd_is_valid(fd)) {
        return EBADF;
    }
    table_enter();
    old = posix_fd_table[fd].description;
    table_set(fd, (struct fd_entry){d, close_on_exec});
    table_leave();
    if (old != NULL) {
        posix_description_drop(old);
    }
    return 0;
}

int posix_fd_close(int fd)
{
    struct description *d = NULL;

    if (fd_is_valid(fd)) {
        table_enter();
        d = posix_fd_table[fd].description;
        posix_fd_table[fd].description = NULL;
        table_leave();
    }
    if (d == NULL) {
        return EBADF;
    }
    posix_description_drop(d);
    return 0;
}

int posix_fd_close_on_exec(int fd, bool *out)
{
    bool open = false;

    if (fd_is_valid(fd)) {
        table_enter();
        open = posix_fd_table[fd].description != NULL;
        *out = posix_fd_table[fd].close_on_exec;
        table_leave();
    }
    return open ? 0 : EBADF;
}

int posix_fd_set_close_on_exec(int fd, bool close_on_exec)
{
    bool open = false;

    if (fd_is_valid(fd)) {
        table_enter();
        open = posix_fd_table[fd].description != NULL;
        posix_fd_table[fd].close_on_exec = close_on_exec;
        table_leave();
    }
    return open ? 0 : EBADF;
}

void posix_fd_copy_take(struct fd_entry copy[FD_MAX])
{
    table_enter();
    for (int i = 0; i < table_end; i++) {
        copy[i] = posix_fd_table[i];
        if (copy[i].description != NULL) {
            posix_description_hold(copy[i].description);
        }
    }
    table_leave();
}

void posix_fd_copy_give(struct fd_entry *copy, int end)
{
    for (int i = 0; i < end; i++) {
        if (copy[i].description != NULL) {
            posix_description_drop(copy[i].description);
            copy[i].description = NULL;
        }
    }
}
