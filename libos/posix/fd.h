/* SPDX-License-Identifier: BSL-1.0
 *
 * File descriptors: small numbers for shared open-file descriptions. One lock
 * guards the table; it is never held while a request travels. References are
 * counted without it, and never from 0 on: what is free becomes used with the
 * lock only. Errors are positive errno values. Context: any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FD_MAX 64

struct piece;
struct service;

/* An open file: what dup, dup2 and inheritance share. */
struct description {
    uint32_t refs;  /* atomic; 0: free */
    uint32_t flags; /* O_x as given to open, without O_CLOEXEC */
    uint32_t type;  /* enum file_type; 0: not asked for yet */
    bool plain;     /* opened by path on the card: never waits */
    /* Of a pipe's end, for pipe.c: how often the service moved it; which of our
     * direct ends it is, 0: none; whether it must not become one now. */
    uint8_t served, direct;
    bool granting;
    uint64_t handle;         /* the service's number for it */
    uint32_t generation;     /* of the service, when it gave the handle */
    uint32_t size;           /* of a plain file, when it was opened; or less */
    struct service *service; /* NULL: /dev/null */
};

struct fd_entry {
    struct description *description; /* NULL: closed */
    bool close_on_exec;
};

/* A new description with one reference. ENFILE. */
int posix_description_create(struct service *service, uint64_t handle,
                             uint32_t flags, struct description **out);
/* One reference more to what the caller holds already. */
void posix_description_hold(struct description *d);
/* Give back a reference; the last one closes the file. Keeps errno. */
void posix_description_drop(struct description *d);
/* ESTALE: its service has died and forgotten the handle. */
int posix_description_check(const struct description *d);
/* posix_piece_take for requests about d's handle: if the service has died since
 * d was opened, posix_piece_call answers ESTALE. */
int posix_description_piece(const struct description *d, uint32_t bytes,
                            struct piece *out);
/* Its enum file_type, asked from the service once. */
int posix_description_type(struct description *d, uint32_t *type);

/* A reference to what fd stands for; drop it afterwards. EBADF. */
int posix_fd_hold(int fd, struct description **out);
/* The table; fd.c's to write. */
extern struct fd_entry posix_fd_table[FD_MAX];

/* The number of pipe.c's that it is at this moment; 0: none. */
static inline uint8_t posix_fd_direct(int fd)
{
    const struct description *d =
        fd >= 0 && fd < FD_MAX
            ? __atomic_load_n(&posix_fd_table[fd].description, __ATOMIC_ACQUIRE)
            : NULL;

    return d != NULL ? d->direct : 0;
}

/* Put d at the lowest free fd >= lowest, taking over the reference. EMFILE,
 * EINVAL: lowest is no file descriptor (the reference stays the caller's). */
int posix_fd_take(struct description *d, int lowest, bool close_on_exec,
                  int *fd);
/* Put d at exactly fd, closing what was there. EBADF: no file descriptor. */
int posix_fd_put(struct description *d, int fd, bool close_on_exec);
int posix_fd_close(int fd);
int posix_fd_close_on_exec(int fd, bool *out);
int posix_fd_set_close_on_exec(int fd, bool close_on_exec);

/* Copy the table, with a reference for each entry, into one that is empty; give
 * back those before `end`, which empties it if there are no others. */
void posix_fd_copy_take(struct fd_entry copy[FD_MAX]);
void posix_fd_copy_give(struct fd_entry *copy, int end);
