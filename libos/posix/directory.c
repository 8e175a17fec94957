/* SPDX-License-Identifier: BSL-1.0
 *
 * Reading directories. A DIR is a file descriptor and a buffer of entries as
 * the service packed them (struct file_entry); they are checked when unpacked,
 * since another domain wrote them.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <vesper/file.h>

#include "fd.h"
#include "result.h"
#include "service.h"

#define BUFFER_BYTES 4096u

struct posix_directory {
    int fd;
    uint32_t used, at; /* bytes of the buffer: filled, handed out */
    struct dirent entry;
    _Alignas(8) char buffer[BUFFER_BYTES];
};

DIR *fdopendir(int fd)
{
    struct description *d;
    uint32_t type = 0;
    DIR *directory;
    int error = posix_fd_hold(fd, &d);

    if (error == 0) {
        error = posix_description_type(d, &type);
        posix_description_drop(d);
    }
    if (error == 0 && type != FILE_DIRECTORY) {
        error = ENOTDIR;
    }
    directory = error == 0 ? malloc(sizeof(*directory)) : NULL;
    if (directory == NULL) {
        errno = error != 0 ? error : ENOMEM;
        return NULL;
    }
    directory->fd = fd;
    directory->used = 0;
    directory->at = 0;
    return directory;
}

DIR *opendir(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory;

    if (fd < 0) {
        return NULL;
    }
    directory = fdopendir(fd);
    if (directory == NULL) {
        int saved = errno;

        close(fd);
        errno = saved;
    }
    return directory;
}

int closedir(DIR *directory)
{
    int closed = close(directory->fd);

    free(directory);
    return closed;
}

int dirfd(DIR *directory)
{
    return directory->fd;
}

static int fill(DIR *directory, struct description *d)
{
    struct channel_request r = {.op = FILE_READDIR, .handle = d->handle};
    struct channel_completion answer;
    struct piece p;
    int error;

    if (d->service == NULL) {
        return ENOTDIR;
    }
    error = posix_description_check(d);
    if (error != 0) {
        return error;
    }
    error = posix_description_piece(d, BUFFER_BYTES, &p);
    if (error != 0) {
        return error;
    }
    error = posix_piece_call(&p, &r, BUFFER_BYTES, &answer);
    if (error == 0 && answer.value[0] > BUFFER_BYTES) {
        error = EIO;
    }
    if (error == 0) {
        directory->used = (uint32_t)answer.value[0];
        directory->at = 0;
        memcpy(directory->buffer, p.data, directory->used);
    }
    posix_piece_give(&p);
    return error;
}

static int refill(DIR *directory)
{
    struct description *d;
    int error = posix_fd_hold(directory->fd, &d);

    if (error == 0) {
        error = fill(directory, d);
        posix_description_drop(d);
    }
    return error;
}

static unsigned char entry_type(uint32_t type)
{
    switch (type) {
    case FILE_REGULAR:
        return DT_REG;
    case FILE_DIRECTORY:
        return DT_DIR;
    case FILE_PIPE_END:
        return DT_FIFO;
    case FILE_TTY:
        return DT_CHR;
    default:
        return DT_UNKNOWN;
    }
}

/* Unpack the next entry of the buffer; false if it does not lie inside it. */
static bool unpack(DIR *directory)
{
    uint32_t left = directory->used - directory->at;
    const struct file_entry *from =
        (const void *)(directory->buffer + directory->at);
    size_t needed;

    if (left < sizeof(*from)) {
        return false;
    }
    needed = sizeof(*from) + from->name_bytes;
    if (from->entry_bytes > left || from->entry_bytes < needed ||
        from->entry_bytes % 8 != 0 ||
        from->name_bytes >= sizeof(directory->entry.d_name)) {
        return false;
    }
    directory->entry.d_ino = 0;
    directory->entry.d_type = entry_type(from->type);
    memcpy(directory->entry.d_name, from->name, from->name_bytes);
    directory->entry.d_name[from->name_bytes] = '\0';
    directory->at += from->entry_bytes;
    return true;
}

struct dirent *readdir(DIR *directory)
{
    if (directory->at == directory->used) {
        int error = refill(directory);

        if (error != 0) {
            errno = error;
            return NULL;
        }
        if (directory->used == 0) {
            return NULL;
        }
    }
    if (!unpack(directory)) {
        directory->at = directory->used;
        errno = EIO;
        return NULL;
    }
    return &directory->entry;
}

void rewinddir(DIR *directory)
{
    lseek(directory->fd, 0, SEEK_SET);
    directory->used = 0;
    directory->at = 0;
}
