/* SPDX-License-Identifier: BSL-1.0 */
/*
 * The line editor: one line on an 80-column terminal, scrolled sideways when
 * it is longer. Arrows, Home, End, Delete, Backspace, Ctrl-A E B F K U W L P
 * N, history, and Tab (twice: the list of what fits).
 */
#pragma once

#include "token.h"

enum editor_result {
    EDITOR_LINE,      /* a line was entered */
    EDITOR_EOF,       /* Ctrl-D on an empty line, or the terminal is gone */
    EDITOR_INTERRUPT, /* Ctrl-C */
    EDITOR_TOO_LONG,  /* over LINE_BYTES_MAX; all of it was thrown away */
};

/*
 * Prints the prompt and edits until the end of the line, which is then in
 * `line` with a NUL, and in the history. The terminal is raw only inside.
 */
enum editor_result editor_read(const char *prompt,
                               char line[LINE_BYTES_MAX + 1]);
