/* SPDX-License-Identifier: BSL-1.0 */
/* The table of open files; the contract is in open_file.h. */
#include "open_file.h"

#include <fcntl.h>
#include <stddef.h>

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

int open_release(struct open_file *file)
{
    int error = 0;

    if (--file->refs > 0) {
        return 0;
    }
    if (file->kind == OPEN_PIPE) {
        pipe_close(file->pipe, (file->flags & O_ACCMODE) == O_WRONLY);
    } else if (file->kind != OPEN_FREE && !open_is_stale(file)) {
        error = volume_result(fat_close(&file->fat));
    }
    file->kind = OPEN_FREE;
    return error;
}
