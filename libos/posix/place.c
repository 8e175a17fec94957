/* SPDX-License-Identifier: BSL-1.0
 *
 * See place.h.
 */
#include "place.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <vesper/thread.h>

#include "service.h"
#include "signal_state.h"

static struct mutex cwd_lock;
static char cwd[PATH_BYTES] = "/"; /* guarded by cwd_lock */

void posix_cwd_copy(char *out)
{
    posix_signal_hold();
    mutex_lock(&cwd_lock);
    strcpy(out, cwd);
    mutex_unlock(&cwd_lock);
    posix_signal_release();
}

void posix_cwd_set(const char *path)
{
    posix_signal_hold();
    mutex_lock(&cwd_lock);
    strcpy(cwd, path);
    mutex_unlock(&cwd_lock);
    posix_signal_release();
}

static enum place_kind kind_of(const char *path)
{
    if (strcmp(path, "/dev/null") == 0) {
        return PLACE_NULL;
    }
    if (strcmp(path, "/dev/tty") == 0 || strcmp(path, "/dev/console") == 0) {
        return PLACE_TTY;
    }
    return PLACE_FILE;
}

int posix_place_find(const char *path, struct place *out)
{
    char from[PATH_BYTES];
    int error;

    posix_cwd_copy(from);
    error = posix_path_absolute(from, path, out->path, &out->directory);
    if (error != 0) {
        return error;
    }
    out->kind = kind_of(out->path);
    out->service = NULL;
    if (out->kind == PLACE_NULL) {
        return 0;
    }
    out->service =
        posix_service_find(out->kind == PLACE_TTY ? "console" : "files");
    return out->service != NULL ? 0 : ENFILE;
}

int posix_place_open(const struct place *p, uint32_t *generation,
                     struct channel_request *r,
                     struct channel_completion *answer)
{
    uint32_t bytes = (uint32_t)strlen(p->path) + 1;
    struct piece piece;
    unsigned tries = 0;
    int error;

    if (p->kind != PLACE_FILE) {
        return ENOTSUP;
    }
    error = posix_piece_take(p->service, bytes, &piece);
    if (error != 0) {
        return error;
    }
    do {
        memcpy(piece.data, p->path, bytes);
        error = posix_piece_call(&piece, r, bytes, answer);
    } while (posix_service_again(error, &tries));
    *generation = piece.generation;
    posix_piece_give(&piece);
    return error;
}

int posix_place_call(const struct place *p, struct channel_request *r,
                     struct channel_completion *answer)
{
    uint32_t generation;

    return posix_place_open(p, &generation, r, answer);
}
