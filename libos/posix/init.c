/* SPDX-License-Identifier: BSL-1.0
 *
 * posix_init: called by core on the main thread, before constructors and main.
 * Makes the file descriptors, the current directory and the streams from what
 * the parent handed down (struct start_info).
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <vesper/file.h>
#include <vesper/posix.h>
#include <vesper/start.h>

#include "error_text.h"
#include "fd.h"
#include "place.h"
#include "service.h"
#include "signal_state.h"
#include "standard.h"

#define CONSOLE_SERVICE "console"
#define NULL_SERVICE    "null"

static struct start_fd *start_fd(uint32_t i)
{
    return &start_self->fd[i];
}

static bool is_same(const struct start_fd *a, const struct start_fd *b)
{
    return a->handle == b->handle && a->flags == b->flags &&
           strncmp(a->service, b->service, sizeof(a->service)) == 0;
}

/* File descriptors that the parent had by dup stay one open file. */
static int share(uint32_t i)
{
    for (uint32_t j = 0; j < i; j++) {
        struct description *d;

        if (is_same(start_fd(i), start_fd(j)) &&
            posix_fd_hold(start_fd(j)->fd, &d) == 0) {
            return posix_fd_put(d, start_fd(i)->fd, false);
        }
    }
    return ENOENT;
}

static void inherit(uint32_t i)
{
    struct start_fd *from = start_fd(i);
    struct service *service = NULL;
    struct description *d;

    from->service[sizeof(from->service) - 1] = '\0';
    if (strcmp(from->service, NULL_SERVICE) != 0) {
        service = posix_service_find(from->service);
        if (service == NULL) {
            return;
        }
    }
    if (posix_description_create(service, from->handle, from->flags, &d) != 0) {
        return;
    }
    if (strcmp(from->service, CONSOLE_SERVICE) == 0) {
        d->type = FILE_TTY;
    }
    if (posix_fd_put(d, from->fd, false) != 0) {
        posix_description_drop(d);
    }
}

static bool output_is_console(void)
{
    for (uint32_t i = 0; i < start_self->fd_count; i++) {
        if (start_fd(i)->fd == 1) {
            return strcmp(start_fd(i)->service, CONSOLE_SERVICE) == 0;
        }
    }
    return false;
}

void posix_init(void)
{
    posix_error_text_keep();
    posix_signal_start();
    if (start_self->cwd[0] == '/') {
        start_self->cwd[sizeof(start_self->cwd) - 1] = '\0';
        posix_cwd_set(start_self->cwd);
    }
    if (start_self->fd_count > START_FDS) {
        start_self->fd_count = START_FDS;
    }
    for (uint32_t i = 0; i < start_self->fd_count; i++) {
        if (share(i) != 0) {
            inherit(i);
        }
    }
    posix_standard_start(output_is_console());
}
