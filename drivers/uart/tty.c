/* SPDX-License-Identifier: BSL-1.0 */
/* The line discipline; the contract is in tty.h. */
#include "tty.h"

#include <string.h>
#include <vesper/file.h>

#define READY_END 0x100u /* a line ends after this byte */
#define READY_EOF 0x200u /* a line ends here; the byte does not count */
/* Its echo was decided when it was typed: a mode that comes later shows it no
 * more. Else every command would show again all that is typed ahead. */
#define READY_SETTLED 0x400u

enum {
    CTRL_C = 3,
    CTRL_D = 4,
    BELL = 7,
    BACKSPACE = 8,
    CTRL_U = 21,
    CTRL_W = 23,
    CTRL_BACKSLASH = 28,
    DELETE = 127,
};

void tty_start(struct tty *t, void (*echo)(const char *bytes, uint32_t count),
               void (*signal)(enum tty_signal signal))
{
    memset(t, 0, sizeof *t);
    t->flags = TTY_DEFAULT;
    t->echo = echo;
    t->signal = signal;
}

static bool has_flag(const struct tty *t, uint32_t flag)
{
    return (t->flags & flag) != 0;
}

static void byte_drop(struct tty *t)
{
    static const char bell = BELL;

    t->dropped++;
    if (!t->dropping) {
        t->dropping = true;
        t->echo(&bell, 1);
    }
}

static uint32_t ready_room(const struct tty *t)
{
    return TTY_READY_BYTES - (t->tail - t->head);
}

/* The caller has seen to it that there is room. */
static void ready_put(struct tty *t, uint32_t entry)
{
    t->ready[t->tail++ % TTY_READY_BYTES] = (uint16_t)entry;
    t->ends += (entry & (READY_END | READY_EOF)) != 0;
}

static uint32_t ready_take(struct tty *t)
{
    uint32_t entry = t->ready[t->head++ % TTY_READY_BYTES];

    t->ends -= (entry & (READY_END | READY_EOF)) != 0;
    return entry;
}

static bool echoes(const struct tty *t)
{
    return has_flag(t, TTY_ECHO) && !t->settled;
}

static void byte_echo(struct tty *t, uint8_t byte)
{
    char text[2] = {(char)byte, '\n'};

    if (!echoes(t)) {
        return;
    }
    if (byte == '\n') {
        t->echo("\r\n", 2);
    } else if (byte == '\t') {
        t->echo(" ", 1);
    } else if (byte < ' ' || byte == DELETE) {
        text[0] = '^';
        text[1] = (char)(byte ^ 0x40);
        t->echo(text, 2);
    } else {
        t->echo(text, 1);
    }
}

/* Take the last byte of the line away; returns the columns its echo took. */
static uint32_t byte_erase(struct tty *t)
{
    uint8_t byte = (uint8_t)t->line[--t->line_bytes];

    if ((byte & 0xc0) == 0x80) {
        return 0; /* inside a UTF-8 character; its first byte counts */
    }
    return (byte < ' ' && byte != '\t') || byte == DELETE ? 2 : 1;
}

/* One character of UTF-8: trailing bytes take no column, the first one does. */
static void character_erase(struct tty *t)
{
    uint32_t columns = 0;

    while (t->line_bytes > 0 && columns == 0) {
        columns = byte_erase(t);
    }
    while (columns-- > 0 && echoes(t)) {
        t->echo("\b \b", 3);
    }
}

static bool is_blank_last(const struct tty *t)
{
    char last = t->line[t->line_bytes - 1];

    return last == ' ' || last == '\t';
}

static void word_erase(struct tty *t)
{
    while (t->line_bytes > 0 && is_blank_last(t)) {
        character_erase(t);
    }
    while (t->line_bytes > 0 && !is_blank_last(t)) {
        character_erase(t);
    }
}

/* Make the line readable. There is room: line_append kept it. */
static void line_release(struct tty *t)
{
    for (uint32_t i = 0; i < t->line_bytes; i++) {
        ready_put(t, (uint8_t)t->line[i] | READY_SETTLED);
    }
    t->line_bytes = 0;
}

static void line_finish(struct tty *t, uint32_t end)
{
    line_release(t);
    ready_put(t, end | READY_SETTLED);
    t->dropping = false;
}

