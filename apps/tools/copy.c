/* SPDX-License-Identifier: BSL-1.0 */
/*
 * Copying files and trees; the contract is in copy.h. One pair of path
 * buffers serves the whole walk: each level appends a name and cuts it off
 * again, so depth costs no stack beyond a small frame.
 */
#include "copy.h"
#include "names.h"
#include "path.h"
#include "report.h"
#include "transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char from_path[PATH_BYTES];
static char to_path[PATH_BYTES];

/* Deletes the unfinished target and says so, with the cause in errno. */
static int copy_abandon(const char *name, const char *to)
{
    char cause[128];
    const char *why = strerror(errno);

    if (unlink(to) == 0) {
        snprintf(cause, sizeof(cause), "%s (partial copy removed)", why);
    } else {
        snprintf(cause, sizeof(cause), "%s (partial copy remains)", why);
    }
    return report_cause(name, cause);
}

static int copy_open(int in, const char *from, int out, const char *to)
{
    enum transfer_result result = transfer_all(in, out);
    int cause = errno;

    if (close(out) != 0 && result == TRANSFER_DONE) {
        result = TRANSFER_WRITE;
        cause = errno;
    }
    errno = cause;
    switch (result) {
    case TRANSFER_READ:
        return copy_abandon(from, to);
    case TRANSFER_WRITE:
        return copy_abandon(to, to);
    case TRANSFER_DONE:
        break;
    }
    return 0;
}

static int copy_file(const char *from, const char *to, mode_t mode)
{
    int in;
    int out;
    int status;

    if (path_is_directory(to)) {
        return report_cause(to, "is a directory");
    }
    in = open(from, O_RDONLY);
    if (in < 0) {
        return report_errno(from);
    }
    /* The copy of a read-only file is the user's own: make it writable. */
    out = open(to, O_WRONLY | O_CREAT | O_TRUNC, (mode & 0777) | 0200);
    if (out < 0) {
        status = report_errno(to);
    } else {
        status = copy_open(in, from, out, to);
    }
    close(in);
    return status;
}

static int copy_level(int depth);

/* Copies the entries of the directory in the path buffers. */
static int copy_entries(const struct names *names, int depth)
{
    size_t from_length = strlen(from_path);
    size_t to_length = strlen(to_path);
    int status = 0;

    for (size_t i = 0; i < names->count; i++) {
        const char *name = names->items[i];

        if (!path_append(from_path, sizeof(from_path), name) ||
            !path_append(to_path, sizeof(to_path), name)) {
            status = report_errno(name);
        } else {
            status |= copy_level(depth);
        }
        from_path[from_length] = '\0';
        to_path[to_length] = '\0';
    }
    return status;
}

static int copy_directory(int depth)
{
    struct names names = {0};
    int status;

    if (depth == TREE_DEPTH_MAX) {
        return report_cause(from_path, "too many levels (limit 32)");
    }
    if (!path_is_directory(to_path) && mkdir(to_path, 0777) != 0) {
        return report_errno(to_path);
    }
    if (!names_read(&names, from_path)) {
        return report_errno(from_path);
    }
    status = copy_entries(&names, depth + 1);
    names_free(&names);
    return status;
}

static int copy_level(int depth)
{
    struct stat info;

    if (stat(from_path, &info) != 0) {
        return report_errno(from_path);
    }
    if (S_ISDIR(info.st_mode)) {
        return copy_directory(depth);
    }
    return copy_file(from_path, to_path, info.st_mode);
}

int copy_tree(const char *from, const char *to, bool recurse)
{
    from_path[0] = '\0';
    to_path[0] = '\0';
    if (!path_append(from_path, sizeof(from_path), from) ||
        !path_append(to_path, sizeof(to_path), to)) {
        return report_errno(strlen(from) > strlen(to) ? from : to);
    }
    if (path_is_same(from, to)) {
        return report_cause(from, "source and target are the same file");
    }
    if (path_is_directory(from)) {
        if (!recurse) {
            return report_cause(from, "is a directory (-r copies it)");
        }
        if (path_is_inside(to, from)) {
            return report_cause(from, "cannot be copied into itself");
        }
    }
    return copy_level(0);
}
