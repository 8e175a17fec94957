/* SPDX-License-Identifier: BSL-1.0 */
/* Unbuffered output; the contract is in output.h. */
#include "output.h"

#include "../tools/transfer.h"

#include <stdarg.h>
#include <stdio.h>

static char text[4096];

void output_bytes(int fd, const char *bytes, size_t n)
{
    /* A terminal that refuses text leaves nobody to tell. */
    (void)transfer_write(fd, bytes, n);
}

void output_text(int fd, const char *format, ...)
{
    va_list arguments;
    int n;

    va_start(arguments, format);
    n = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (n > (int)sizeof(text) - 1) {
        n = (int)sizeof(text) - 1;
    }
    if (n > 0) {
        output_bytes(fd, text, (size_t)n);
    }
}
