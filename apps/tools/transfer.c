/* SPDX-License-Identifier: BSL-1.0 */
/* Copying between descriptors; the contract is in transfer.h. */
#include "transfer.h"

#include <errno.h>
#include <unistd.h>

static char buffer_static[TRANSFER_BYTES];

ssize_t transfer_read(int in, void *buffer, size_t bytes)
{
    ssize_t n;

    do {
        n = read(in, buffer, bytes);
    } while (n < 0 && errno == EINTR);
    return n;
}

bool transfer_write(int out, const void *buffer, size_t bytes)
{
    const char *next = buffer;

    while (bytes > 0) {
        ssize_t n = write(out, next, bytes);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n == 0) {
            errno = EIO; /* no progress and no reason given: do not spin */
        }
        if (n <= 0) {
            return false;
        }
        next += n;
        bytes -= (size_t)n;
    }
    return true;
}

enum transfer_result transfer_all(int in, int out)
{
    for (;;) {
        ssize_t n = transfer_read(in, buffer_static, sizeof(buffer_static));

        if (n < 0) {
            return TRANSFER_READ;
        }
        if (n == 0) {
            return TRANSFER_DONE;
        }
        if (!transfer_write(out, buffer_static, (size_t)n)) {
            return TRANSFER_WRITE;
        }
    }
}
