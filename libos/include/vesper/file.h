/* SPDX-License-Identifier: BSL-1.0
 *
 * The protocol of everything that looks like a file: the services `files` (the
 * card and pipes) and `console` (the terminal). Requests travel in a channel.
 * Paths and contents lie in the data area. Handles belong to one client domain.
 */
#pragma once

#include <stdint.h>

/* With the flags of FILE_OPEN: the file is removed when its last holder closes
 * it or ends, however that ends; unless it was renamed, or is also open by
 * another FILE_OPEN. A server that dies, or a power cut, leaves it. */
#define FILE_SCRATCH (1ull << 62)

enum file_op {
    FILE_OPEN = 1, /* data: absolute path; arg0 O_x flags; -> v0 handle, v1
                      size, v2 enum file_type */
    FILE_CLOSE,    /* handle */
    FILE_READ,  /* handle, arg0 offset or ~0: the handle's own; -> v0 bytes */
    FILE_WRITE, /* likewise; with O_APPEND at the end of the file */
    FILE_SEEK,  /* handle, arg0 offset (signed), arg1 SEEK_x -> v0 position */
    FILE_STAT,  /* data: path; the answer overwrites data: struct file_stat */
    FILE_FSTAT, /* handle; data: struct file_stat */
    FILE_TRUNCATE, /* handle, arg0 size */
    FILE_SYNC,     /* handle; all that was written is on the card */
    FILE_READDIR,  /* handle; data filled with struct file_entry, each padded to
                      8 bytes; -> v0 bytes (0: end) */
    FILE_MKDIR,    /* data: path */
    FILE_RMDIR,    /* data: path */
    FILE_UNLINK,   /* data: path */
    FILE_RENAME,   /* data: old path, NUL, new path */
    FILE_PIPE,     /* -> v0 handle to read, v1 handle to write */
    FILE_GRANT,    /* handle, arg0 domain id (0: the next domain that the root
                      server starts for this client) -> v0 number that it
                      uses as handle. The open file, its offset included, is
                      shared; it closes when the last holder closes or ends. */
    FILE_UNGRANT,  /* arg0 number from FILE_GRANT that was never taken */
    FILE_STATFS,   /* -> v0 total bytes, v1 free bytes */
    FILE_POLL,     /* data: struct file_poll each, whose `ready` is filled in;
                      arg0 != 0: waits until one is -> v0 how many are */
    /* console only */
    TTY_GET,        /* -> v0 flags (TTY_x) */
    TTY_SET,        /* arg0 flags */
    TTY_FOREGROUND, /* arg0 domain id that Ctrl-C goes to; 0: the caller */
    /* files only */
    FILE_GRANTED, /* arg0 domain id: that was the next one. So the grants end
                     with it, also if it ends before anybody could see it */
    /* ends of pipes */
    FILE_DIRECT, /* handle, which nobody else holds: arg0 1: the
                    caller moves it from now on, in the pipe's memory -> v0
                    link, v1 end, for ROOT_LINK_OPEN (vesper/pipe.h). Reads
                    and writes of it are EALREADY then. arg0 0, or
                    FILE_GRANT: the server does again. EBUSY: others hold it,
                    or requests wait there; EINVAL: not a pipe's end */
    FILE_PUMP,   /* handle of such an end: it was moved, and the server waits
                    for that (PIPE_WAITS_SERVER) */
    /* files only */
    FILE_STAMP, /* data: path -> v0 a number for what is in the file: as long as
                   it is the same, so are the bytes. 0: none, or somebody may
                   be writing it */
};

enum file_ready {
    READY_READ = 1,   /* a read would not wait */
    READY_WRITE = 2,  /* nor would a write of FILE_ROOM bytes */
    READY_HANGUP = 4, /* of a pipe: nobody holds the other end */
    READY_ERROR = 8,  /* the handle is not the client's */
};
#define FILE_ROOM 512u

struct file_poll {
    uint64_t handle;
    uint32_t wanted; /* READY_READ, READY_WRITE; the others always are */
    uint32_t ready;  /* READY_x that hold and are wanted */
};
#define FILE_POLLS_MAX 64u /* in one request; more: EINVAL */

enum tty_flag {
    TTY_CANON = 1, /* lines with erase and kill editing, Ctrl-D ends input */
    TTY_ECHO = 2,
    TTY_SIGNALS = 4, /* Ctrl-C: SIGINT, Ctrl-\: SIGKILL to the foreground */
};
#define TTY_DEFAULT (TTY_CANON | TTY_ECHO | TTY_SIGNALS)

enum file_type { FILE_REGULAR = 1, FILE_DIRECTORY, FILE_PIPE_END, FILE_TTY };

struct file_stat {
    uint64_t size;
    int64_t mtime; /* seconds since 1970 */
    uint32_t type; /* enum file_type */
    uint32_t mode; /* permission bits as POSIX */
    uint64_t inode;
};

struct file_entry {
    uint64_t size;
    int64_t mtime;
    uint32_t type;
    uint16_t entry_bytes; /* to the next one */
    uint16_t name_bytes;  /* without the NUL that follows */
    char name[];
};
