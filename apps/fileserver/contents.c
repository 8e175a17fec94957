/* SPDX-License-Identifier: BSL-1.0 */
/* Requests about open files of the card; see requests.h. Those about pipes get
 * here only where they are answered at once. */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#include <vesper/file.h>

#include "open_file.h"
#include "pipe.h"
#include "requests.h"
#include "volume.h"

#define OFFSET_OWN  (~UINT64_C(0))
#define ENTRY_ALIGN 8u

/* Bytes moved to value[0]; a failed move leaves the own offset where it is. */
static int moved(struct request *q, int64_t bytes)
{
    int error = volume_result(bytes);

    if (error == 0) {
        q->value[0] = (uint64_t)bytes;
    }
    return error;
}

static int place_check(const struct request *q)
{
    uint64_t offset = q->r->arg[0];

    if (offset != OFFSET_OWN && offset > INT64_MAX) {
        return EINVAL;
    }
    return q->data == NULL && q->r->bytes > 0 ? EFAULT : 0;
}

int request_read(struct request *q, struct open_file *file)
{
    bool own = q->r->arg[0] == OFFSET_OWN;
    uint64_t offset = own ? file->offset : q->r->arg[0];
    int error = place_check(q);

    if (error == 0) {
        error = moved(q, fat_read(&file->fat, offset, q->data, q->r->bytes));
    }
    if (error == 0 && own) {
        file->offset += q->value[0];
    }
    return error;
}

/* After an appending write the own offset is behind what was written. */
static int offset_advance(struct open_file *file, uint64_t bytes)
{
    struct fat_info info;
    int error;

    if (!(file->flags & O_APPEND)) {
        file->offset += bytes;
        return 0;
    }
    error = volume_result(fat_fstat(&file->fat, &info));
    if (error == 0) {
        file->offset = info.size;
    }
    return error;
}

int request_write(struct request *q, struct open_file *file)
{
    bool own = q->r->arg[0] == OFFSET_OWN;
    uint64_t offset = own ? file->offset : q->r->arg[0];
    int error = place_check(q);

    if (error == 0) {
        error = moved(q, fat_write(&file->fat, offset, q->data, q->r->bytes));
    }
    if (error == 0 && own) {
        error = offset_advance(file, q->value[0]);
    }
    return error;
}

/* Directories can only be rewound, or asked where they are. */
static int directory_seek(struct request *q, struct open_file *file)
{
    int64_t offset = (int64_t)q->r->arg[0];

    if (q->r->arg[1] == SEEK_CUR && offset == 0) {
        q->value[0] = file->cursor;
        return 0;
    }
    if (q->r->arg[1] == SEEK_SET && offset == 0) {
        file->cursor = 0;
        return 0;
    }
    return EINVAL;
}

static int seek_base(struct request *q, struct open_file *file, int64_t *base)
{
    struct fat_info info;
    int error;

    switch (q->r->arg[1]) {
    case SEEK_SET:
        *base = 0;
        return 0;
    case SEEK_CUR:
        *base = (int64_t)file->offset;
        return 0;
    case SEEK_END:
        error = volume_result(fat_fstat(&file->fat, &info));
        *base = error == 0 ? (int64_t)info.size : 0;
        return error;
    default:
        return EINVAL;
    }
}

int request_seek(struct request *q, struct open_file *file)
{
    int64_t base, offset;
    int error;

    if (file->kind == OPEN_PIPE) {
        return ESPIPE;
    }
    if (file->kind == OPEN_DIRECTORY) {
        return directory_seek(q, file);
    }
    error = seek_base(q, file, &base);
    if (error != 0) {
        return error;
    }
    if (__builtin_add_overflow(base, (int64_t)q->r->arg[0], &offset)) {
        return EOVERFLOW;
    }
    if (offset < 0) {
        return EINVAL;
    }
    file->offset = (uint64_t)offset;
    q->value[0] = file->offset;
    return 0;
}

static int pipe_stat(struct request *q, const struct open_file *file)
{
    const struct file_stat stat = {
        .size = pipe_waiting_bytes(file->pipe),
        .type = FILE_PIPE_END,
        .mode = 0600,
    };

    if (q->data == NULL || q->r->bytes < sizeof stat) {
        return EFAULT;
    }
    memcpy(q->data, &stat, sizeof stat);
    return 0;
}

int request_fstat(struct request *q, struct open_file *file)
{
    struct fat_info info;
    int error;

    if (file->kind == OPEN_PIPE) {
        return pipe_stat(q, file);
    }
    error = volume_result(fat_fstat(&file->fat, &info));
    return error != 0 ? error : stat_fill(q, &info);
}

int request_truncate(struct request *q, struct open_file *file)
{
    if (file->kind != OPEN_FILE) {
        return EINVAL;
    }
    return volume_result(fat_truncate(&file->fat, q->r->arg[0]));
}

int request_sync(struct request *q, struct open_file *file)
{
    (void)q;
    if (file->kind == OPEN_PIPE) {
        return EINVAL;
    }
    return volume_result(fat_flush(&file->fat));
}

static uint32_t entry_bytes(size_t name_bytes)
{
    size_t bytes = sizeof(struct file_entry) + name_bytes + 1;

    return (uint32_t)((bytes + ENTRY_ALIGN - 1) & ~(size_t)(ENTRY_ALIGN - 1));
}

/* Put an entry at `to`; 0: it does not fit into the room that is left. */
static uint32_t entry_put(char *to, uint32_t room,
                          const struct fat_dirent *from)
{
    size_t name_bytes = strlen(from->name);
    const struct file_entry entry = {
        .size = from->info.size,
        .mtime = from->info.mtime,
        .type = from->info.is_dir ? FILE_DIRECTORY : FILE_REGULAR,
        .entry_bytes = (uint16_t)entry_bytes(name_bytes),
        .name_bytes = (uint16_t)name_bytes,
    };

    if (entry.entry_bytes > room) {
        return 0;
    }
    memset(to, 0, entry.entry_bytes);
    memcpy(to, &entry, sizeof entry);
    memcpy(to + offsetof(struct file_entry, name), from->name, name_bytes);
    return entry.entry_bytes;
}

/* As many entries as fit. One that does not fit stays for the next call; if not
 * even one fits, the client's room is too small: EINVAL. */
int request_readdir(struct request *q, struct open_file *file)
{
    static struct fat_dirent entry; /* too large for the stack */
    uint32_t used = 0;

    if (file->kind != OPEN_DIRECTORY) {
        return ENOTDIR;
    }
    if (q->data == NULL) {
        return EINVAL;
    }
    for (;;) {
        uint32_t cursor = file->cursor, bytes;
        int found = fat_readdir(file->fat.vol, &file->fat, &cursor, &entry);

        if (found <= 0) {
            q->value[0] = used;
            return used > 0 ? 0 : volume_result(found);
        }
        bytes = entry_put((char *)q->data + used, q->r->bytes - used, &entry);
        if (bytes == 0) {
            q->value[0] = used;
            return used > 0 ? 0 : EINVAL;
        }
        used += bytes;
        file->cursor = cursor;
    }
}