static void line_append(struct tty *t, uint8_t byte)
{
    /* One entry is kept for the end of the line. */
    if (t->line_bytes + 1 >= TTY_LINE_BYTES ||
        t->line_bytes + 1 >= ready_room(t)) {
        byte_drop(t);
        return;
    }
    t->line[t->line_bytes++] = (char)byte;
    byte_echo(t, byte);
}

static void line_end(struct tty *t, uint8_t byte)
{
    if (ready_room(t) <= t->line_bytes) {
        byte_drop(t); /* only when the line is empty and nobody reads */
    } else if (byte == '\n') {
        byte_echo(t, byte);
        line_finish(t, (uint32_t)byte | READY_END);
    } else {
        line_finish(t, CTRL_D | READY_EOF);
    }
}

static void canonical_input(struct tty *t, uint8_t byte)
{
    switch (byte) {
    case '\n':
    case CTRL_D:
        line_end(t, byte);
        break;
    case BACKSPACE:
    case DELETE:
        character_erase(t);
        break;
    case CTRL_W:
        word_erase(t);
        break;
    case CTRL_U:
        while (t->line_bytes > 0) {
            character_erase(t);
        }
        break;
    default:
        line_append(t, byte);
    }
}

static void raw_input(struct tty *t, uint8_t byte)
{
    if (ready_room(t) == 0) {
        byte_drop(t);
        return;
    }
    t->dropping = false;
    ready_put(t, byte | (has_flag(t, TTY_ECHO) ? READY_SETTLED : 0));
    byte_echo(t, byte);
}

static void signal_input(struct tty *t, uint8_t byte)
{
    t->line_bytes = 0;
    t->head = t->tail;
    t->ends = 0;
    t->dropping = false;
    byte_echo(t, byte); /* whoever sees the program end ends the line */
    t->signal(byte == CTRL_C ? TTY_INTERRUPT : TTY_KILL);
}

void tty_input(struct tty *t, uint8_t byte)
{
    if (byte == '\r') {
        byte = '\n';
    }
    if (has_flag(t, TTY_SIGNALS) &&
        (byte == CTRL_C || byte == CTRL_BACKSLASH)) {
        signal_input(t, byte);
    } else if (has_flag(t, TTY_CANON)) {
        canonical_input(t, byte);
    } else {
        raw_input(t, byte);
    }
}

/* Typed ahead without TTY_CANON: now it can be edited, and is shown. A signal
 * among it empties the ring, hence the second condition. */
static void input_again(struct tty *t)
{
    for (uint32_t left = t->tail - t->head; left > 0 && t->head != t->tail;
         left--) {
        uint32_t entry = ready_take(t);

        t->settled = (entry & READY_SETTLED) != 0;
        tty_input(t, (uint8_t)entry);
    }
    t->settled = false;
}

void tty_set(struct tty *t, uint32_t flags)
{
    uint32_t changed = t->flags ^ flags;

    t->flags = flags;
    if (!(changed & TTY_CANON)) {
        return;
    }
    if (flags & TTY_CANON) {
        input_again(t);
    } else {
        line_release(t); /* behind the unread lines; ends lose their meaning */
    }
}

bool tty_full(const struct tty *t)
{
    return ready_room(t) <= (has_flag(t, TTY_CANON) ? t->line_bytes + 1 : 0);
}

bool tty_readable(const struct tty *t)
{
    return has_flag(t, TTY_CANON) ? t->ends > 0 : t->head != t->tail;
}

static uint32_t line_read(struct tty *t, char *out, uint32_t max)
{
    uint32_t n = 0;

    while (t->head != t->tail) {
        uint32_t next = t->ready[t->head % TTY_READY_BYTES];

        if (next & READY_EOF) {
            /* Also right behind a full buffer: it ended a line that had bytes,
             * and must not look like the end of input next time. */
            (void)ready_take(t);
            return n;
        }
        if (n == max) {
            return n;
        }
        out[n++] = (char)ready_take(t);
        if (next & READY_END) {
            return n;
        }
    }
    return n;
}

uint32_t tty_read(struct tty *t, char *out, uint32_t max)
{
    uint32_t n = 0;

    if (has_flag(t, TTY_CANON)) {
        return line_read(t, out, max);
    }
    while (n < max && t->head != t->tail) {
        out[n++] = (char)ready_take(t);
    }
    return n;
}
