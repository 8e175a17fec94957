/* SPDX-License-Identifier: BSL-1.0 */
/* Requests that name a file by its path; see requests.h. */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <vesper/file.h>

#include "handle.h"
#include "open_file.h"
#include "path.h"
#include "requests.h"
#include "stamp.h"
#include "volume.h"

/* The path of the request, and the volume in which to look for it. */
static int place_get(const struct request *q, struct path *path,
                     struct fat_volume **fat)
{
    int error = path_copy(path, q->data, q->r->bytes);

    return error != 0 ? error : volume_get(fat);
}

/* O_TRUNC without writing is left undefined by POSIX; here it does nothing. */
static uint32_t fat_flags(uint64_t flags)
{
    static const uint32_t access[] = {
        [O_RDONLY] = FAT_READ,
        [O_WRONLY] = FAT_WRITE,
        [O_RDWR] = FAT_READ | FAT_WRITE,
        [O_ACCMODE] = 0,
    };
    uint32_t out = access[flags & O_ACCMODE];

    if (out & FAT_WRITE) {
        out |= (flags & O_TRUNC ? FAT_TRUNC : 0) |
               (flags & O_APPEND ? FAT_APPEND : 0);
    }
    return out | (flags & O_CREAT ? FAT_CREATE : 0) |
           (flags & O_EXCL ? FAT_EXCL : 0) |
           (flags & O_DIRECTORY ? FAT_DIRECTORY : 0);
}

static uint32_t type_of(const struct fat_info *info)
{
    return info->is_dir ? FILE_DIRECTORY : FILE_REGULAR;
}

/* Also a new one, which may lie where another was. */
static bool may_change(uint64_t flags)
{
    return (flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT);
}

static int file_open(struct open_file *file, const char *path, uint64_t flags,
                     uint64_t value[3])
{
    struct fat_volume *fat;
    struct fat_info info;
    int error = volume_get(&fat);

    if (error == 0) {
        error =
            volume_result(fat_open(fat, &file->fat, path, fat_flags(flags)));
    }
    if (error != 0) {
        if (flags & O_TRUNC) {
            stamps_forget(); /* it may have failed half-way */
        }
        return error;
    }
    /* From now on releasing it closes it. */
    file->kind = OPEN_FILE;
    file->flags = (uint32_t)flags;
    file->generation = volume_generation();
    error = volume_result(fat_fstat(&file->fat, &info));
    if (error != 0) {
        return error;
    }
    if (may_change(flags)) {
        stamp_forget(info.id);
    }
    value[1] = info.size;
    value[2] = type_of(&info);
    if (info.is_dir) {
        file->kind = OPEN_DIRECTORY;
    } else if (flags & FILE_SCRATCH) {
        file->scratch = strdup(path);
        error = file->scratch == NULL ? ENOMEM : 0;
    }
    return error;
}

int request_open(struct request *q)
{
    struct open_file *file;
    struct path path;
    int error = path_copy(&path, q->data, q->r->bytes);

    if (error != 0) {
        return error;
    }
    file = open_take();
    if (file == NULL) {
        return ENFILE;
    }
    error = file_open(file, path.text, q->r->arg[0], q->value);
    if (error == 0) {
        error = handle_create(q->client, file, &q->value[0]);
    }
    if (error != 0) {
        (void)open_release(file);
    }
    return error;
}

int stat_fill(struct request *q, const struct fat_info *info)
{
    /* FAT knows no owner, and of rights only "read-only". */
    const uint32_t writable =
        info->attributes & FAT_ATTR_READ_ONLY && !info->is_dir ? 0 : 0200;
    const struct file_stat stat = {
        .size = info->size,
        .mtime = info->mtime,
        .type = type_of(info),
        .mode = 0555 | writable,
        .inode = info->id,
    };

    if (q->data == NULL || q->r->bytes < sizeof stat) {
        return EFAULT;
    }
    memcpy(q->data, &stat, sizeof stat);
    return 0;
}

/* The data area holds the path and has room for the answer: the path is
 * ended by its NUL, or fills the area. */
int request_stat(struct request *q)
{
    struct fat_volume *fat;
    struct fat_info info;
    struct path path;
    const char *end =
        q->data != NULL ? memchr(q->data, '\0', q->r->bytes) : NULL;
    uint32_t length =
        end != NULL ? (uint32_t)(end - (const char *)q->data) : q->r->bytes;
    int error = path_copy(&path, q->data, length);

    if (error == 0) {
        error = volume_get(&fat);
    }
    if (error == 0) {
        error = volume_result(fat_stat(fat, path.text, &info));
    }
    return error != 0 ? error : stat_fill(q, &info);
}

int request_stamp(struct request *q)
{
    struct fat_volume *fat;
    struct fat_info info;
    struct path path;
    int error = place_get(q, &path, &fat);

    if (error == 0) {
        error = volume_result(fat_stat(fat, path.text, &info));
    }
    if (error == 0 && !info.is_dir && !open_for_writing(info.id)) {
        q->value[0] = stamp_of(info.id);
    }
    return error;
}

int request_mkdir(struct request *q)
{
    struct fat_volume *fat;
    struct path path;
    int error = place_get(q, &path, &fat);

    return error != 0 ? error : volume_result(fat_mkdir(fat, path.text));
}

int request_rmdir(struct request *q)
{
    struct fat_volume *fat;
    struct path path;
    int error = place_get(q, &path, &fat);

    return error != 0 ? error : volume_result(fat_rmdir(fat, path.text));
}

int request_unlink(struct request *q)
{
    struct fat_volume *fat;
    struct path path;
    int error = place_get(q, &path, &fat);

    return error != 0 ? error : volume_result(fat_unlink(fat, path.text));
}

int request_rename(struct request *q)
{
    struct fat_volume *fat;
    struct path from, to;
    int error = path_copy_two(&from, &to, q->data, q->r->bytes);

    if (error == 0) {
        error = volume_get(&fat);
    }
    if (error != 0) {
        return error;
    }
    stamps_forget(); /* entries change places */
    return volume_result(fat_rename(fat, from.text, to.text));
}

int request_statfs(struct request *q)
{
    struct fat_volume *fat;
    struct fat_space space;
    int error = volume_get(&fat);

    if (error == 0) {
        error = volume_result(fat_statfs(fat, &space));
    }
    if (error == 0) {
        q->value[0] = space.total_bytes;
        q->value[1] = space.free_bytes;
    }
    return error;
}
