/* SPDX-License-Identifier: BSL-1.0 */
/* Editing one line; the contract is in editor.h. */
#include "editor.h"
#include "complete.h"
#include "history.h"
#include "keys.h"
#include "screen.h"
#include "state.h"
#include "terminal.h"

#include "../tools/columns.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BACKSPACE = 127, LIST_MAX = 200 };

struct editor {
    struct screen screen;
    char *line;
    size_t n;
    size_t at;           /* the cursor, as a byte of the line */
    size_t history_back; /* 0: the line being written */
    bool last_was_tab;
    bool is_full; /* a character found no room: the line is given up */
};

/* The line being written, while an older one is shown. */
static char draft[LINE_BYTES_MAX + 1];

static void redraw(struct editor *editor)
{
    screen_draw(&editor->screen, editor->line, editor->n, editor->at);
}

static void insert(struct editor *editor, const char *bytes, size_t n)
{
    bool at_end = editor->at == editor->n;

    if (n > LINE_BYTES_MAX - editor->n) {
        editor->is_full = true;
        return;
    }
    memmove(editor->line + editor->at + n, editor->line + editor->at,
            editor->n - editor->at);
    memcpy(editor->line + editor->at, bytes, n);
    editor->n += n;
    editor->at += n;
    if (at_end) {
        screen_append(&editor->screen, editor->line, editor->n, n);
    } else {
        redraw(editor);
    }
}

/* Removes the bytes [from, to) and leaves the cursor at `from`. */
static void erase(struct editor *editor, size_t from, size_t to)
{
    memmove(editor->line + from, editor->line + to, editor->n - to);
    editor->n -= to - from;
    editor->at = from;
    redraw(editor);
}

static void move(struct editor *editor, size_t at)
{
    editor->at = at;
    redraw(editor);
}

static void erase_word(struct editor *editor)
{
    size_t from = editor->at;

    while (from > 0 && editor->line[from - 1] == ' ') {
        from--;
    }
    while (from > 0 && editor->line[from - 1] != ' ') {
        from--;
    }
    erase(editor, from, editor->at);
}

static void history_show(struct editor *editor, size_t back)
{
    const char *text;

    if (editor->history_back == 0) {
        memcpy(draft, editor->line, editor->n);
        draft[editor->n] = '\0';
    }
    text = back == 0 ? draft : history_get(back);
    if (text == NULL) {
        return;
    }
    editor->history_back = back;
    editor->n = strlen(text);
    memcpy(editor->line, text, editor->n);
    move(editor, editor->n);
}

static void history_newer(struct editor *editor)
{
    if (editor->history_back > 0) {
        history_show(editor, editor->history_back - 1);
    }
}

static void insert_escaped(struct editor *editor, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (complete_is_special(text[i])) {
            insert(editor, "\\", 1);
        }
        insert(editor, &text[i], 1);
    }
}

static void complete_list(struct editor *editor, const struct names *names)
{
    struct names shown = *names;

    if (shown.count > LIST_MAX) {
        shown.count = LIST_MAX;
    }
    screen_text("\n");
    screen_flush();
    columns_print(&shown);
    if (shown.count < names->count) {
        printf("... and %zu more\n", names->count - shown.count);
    }
    fflush(stdout);
    redraw(editor);
}

static void complete(struct editor *editor)
{
    struct completion completion;
    const char *name;
    size_t more;

    if (!complete_find(&completion, editor->line, editor->at)) {
        screen_text("\a");
        return;
    }
    name = completion.names.items[0];
    more = completion.common_bytes - completion.typed_bytes;
    if (more > 0) {
        insert_escaped(editor, name + completion.typed_bytes, more);
    }
    if (completion.names.count == 1) {
        if (name[completion.common_bytes - 1] != '/') {
            insert(editor, " ", 1);
        }
    } else if (more == 0) {
        if (editor->last_was_tab) {
            complete_list(editor, &completion.names);
        } else {
            screen_text("\a");
        }
    }
    names_free(&completion.names);
}

