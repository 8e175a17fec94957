/* SPDX-License-Identifier: BSL-1.0
 *
 * What is known about files: stat, lstat, fstat, access, statvfs. Owner, device
 * and link count are constants: there is one user, one card, and no links.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <vesper/file.h>

#include "fd.h"
#include "place.h"
#include "result.h"
#include "service.h"
#include "stat.h"

#define BLOCK_BYTES 512

static mode_t mode_type(uint32_t type)
{
    switch (type) {
    case FILE_DIRECTORY:
        return S_IFDIR;
    case FILE_PIPE_END:
        return S_IFIFO;
    case FILE_TTY:
        return S_IFCHR;
    default:
        return S_IFREG;
    }
}

static void stat_fill(const struct file_stat *from, struct stat *out)
{
    *out = (struct stat){
        .st_dev = 1,
        .st_ino = (ino_t)from->inode,
        .st_mode = mode_type(from->type) | (from->mode & ALLPERMS),
        .st_nlink = 1,
        .st_size = (off_t)from->size,
        .st_blksize = 4096,
        .st_blocks = (blkcnt_t)((from->size + BLOCK_BYTES - 1) / BLOCK_BYTES),
    };
    out->st_mtim.tv_sec = (time_t)from->mtime;
    out->st_atim = out->st_mtim;
    out->st_ctim = out->st_mtim;
}

static void stat_fill_null(struct stat *out)
{
    *out = (struct stat){.st_mode = S_IFCHR | DEFFILEMODE, .st_nlink = 1};
}

/* FILE_FSTAT of a handle. */
static int handle_stat(struct service *s, uint64_t handle, struct stat *out)
{
    struct channel_request r = posix_request(FILE_FSTAT, handle);
    struct channel_completion answer;
    struct file_stat found;
    struct piece p;
    unsigned tries = 0;
    int error = posix_piece_take(s, sizeof(found), &p);

    if (error != 0) {
        return error;
    }
    do {
        error = posix_piece_call(&p, &r, sizeof(found), &answer);
    } while (handle == 0 && posix_service_again(error, &tries));
    if (error == 0) {
        memcpy(&found, p.data, sizeof(found));
        stat_fill(&found, out);
    }
    posix_piece_give(&p);
    return error;
}

/* FILE_STAT: the answer takes the path's place, so there is room for both. */
static int path_stat(const struct place *place, struct stat *out)
{
    struct channel_request r = {.op = FILE_STAT};
    struct channel_completion answer;
    uint32_t bytes = (uint32_t)strlen(place->path) + 1;
    struct file_stat found;
    struct piece p;
    unsigned tries = 0;
    int error;

    if (bytes < sizeof(found)) {
        bytes = sizeof(found);
    }
    error = posix_piece_take(place->service, bytes, &p);
    if (error != 0) {
        return error;
    }
    do {
        memset(p.data, 0, bytes);
        strcpy(p.data, place->path);
        error = posix_piece_call(&p, &r, bytes, &answer);
    } while (posix_service_again(error, &tries));
    if (error == 0) {
        memcpy(&found, p.data, sizeof(found));
        stat_fill(&found, out);
    }
    posix_piece_give(&p);
    return error;
}

int posix_place_stat(const struct place *place, struct stat *out)
{
    int error = 0;

    if (place->kind == PLACE_NULL) {
        stat_fill_null(out);
    } else if (place->kind == PLACE_TTY) {
        error = handle_stat(place->service, 0, out);
    } else {
        error = path_stat(place, out);
    }
    if (error == 0 && place->directory && !S_ISDIR(out->st_mode)) {
        error = ENOTDIR;
    }
    return error;
}

static int stat_of(const char *path, struct stat *out)
{
    struct place place;
    int error = posix_place_find(path, &place);

    return error != 0 ? error : posix_place_stat(&place, out);
}

int stat(const char *restrict path, struct stat *restrict out)
{
    return result(stat_of(path, out));
}

int lstat(const char *restrict path, struct stat *restrict out)
{
    return result(stat_of(path, out));
}

int fstat(int fd, struct stat *out)
{
    struct description *d;
    int error = posix_fd_hold(fd, &d);

    if (error != 0) {
        return result(error);
    }
    if (d->service == NULL) {
        stat_fill_null(out);
    } else {
        error = posix_description_check(d);
        if (error == 0) {
            error = handle_stat(d->service, d->handle, out);
        }
    }
    posix_description_drop(d);
    return result(error);
}

int access(const char *path, int mode)
{
    struct stat found;
    int error = stat_of(path, &found);

    if (error != 0) {
        return result(error);
    }
    if (((mode & R_OK) != 0 && (found.st_mode & 0444) == 0) ||
        ((mode & W_OK) != 0 && (found.st_mode & 0222) == 0) ||
        ((mode & X_OK) != 0 && (found.st_mode & 0111) == 0)) {
        return result(EACCES);
    }
    return 0;
}

static int volume_stat(struct statvfs *out)
{
    struct service *files = posix_service_find("files");
    struct channel_request r = {.op = FILE_STATFS};
    struct channel_completion answer;
    int error = files != NULL ? posix_service_call(files, &r, &answer) : ENFILE;

    if (error != 0) {
        return error;
    }
    *out = (struct statvfs){
        .f_bsize = BLOCK_BYTES,
        .f_frsize = BLOCK_BYTES,
        .f_blocks = answer.value[0] / BLOCK_BYTES,
        .f_bfree = answer.value[1] / BLOCK_BYTES,
        .f_bavail = answer.value[1] / BLOCK_BYTES,
        .f_namemax = 255,
    };
    return 0;
}

int statvfs(const char *path, struct statvfs *out)
{
    struct stat found;
    int error = stat_of(path, &found);

    return result(error != 0 ? error : volume_stat(out));
}

int fstatvfs(int fd, struct statvfs *out)
{
    struct stat found;

    return fstat(fd, &found) != 0 ? -1 : result(volume_stat(out));
}
