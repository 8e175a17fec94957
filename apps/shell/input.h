/* SPDX-License-Identifier: BSL-1.0 */
/* Lines of commands from a file or a pipe. */
#pragma once

#include "token.h"

enum input_result {
    INPUT_LINE,
    INPUT_EOF,
    INPUT_TOO_LONG, /* over LINE_BYTES_MAX; the line was thrown away */
    INPUT_BINARY,   /* a NUL byte: this is no text */
    INPUT_ERROR,    /* errno says why */
};

struct input {
    int fd;
    bool is_shared; /* programs read it too: never take more than a line */
    char bytes[512];
    size_t next;
    size_t end;
    unsigned long line_number; /* of the line returned last, from 1 */
};

/* The next line, without its end, into `line`. */
enum input_result input_line(struct input *input,
                             char line[LINE_BYTES_MAX + 1]);
