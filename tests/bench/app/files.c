/* SPDX-License-Identifier: BSL-1.0
 *
 * Files on the card, by way of the file server and the driver.
 */
#include "tests/bench/app/app.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_BYTES (1u << 20)
#define PART       65536u

static char part[PART];

static bool all(int fd, ssize_t (*step)(int fd))
{
    bool good = lseek(fd, 0, SEEK_SET) == 0;
    for (unsigned at = 0; at < FILE_BYTES && good; at += PART) {
        good = step(fd) == (ssize_t)PART;
    }
    return good;
}

static ssize_t write_part(int fd)
{
    return write(fd, part, PART);
}

static ssize_t read_part(int fd)
{
    return read(fd, part, PART);
}

void file_rows(void)
{
    struct stat s;
    int fd = open("/bench.tmp", O_RDWR | O_CREAT | O_TRUNC, 0644);
    expect(fd < 0, "open");
    ROW("file: write 1 MiB and flush", NOTHING,
        e = !all(fd, write_part) || fsync(fd) != 0, NOTHING);
    ROW("file: read 1 MiB", NOTHING, e = !all(fd, read_part), NOTHING);
    (void)ftruncate(fd, 0);
    (void)lseek(fd, 0, SEEK_SET);
    ROW("file: append 64 bytes", NOTHING, e = write(fd, part, 64) != 64,
        NOTHING);
    ROW("file: write 64 bytes in place", NOTHING,
        e = pwrite(fd, part, 64, 0) != 64, NOTHING);
    ROW("file: fstat, a request to the file server", NOTHING,
        e = fstat(fd, &s) != 0, NOTHING);
    ROW("file: open and close", NOTHING,
        e = close(open("/bench.tmp", O_RDONLY)) != 0, NOTHING);
    (void)close(fd);
    (void)unlink("/bench.tmp");
}
