/* SPDX-License-Identifier: BSL-1.0 */
/* Drawing the edited line; the contract is in screen.h. */
#include "screen.h"
#include "output.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char pending[1024];
static size_t pending_n;

void screen_flush(void)
{
    output_bytes(STDOUT_FILENO, pending, pending_n);
    pending_n = 0;
}

static void put(const char *bytes, size_t n)
{
    while (n > 0) {
        size_t part = sizeof(pending) - pending_n;

        part = n < part ? n : part;
        memcpy(pending + pending_n, bytes, part);
        pending_n += part;
        bytes += part;
        n -= part;
        if (pending_n == sizeof(pending)) {
            screen_flush();
        }
    }
}

void screen_text(const char *text)
{
    put(text, strlen(text));
}

/* A byte that continues a UTF-8 character and takes no column. */
static int is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

size_t screen_next(const char *line, size_t n, size_t at)
{
    size_t next = at;

    if (next < n) {
        next++;
    }
    while (next < n && is_continuation(line[next])) {
        next++;
    }
    return next - at;
}

size_t screen_previous(const char *line, size_t at)
{
    size_t previous = at;

    while (previous > 0 && is_continuation(line[previous - 1])) {
        previous--;
    }
    if (previous > 0) {
        previous--;
    }
    return at - previous;
}

static size_t columns_count(const char *line, size_t from, size_t to)
{
    size_t columns = 0;

    for (; from < to; from++) {
        columns += !is_continuation(line[from]);
    }
    return columns;
}

/* Columns for the line; the last one of the screen stays free. */
static size_t columns_free(const struct screen *screen)
{
    return SCREEN_COLUMNS - 1 - screen->prompt_columns;
}

void screen_start(struct screen *screen, const char *prompt)
{
    screen->prompt = prompt;
    screen->prompt_columns = columns_count(prompt, 0, strlen(prompt));
    screen->first = 0;
    screen_text(prompt);
}

/*
 * Scrolls until byte `at` is visible. It moves by half a screen, so that
 * typing on redraws the line only every 30 characters or so.
 */
static void scroll_to(struct screen *screen, const char *line, size_t at)
{
    size_t room = columns_free(screen);
    size_t first = at;

    if (at >= screen->first && columns_count(line, screen->first, at) <= room) {
        return;
    }
    while (first > 0 && columns_count(line, first, at) < room / 2) {
        first -= screen_previous(line, first);
    }
    screen->first = first;
}

void screen_draw(struct screen *screen, const char *line, size_t n, size_t at)
{
    size_t room = columns_free(screen);
    size_t end;
    char move[16];

    scroll_to(screen, line, at);
    end = screen->first;
    while (end < n && columns_count(line, screen->first, end) < room) {
        end += screen_next(line, n, end);
    }
    screen_text("\r");
    screen_text(screen->prompt);
    put(line + screen->first, end - screen->first);
    screen_text("\033[K\r"); /* erase to the right; back to the margin */
    snprintf(move, sizeof(move), "\033[%zuC",
             screen->prompt_columns + columns_count(line, screen->first, at));
    screen_text(move);
}

void screen_append(struct screen *screen, const char *line, size_t n_line,
                   size_t n)
{
    if (columns_count(line, screen->first, n_line) <= columns_free(screen)) {
        put(line + n_line - n, n);
    } else {
        screen_draw(screen, line, n_line, n_line);
    }
}
