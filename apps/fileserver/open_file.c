/* SPDX-License-Identifier: BSL-1.0 */
/* The table of open files; the contract is in open_file.h. */
#include "open_file.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>

#include "pipe.h"
#include "volume.h"

static struct open_file files[OPEN_FILES_MAX];
static uint32_t files_end; /* from here on, none was in use yet */

struct open_file *open_take(void)
{
    for (uint32_t i = 0; i < OPEN_FILES_MAX; i++) {
        if (files[i].refs == 0) {
            files[i] = (struct open_file){.refs = 1};
            files_end = i < files_end ? files_end : i + 1;
            return &files[i];
        }
    }
    return NULL;
}

void open_hold(struct open_file *file)
{
    file->refs++;
    if (file->kind == OPEN_PIPE) {
        pipe_indirect(file->pipe, open_pipe_end(file));
    }
}

enum pipe_end open_pipe_end(const struct open_file *file)
{
    return (file->flags & O_ACCMODE) == O_WRONLY ? PIPE_WRITING : PIPE_READING;
}

bool open_is_stale(const struct open_file *file)
{
    return file->kind != OPEN_PIPE && file->generation != volume_generation();
}

static bool writes(const struct open_file *file)
{
    return file->refs > 0 && file->kind == OPEN_FILE &&
           (file->flags & O_ACCMODE) != O_RDONLY && !open_is_stale(file);
}

bool open_for_writing(uint64_t id)
{
    struct fat_info info;

    for (uint32_t i = 0; i < files_end; i++) {
        if (writes(&files[i]) && fat_fstat(&files[i].fat, &info) == 0 &&
            info.id == id) {
            return true;
        }
    }
    return false;
}

/* Close and remove it; not another file that has its name now. */
static int scratch_close(struct open_file *file)
{
    struct fat_volume *fat;
    struct fat_info info, named;
    int error = volume_result(fat_fstat(&file->fat, &info));
    int closed = volume_result(fat_close(&file->fat));

    error = error != 0 ? error : closed;
    if (error == 0) {
        error = volume_get(&fat);
    }
    if (error == 0) {
        error = volume_result(fat_stat(fat, file->scratch, &named));
    }
    return error == 0 && named.id == info.id
               ? volume_result(fat_unlink(fat, file->scratch))
               : error;
}

int open_release(struct open_file *file)
{
    int error = 0;

    if (--file->refs > 0) {
        return 0;
    }
    if (file->kind == OPEN_PIPE) {
        pipe_close(file->pipe, open_pipe_end(file));
    } else if (file->kind != OPEN_FREE && !open_is_stale(file)) {
        error = file->scratch != NULL ? scratch_close(file)
                                      : volume_result(fat_close(&file->fat));
    }
    free(file->scratch);
    file->kind = OPEN_FREE;
    return error;
}
