/* SPDX-License-Identifier: BSL-1.0
 *
 * Open files: what handles stand for, shared by all that were granted one. A
 * file or directory of the card, or one end of a pipe. Counted; the last
 * release closes it. Errors are positive errno values.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <fat.h>
#include <vesper/pipe.h>

#define OPEN_FILES_MAX 128u

struct pipe;

enum open_kind { OPEN_FREE, OPEN_FILE, OPEN_DIRECTORY, OPEN_PIPE };

struct open_file {
    enum open_kind kind;
    uint32_t refs;
    uint32_t flags;      /* O_x */
    uint32_t generation; /* of the volume; FILE and DIRECTORY */
    uint64_t offset;     /* FILE */
    char *scratch;       /* FILE: its path, with FILE_SCRATCH; or NULL */
    uint32_t cursor;     /* DIRECTORY: of fat_readdir */
    struct fat_file fat; /* FILE, DIRECTORY */
    struct pipe *pipe;   /* PIPE; flags say which end */
};

/* With one reference, the kind still OPEN_FREE: the caller fills it in, and on
 * failure gives it back by open_release. NULL: OPEN_FILES_MAX are open. */
struct open_file *open_take(void);

/* Nobody holds it alone then: a pipe's end is moved by the server again. */
void open_hold(struct open_file *file);

/* kind is OPEN_PIPE. */
enum pipe_end open_pipe_end(const struct open_file *file);

/* Closes it, and removes it with FILE_SCRATCH. The error is that of writing
 * what was still owed, or of removing; it is closed all the same. */
int open_release(struct open_file *file);

/* Has anybody the file with that fat_info.id open for writing? */
bool open_for_writing(uint64_t id);

/* Does it belong to a card that is gone? */
bool open_is_stale(const struct open_file *file);
