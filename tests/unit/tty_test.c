/* SPDX-License-Identifier: BSL-1.0
 *
 * The line discipline of drivers/uart/tty.c, driven byte by byte: what a reader
 * gets, what the user sees, which signals go out, and that a flood stays
 * bounded.
 */
#include "../../drivers/uart/tty.h"

#include <stdio.h>
#include <string.h>
#include <vesper/file.h>

static struct tty tty;
static char seen[1 << 16]; /* the echo */
static uint32_t seen_bytes;
static uint64_t seen_total;
static int signals[3];
static int count, failures;

static void echo_record(const char *bytes, uint32_t n)
{
    seen_total += n;
    if (seen_bytes + n < sizeof seen) {
        memcpy(&seen[seen_bytes], bytes, n);
        seen_bytes += n;
        seen[seen_bytes] = 0;
    }
}

static void signal_record(enum tty_signal signal)
{
    signals[signal]++;
}

static void check(int good, const char *what)
{
    printf("%sok %d - %s\n", good ? "" : "not ", ++count, what);
    failures += !good;
}

static void begin(void)
{
    memset(signals, 0, sizeof signals);
    seen_bytes = 0;
    seen_total = 0;
    seen[0] = 0;
    tty_start(&tty, echo_record, signal_record);
}

static void type(const char *text)
{
    for (; *text; text++) {
        tty_input(&tty, (uint8_t)*text);
    }
}

/* Does one read give exactly this? */
static int reads(const char *expected)
{
    char out[TTY_READY_BYTES + 1];
    uint32_t n;

    if (!tty_readable(&tty)) {
        return 0;
    }
    n = tty_read(&tty, out, sizeof out);
    return n == strlen(expected) && memcmp(out, expected, n) == 0;
}

static void test_lines(void)
{
    begin();
    type("hello");
    check(!tty_readable(&tty), "an unfinished line is not readable");
    type("\rsecond\n");
    check(reads("hello\n"), "CR ends a line; one line a read");
    check(reads("second\n"), "the second line is kept");
    check(!tty_readable(&tty), "nothing is left");
    check(strcmp(seen, "hello\r\nsecond\r\n") == 0, "echo with CR LF");
}

static void test_short_reads(void)
{
    char out[4];

    begin();
    type("abcdef\n");
    check(tty_read(&tty, out, 4) == 4 && memcmp(out, "abcd", 4) == 0,
          "a short buffer takes part of a line");
    check(tty_readable(&tty) && reads("ef\n"), "the rest comes next");
    type("wxyz\x04");
    check(tty_read(&tty, out, 4) == 4 && !tty_readable(&tty),
          "Ctrl-D behind a full buffer is not an end of input");
}

static void test_editing(void)
{
    begin();
    type("helo\blo\x7f\x7flo\n");
    check(reads("hello\n"), "BS and DEL erase");
    begin();
    type("x\b\b\b\b");
    check(strcmp(seen, "x\b \b") == 0, "nothing to erase: no echo");
    begin();
    type("one two  \x17three\n");
    check(reads("one three\n"), "Ctrl-W erases blanks and a word");
    begin();
    type("rubbish\x15good\n");
    check(reads("good\n"), "Ctrl-U erases the line");
    begin();
    type("a\xc3\xa4\b\n");
    check(reads("a\n"), "a character of UTF-8 is erased whole");
    check(strcmp(seen, "a\xc3\xa4\b \b\r\n") == 0, "... in one column");
    begin();
    type("\x01\t\b\b\n");
    check(reads("\n"), "control characters are erased");
    check(strcmp(seen, "^A \b \b\b \b\b \b\r\n") == 0, "... in two columns");
}

static void test_end_of_input(void)
{
    begin();
    type("\x04");
    check(reads(""), "Ctrl-D on an empty line: end of input");
    check(!tty_readable(&tty), "... once");
    type("part\x04");
    check(reads("part"), "Ctrl-D hands over an unfinished line");
    check(!tty_readable(&tty), "... without an end of input");
    type("a\n\x04"
         "b\n");
    check(reads("a\n") && reads("") && reads("b\n"), "in its place");
}

static void test_signals(void)
{
    begin();
    type("typed ahead\nunfinished\x03");
    check(signals[TTY_INTERRUPT] == 1, "Ctrl-C interrupts");
    check(!tty_readable(&tty) && tty.line_bytes == 0, "... and flushes");
    check(strstr(seen, "unfinished^C") != NULL, "... and shows");
    type("\x1c");
    check(signals[TTY_KILL] == 1 && signals[TTY_INTERRUPT] == 1,
          "Ctrl-\\ kills");
    type("next\n");
    check(reads("next\n"), "input goes on afterwards");
    tty_set(&tty, TTY_CANON | TTY_ECHO);
    type("\x03\n");
    check(signals[TTY_INTERRUPT] == 1 && reads("\x03\n"),
          "without TTY_SIGNALS Ctrl-C is a byte");
}

static void test_raw(void)
{
    begin();
    tty_set(&tty, 0);
    type("a");
    check(reads("a"), "raw: a byte is readable at once");
    type("\x04\x03\x15\x7f\r");
    check(reads("\x04\x03\x15\x7f\n"), "raw: no byte is special but CR");
    check(seen_bytes == 0 && signals[TTY_INTERRUPT] == 0, "raw: no echo");
}

