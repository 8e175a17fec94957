/* SPDX-License-Identifier: BSL-1.0
 *
 * The line discipline: turns received bytes into lines that can be edited,
 * their echo and signals. Pure: no device, no calls but the two given to
 * tty_start, so the host tests it. All buffers are bounded: what does not fit
 * is dropped, and the first of the dropped is answered with a BEL.
 *
 * Received CR always counts as newline. With TTY_CANON: BS or DEL erases a
 * character (of UTF-8), Ctrl-W a word, Ctrl-U the line, Ctrl-D ends the input
 * (or hands over an unfinished line). With TTY_SIGNALS: Ctrl-C and Ctrl-\ throw
 * away all waiting input and signal. Echo shows a tab as one space and other
 * control characters as ^X, so that erasing them is exact; nothing is shown
 * twice, whatever tty_set does.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define TTY_LINE_BYTES  4096u  /* longest line with its newline */
#define TTY_READY_BYTES 16384u /* typed ahead */

enum tty_signal { TTY_INTERRUPT = 1, TTY_KILL };

struct tty {
    uint32_t flags; /* TTY_x of <vesper/file.h> */
    void (*echo)(const char *bytes, uint32_t count);
    void (*signal)(enum tty_signal signal);
    bool dropping;    /* a BEL was sent for what is being dropped */
    bool settled;     /* the byte in tty_input was typed, and shown, before */
    uint64_t dropped; /* bytes, ever */
    uint32_t line_bytes;
    char line[TTY_LINE_BYTES];       /* being edited */
    uint32_t head, tail;             /* of ready; they only grow */
    uint32_t ends;                   /* line ends among ready */
    uint16_t ready[TTY_READY_BYTES]; /* a byte, or'ed with what tty.c defines */
};

/* All settings as TTY_DEFAULT. Neither function may call back into the tty. */
void tty_start(struct tty *t, void (*echo)(const char *bytes, uint32_t count),
               void (*signal)(enum tty_signal signal));

/* One received byte. */
void tty_input(struct tty *t, uint8_t byte);

/* Change TTY_x; input that nobody has read yet is treated anew under them. */
void tty_set(struct tty *t, uint32_t flags);

/* Would the next byte be dropped because nobody reads? Then a caller who can
 * makes the sender wait. */
bool tty_full(const struct tty *t);

/* Is there something for tty_read: a line or end of input (TTY_CANON), or any
 * byte (else)? */
bool tty_readable(const struct tty *t);

/* Take up to max (> 0) bytes, with TTY_CANON no more than one line. Returns
 * their number; 0: end of input. Only if tty_readable(). */
uint32_t tty_read(struct tty *t, char *out, uint32_t max);
