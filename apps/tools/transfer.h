/* SPDX-License-Identifier: BSL-1.0 */
/* Bytes from one file descriptor to another, whole and with retries. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum transfer_result {
    TRANSFER_DONE,  /* the input ended */
    TRANSFER_READ,  /* reading failed, errno says why */
    TRANSFER_WRITE, /* writing failed, errno says why */
};

enum { TRANSFER_BYTES = 32 * 1024 };

/* Copies until the end of `in`, 32 KiB at a time. */
enum transfer_result transfer_all(int in, int out);

/* read() that a signal does not interrupt. */
ssize_t transfer_read(int in, void *buffer, size_t bytes);

/* Writes all of it; false and errno. */
bool transfer_write(int out, const void *buffer, size_t bytes);