static void test_mode_change(void)
{
    begin();
    type("line\nrest\x04half");
    tty_set(&tty, TTY_SIGNALS);
    check(reads("line\nrest\x04half"), "to raw: all that was typed, at once");
    type("ls\rca\bat\rhal");
    tty_set(&tty, TTY_DEFAULT);
    check(reads("ls\n") && reads("cat\n") && !tty_readable(&tty),
          "to canonical: type-ahead is edited");
    type("f\n");
    check(reads("half\n"), "... and goes on");
    check(strstr(seen, "ls\r\nca\b \bat\r\nhalf\r\n") != NULL, "... and shown");
    begin();
    tty_set(&tty, 0);
    type("old\x03"
         "new\n");
    tty_set(&tty, TTY_DEFAULT);
    check(signals[TTY_INTERRUPT] == 1 && !tty_readable(&tty),
          "to canonical: a Ctrl-C typed ahead counts, and flushes");
}

/* A shell edits raw and runs programs in canonical mode: what is typed ahead
 * goes through many changes. */
static void test_mode_changes(void)
{
    begin();
    type("one\ntwo\nhalf");
    for (int i = 0; i < 10; i++) {
        tty_set(&tty, TTY_SIGNALS);
        tty_set(&tty, TTY_DEFAULT);
    }
    check(strcmp(seen, "one\r\ntwo\r\nhalf") == 0,
          "type-ahead is shown once, whatever modes come");
    tty_set(&tty, 0);
    type("raw\n");
    tty_set(&tty, TTY_DEFAULT);
    tty_set(&tty, 0);
    tty_set(&tty, TTY_DEFAULT);
    check(strcmp(seen, "one\r\ntwo\r\nhalfraw\r\n") == 0,
          "... and what raw mode did not show, once as well");
    check(reads("one\n") && reads("two\n") && reads("halfraw\n"),
          "... and is all there");
    begin();
    tty_set(&tty, TTY_CANON);
    type("secret");
    tty_set(&tty, 0);
    tty_set(&tty, TTY_DEFAULT);
    check(seen_bytes == 0, "what was typed without echo is never shown");
}

static void test_flood(const char *what, uint32_t flags, const char *unit)
{
    char out[TTY_READY_BYTES];
    uint64_t typed = 0, got = 0;
    char text[120];

    begin();
    tty_set(&tty, flags);
    seen_total = 0;
    for (; typed < 1 << 20; typed += strlen(unit)) {
        type(unit);
    }
    while (tty_readable(&tty)) {
        got += tty_read(&tty, out, sizeof out);
    }
    snprintf(text, sizeof text, "%s: bounded, the rest is counted", what);
    check(got + tty.line_bytes + tty.dropped == typed &&
              got + tty.line_bytes <= TTY_READY_BYTES && tty.dropped > 0,
          text);
    snprintf(text, sizeof text, "%s: one BEL", what);
    if (!(flags & TTY_ECHO)) {
        check(seen_total == 1, text);
    } else {
        check(memchr(seen, 7, seen_bytes) != NULL &&
                  seen_total <= 2 * TTY_READY_BYTES + 3,
              text);
    }
    type("\x15\nafter\n");
    if (flags & TTY_CANON) {
        check(reads("\n") && reads("after\n"), "... and works on");
    } else {
        check(reads("\x15\nafter\n"), "... and works on");
    }
}

static void test_full(void)
{
    begin();
    for (uint32_t i = 0; i < TTY_READY_BYTES / 8 - 1; i++) {
        type("1234567\n");
    }
    type("123456");
    check(!tty_full(&tty) && tty.dropped == 0, "not full while a byte fits");
    type("7");
    check(tty_full(&tty) && tty.dropped == 0, "full before anything is lost");
    check(reads("1234567\n") && !tty_full(&tty), "reading makes room");
    begin();
    for (uint32_t i = 0; i < 2 * TTY_LINE_BYTES; i++) {
        type("z");
    }
    check(!tty_full(&tty), "an endless line does not count: nobody could read");
}

static void test_line_limit(void)
{
    static char out[TTY_READY_BYTES];

    begin();
    for (int i = 0; i < 5000; i++) {
        type("y");
    }
    type("\n");
    check(tty_read(&tty, out, sizeof out) == TTY_LINE_BYTES,
          "a line of 5000 is cut to TTY_LINE_BYTES with its newline");
    check(out[TTY_LINE_BYTES - 1] == '\n', "... which is there");
}

static void test_read_while_typing(void)
{
    uint64_t got = 0;

    begin();
    for (int i = 0; i < 20000; i++) {
        type("0123456789\n");
        got += reads("0123456789\n");
    }
    check(got == 20000 && tty.dropped == 0, "indices run round the ring");
}

int main(void)
{
    test_lines();
    test_short_reads();
    test_editing();
    test_end_of_input();
    test_signals();
    test_raw();
    test_mode_change();
    test_mode_changes();
    test_flood("flood without newline", TTY_DEFAULT, "xyz");
    test_flood("flood of lines", TTY_DEFAULT, "line\n");
    test_flood("flood of newlines", TTY_DEFAULT, "\n");
    test_flood("raw flood", 0,
               "\xff\x01"
               "z");
    test_full();
    test_line_limit();
    test_read_while_typing();
    printf("1..%d\n", count);
    return failures != 0;
}
