/* SPDX-License-Identifier: BSL-1.0 */
/* Reading lines; the contract is in input.h. */
#include "input.h"

#include "../tools/transfer.h"

#include <sys/types.h>

/* 1: a byte was read, 0: the end, -1: an error. */
static int byte_read(struct input *input, char *byte)
{
    ssize_t n = 1;

    if (input->next == input->end) {
        n = transfer_read(input->fd, input->bytes,
                          input->is_shared ? 1 : sizeof(input->bytes));
        input->next = 0;
        input->end = n > 0 ? (size_t)n : 0;
    }
    if (n > 0) {
        *byte = input->bytes[input->next++];
    }
    return n > 0 ? 1 : (int)n;
}

enum input_result input_line(struct input *input, char line[LINE_BYTES_MAX + 1])
{
    size_t n = 0;
    bool is_long = false;
    bool is_binary = false;
    char byte = '\0';
    int got;

    input->line_number++;
    while ((got = byte_read(input, &byte)) > 0 && byte != '\n') {
        is_binary = is_binary || byte == '\0';
        if (n == LINE_BYTES_MAX) {
            is_long = true;
        } else {
            line[n++] = byte;
        }
    }
    if (got < 0) {
        return INPUT_ERROR;
    }
    if (n > 0 && line[n - 1] == '\r') {
        n--; /* files written on other systems */
    }
    line[n] = '\0';
    if (is_binary) {
        return INPUT_BINARY;
    }
    if (is_long) {
        return INPUT_TOO_LONG;
    }
    return got == 0 && n == 0 ? INPUT_EOF : INPUT_LINE;
}