static void clear_screen(struct editor *editor)
{
    screen_text("\033[H\033[2J");
    redraw(editor);
}

static void move_key(struct editor *editor, int key)
{
    switch (key) {
    case KEY_LEFT:
        move(editor, editor->at - screen_previous(editor->line, editor->at));
        break;
    case KEY_RIGHT:
        move(editor,
             editor->at + screen_next(editor->line, editor->n, editor->at));
        break;
    case KEY_UP:
        history_show(editor, editor->history_back + 1);
        break;
    case KEY_DOWN:
        history_newer(editor);
        break;
    case KEY_HOME:
        move(editor, 0);
        break;
    case KEY_END:
        move(editor, editor->n);
        break;
    default:
        break;
    }
}

static void erase_key(struct editor *editor, int key)
{
    size_t at = editor->at;

    switch (key) {
    case BACKSPACE:
        erase(editor, at - screen_previous(editor->line, at), at);
        break;
    case KEY_DELETE:
        erase(editor, at, at + screen_next(editor->line, editor->n, at));
        break;
    case KEY_CONTROL('K'):
        erase(editor, at, editor->n);
        break;
    case KEY_CONTROL('U'):
        erase(editor, 0, at);
        break;
    case KEY_CONTROL('W'):
        erase_word(editor);
        break;
    default:
        break;
    }
}

/* The keys that exist twice, as one. */
static int key_canonical(int key)
{
    static const struct {
        int control;
        int key;
    } same[] = {
        {KEY_CONTROL('A'), KEY_HOME},   {KEY_CONTROL('B'), KEY_LEFT},
        {KEY_CONTROL('D'), KEY_DELETE}, {KEY_CONTROL('E'), KEY_END},
        {KEY_CONTROL('F'), KEY_RIGHT},  {KEY_CONTROL('H'), BACKSPACE},
        {KEY_CONTROL('N'), KEY_DOWN},   {KEY_CONTROL('P'), KEY_UP},
    };

    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        if (same[i].control == key) {
            return same[i].key;
        }
    }
    return key;
}

static void edit_key(struct editor *editor, int key)
{
    char byte = (char)key;

    key = key_canonical(key);
    if (key == '\t') {
        complete(editor);
    } else if (key == KEY_CONTROL('L')) {
        clear_screen(editor);
    } else if (key >= ' ' && key < 256 && key != BACKSPACE) {
        insert(editor, &byte, 1);
    } else {
        move_key(editor, key);
        erase_key(editor, key);
    }
    editor->last_was_tab = key == '\t';
}

/* Reads on until the end of a line that has become too long. */
static enum editor_result give_up(void)
{
    int end;

    screen_flush();
    end = keys_discard_line();
    if (end == KEY_EOF) {
        return EDITOR_EOF;
    }
    return end == '\n' ? EDITOR_TOO_LONG : EDITOR_INTERRUPT;
}

static enum editor_result edit(struct editor *editor)
{
    for (;;) {
        int key;

        screen_flush();
        key = keys_read();
        if (key == '\n') {
            return EDITOR_LINE;
        }
        if (key == KEY_CONTROL('C') || key == KEY_INTERRUPTED) {
            screen_text("^C");
            return EDITOR_INTERRUPT;
        }
        if (key == KEY_EOF || (key == KEY_CONTROL('D') && editor->n == 0)) {
            return EDITOR_EOF;
        }
        edit_key(editor, key);
        if (editor->is_full) {
            return give_up();
        }
    }
}

enum editor_result editor_read(const char *prompt,
                               char line[LINE_BYTES_MAX + 1])
{
    struct editor editor = {.line = line};
    enum editor_result result;

    terminal_raw();
    screen_start(&editor.screen, prompt);
    result = edit(&editor);
    screen_text("\n");
    screen_flush();
    terminal_cooked();
    line[editor.n] = '\0';
    if (result == EDITOR_LINE) {
        history_add(line);
    }
    return result;
}
