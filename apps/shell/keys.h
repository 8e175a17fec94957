/* SPDX-License-Identifier: BSL-1.0 */
/*
 * Keys from the terminal on descriptor 0. Bytes are read one at a time, so
 * that what was typed ahead stays for the program that runs next; only a
 * line that is being thrown away is read in blocks.
 */
#pragma once

enum key {
    /* 0..255: that byte; control characters included */
    KEY_UP = 256,
    KEY_DOWN,
    KEY_LEFT,
    KEY_RIGHT,
    KEY_HOME,
    KEY_END,
    KEY_DELETE,
    KEY_NONE,        /* an unknown sequence, to be ignored */
    KEY_EOF,         /* the terminal is gone */
    KEY_INTERRUPTED, /* a signal came instead */
};

#define KEY_CONTROL(letter) ((letter)&31)

/* The next key; waits. */
int keys_read(void);

/*
 * Throws all away up to the end of the line. Returns '\n', KEY_CONTROL('C')
 * or KEY_EOF: whichever ended it.
 */
int keys_discard_line(void);
