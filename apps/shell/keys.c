/* SPDX-License-Identifier: BSL-1.0 */
/* Keys and escape sequences; the contract is in keys.h. */
#include "keys.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <unistd.h>

enum { ESCAPE = 27, SEQUENCE_MAX = 16 };

static struct {
    unsigned char bytes[512];
    size_t next;
    size_t end;
    bool after_return; /* the last byte was '\r' */
} input;

static int byte_read(size_t want)
{
    ssize_t n;

    if (input.next == input.end) {
        n = read(STDIN_FILENO, input.bytes, want);
        if (n < 0 && errno == EINTR) {
            return KEY_INTERRUPTED;
        }
        if (n <= 0) {
            return KEY_EOF;
        }
        input.next = 0;
        input.end = (size_t)n;
    }
    return input.bytes[input.next++];
}

/* A byte with every end of line ("\r", "\n", "\r\n") as one '\n'. */
static int byte_next(size_t want)
{
    int byte = byte_read(want);

    if (byte == '\n' && input.after_return) {
        byte = byte_read(want);
    }
    input.after_return = byte == '\r';
    return byte == '\r' ? '\n' : byte;
}

/* ESC [ NUMBER ~ */
static int key_numbered(int number)
{
    switch (number) {
    case 1:
    case 7:
        return KEY_HOME;
    case 4:
    case 8:
        return KEY_END;
    case 3:
        return KEY_DELETE;
    default:
        return KEY_NONE;
    }
}

static int key_lettered(int letter)
{
    switch (letter) {
    case 'A':
        return KEY_UP;
    case 'B':
        return KEY_DOWN;
    case 'C':
        return KEY_RIGHT;
    case 'D':
        return KEY_LEFT;
    case 'H':
        return KEY_HOME;
    case 'F':
        return KEY_END;
    default:
        return KEY_NONE;
    }
}

/* What follows ESC: [ or O, parameters, and one final character. */
static int sequence_read(void)
{
    int byte = byte_next(1);
    int number = 0;

    if (byte != '[' && byte != 'O') {
        return byte >= KEY_EOF ? byte : KEY_NONE;
    }
    for (int i = 0; i < SEQUENCE_MAX; i++) {
        byte = byte_next(1);
        if (byte >= '0' && byte <= '9' && number < 100) {
            number = number * 10 + (byte - '0');
        } else if (byte == '~') {
            return key_numbered(number);
        } else if (byte >= '@' && byte < 127) {
            return key_lettered(byte);
        } else if (byte < ' ' || byte >= 127) {
            return byte >= KEY_EOF ? byte : KEY_NONE;
        }
    }
    return KEY_NONE;
}

int keys_read(void)
{
    int byte = byte_next(1);

    return byte == ESCAPE ? sequence_read() : byte;
}

int keys_discard_line(void)
{
    for (;;) {
        int byte = byte_next(sizeof(input.bytes));

        if (byte == '\n' || byte == KEY_CONTROL('C') || byte == KEY_EOF) {
            return byte;
        }
        if (byte == KEY_INTERRUPTED) {
            return KEY_CONTROL('C');
        }
    }
}
