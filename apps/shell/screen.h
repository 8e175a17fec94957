/* SPDX-License-Identifier: BSL-1.0 */
/*
 * The visible part of the edited line. Output is collected and written once
 * per key; typing at the end of the line sends nothing but the character.
 */
#pragma once

#include <stddef.h>

enum { SCREEN_COLUMNS = 80 };

struct screen {
    const char *prompt;
    size_t prompt_columns;
    size_t first; /* first visible byte of the line */
};

/* Prints the prompt where the cursor is. */
void screen_start(struct screen *screen, const char *prompt);

/* Draws prompt and line anew, with the cursor at byte `at`. */
void screen_draw(struct screen *screen, const char *line, size_t n, size_t at);

/* The n bytes at line[at - n] were typed at the end, n_line long by now. */
void screen_append(struct screen *screen, const char *line, size_t n_line,
                   size_t n);

void screen_text(const char *text);
void screen_flush(void);

/* Bytes of the character that starts at / ends before `at` (UTF-8). */
size_t screen_next(const char *line, size_t n, size_t at);
size_t screen_previous(const char *line, size_t at);
