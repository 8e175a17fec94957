/* SPDX-License-Identifier: BSL-1.0 */
/* The table of open files; the contract is in open_file.h. */
#include "open_file.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>

#include "pipe.h"
#include "volume.h"

static struct open_file files[OPEN_FILES_MAX];

struct open_file *open_take(void)
{
    for (uint32_t i = 0; i < OPEN_FILES_MAX; i++) {
        if (files[i].refs == 0) {
            files[i] = (struct open_file){.refs = 1};
            return &files[i];
        }
    }
    return NULL;
}

void open_hold(struct open_file *file)
{
    file->refs++;
}

bool open_is_stale(const struct open_file *file)
{
    return file->kind != OPEN_PIPE && file->generation != volume_generation();
}

/* Not another file that has its name now. */
static int scratch_remove(const char *path, uint64_t id)
{
    struct fat_volume *fat;
    struct fat_info info;
    int error = volume_get(&fat);

    if (error == 0) {
        error = volume_result(fat_stat(fat, path, &info));
    }
    return error == 0 && info.id == id ? volume_result(fat_unlink(fat, path))
                                       : error;
}

static int file_close(struct open_file *file)
{
    struct fat_info info = {0};
    int known = volume_result(fat_fstat(&file->fat, &info));
    int error = volume_result(fat_close(&file->fat));

    return error == 0 && known == 0 && file->scratch != NULL
               ? scratch_remove(file->scratch, info.id)
               : error;
}

int open_release(struct open_file *file)
{
    int error = 0;

    if (--file->refs > 0) {
        return 0;
    }
    if (file->kind == OPEN_PIPE) {
        pipe_close(file->pipe, (file->flags & O_ACCMODE) == O_WRONLY);
    } else if (file->kind != OPEN_FREE && !open_is_stale(file)) {
        error = file_close(file);
    }
    free(file->scratch);
    file->kind = OPEN_FREE;
    return error;
}
