/* SPDX-License-Identifier: BSL-1.0
 *
 * Files: streams, descriptors, errors.
 */
#include "tour.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* doc: write */
static int note_write(const char *path)
{
    FILE *f = fopen(path, "w");

    if (f == NULL) {
        return -1; /* errno says why */
    }
    fprintf(f, "first line\n");
    fprintf(f, "%d lines\n", 2);
    return fclose(f); /* what could not be written shows here at the latest */
}
/* end */

/* doc: read */
static int lines_count(const char *path)
{
    FILE *f = fopen(path, "r");
    char *line = NULL;
    size_t room = 0;
    int count = 0;

    if (f == NULL) {
        return -1;
    }
    while (getline(&line, &room, f) >= 0) {
        count++;
    }
    free(line);
    fclose(f);
    return count;
}
/* end */

/* doc: append */
static int log_append(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
    size_t bytes = strlen(text);
    int error = 0;

    if (fd < 0) {
        return errno;
    }
    if (write(fd, text, bytes) != (ssize_t)bytes || fsync(fd) != 0) {
        error = errno; /* ENOSPC, EIO, ENOMEDIUM, ... */
    }
    close(fd);
    return error;
}
/* end */

/* doc: seek */
static int byte_at(const char *path, off_t offset)
{
    unsigned char byte;
    int fd = open(path, O_RDONLY);
    ssize_t n = fd >= 0 ? pread(fd, &byte, 1, offset) : -1;

    if (fd >= 0) {
        close(fd);
    }
    return n == 1 ? byte : -1; /* n == 0: the file ends before offset */
}
/* end */

/* doc: explain */
static bool open_or_explain(const char *path)
{
    FILE *f = fopen(path, "r");

    if (f == NULL) {
        fprintf(stderr, "tour: %s: %s\n", path, strerror(errno));
        return false;
    }
    fclose(f);
    return true;
}
/* end */

void tour_files(void)
{
    const char *path = TOUR_FOLDER "/a note.txt";

    tour_check(note_write(path) == 0, "write a file");
    tour_check(lines_count(path) == 2, "read it line by line");
    tour_check(log_append(path, "third\n") == 0 && lines_count(path) == 3,
               "append to it");
    tour_check(byte_at(path, 6) == 'l' && byte_at(path, 1000) == -1,
               "read in its middle, and behind its end");
    tour_check(open_or_explain(path), "open what is there");
    tour_check(!open_or_explain(TOUR_FOLDER "/none") && errno == ENOENT,
               "explain what is not");
    tour_check(unlink(path) == 0 && lines_count(path) == -1, "remove it");
}
