/* SPDX-License-Identifier: BSL-1.0
 *
 * Changing the tree: mkdir, rmdir, unlink, remove, rename, truncate, sync. The
 * service answers with the errno that POSIX wants; nothing is decided here.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vesper/file.h>

#include "place.h"
#include "result.h"
#include "service.h"

/* A request with one path; devices may not be changed. */
static int path_change(const char *path, uint32_t op)
{
    struct channel_request r = {.op = op};
    struct channel_completion answer;
    struct place place;
    int error = posix_place_find(path, &place);

    if (error != 0) {
        return error;
    }
    if (place.kind != PLACE_FILE) {
        return EPERM;
    }
    if (op == FILE_UNLINK && place.directory) {
        return EISDIR;
    }
    return posix_place_call(&place, &r, &answer);
}

int mkdir(const char *path, mode_t mode)
{
    (void)mode; /* FAT keeps no rights */
    return result(path_change(path, FILE_MKDIR));
}

int rmdir(const char *path)
{
    return result(path_change(path, FILE_RMDIR));
}

int unlink(const char *path)
{
    return result(path_change(path, FILE_UNLINK));
}

int remove(const char *path)
{
    int error = path_change(path, FILE_UNLINK);

    if (error == EISDIR || error == EPERM) {
        error = path_change(path, FILE_RMDIR);
    }
    return result(error);
}

static int rename_places(const struct place *from, const struct place *to)
{
    struct channel_request r = {.op = FILE_RENAME};
    struct channel_completion answer;
    uint32_t first = (uint32_t)strlen(from->path) + 1;
    uint32_t second = (uint32_t)strlen(to->path) + 1;
    struct piece p;
    unsigned tries = 0;
    int error = posix_piece_take(from->service, first + second, &p);

    if (error != 0) {
        return error;
    }
    do {
        memcpy(p.data, from->path, first);
        memcpy((char *)p.data + first, to->path, second);
        error = posix_piece_call(&p, &r, first + second, &answer);
    } while (posix_service_again(error, &tries));
    posix_piece_give(&p);
    return error;
}

int rename(const char *from, const char *to)
{
    struct place old, wanted;
    int error = posix_place_find(from, &old);

    if (error == 0) {
        error = posix_place_find(to, &wanted);
    }
    if (error == 0 && (old.kind != PLACE_FILE || wanted.kind != PLACE_FILE)) {
        error = EXDEV;
    }
    return result(error != 0 ? error : rename_places(&old, &wanted));
}

int truncate(const char *path, off_t size)
{
    int fd = open(path, O_WRONLY);
    int done;

    if (fd < 0) {
        return -1;
    }
    done = ftruncate(fd, size);
    close(fd);
    return done;
}

/* Handle 0 of the card's service stands for all of it. */
void sync(void)
{
    struct service *files = posix_service_find("files");
    struct channel_request r = {.op = FILE_SYNC};
    struct channel_completion answer;

    if (files != NULL) {
        posix_service_call(files, &r, &answer);
    }
}
