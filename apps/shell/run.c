/* SPDX-License-Identifier: BSL-1.0 */
/*
 * Lists of pipelines; see run.h. A line is walked token by token, without a
 * tree: `;` and `&` end a group, `&&` and `||` join pipelines in it.
 */
#include "run.h"
#include "output.h"
#include "pipeline.h"
#include "state.h"
#include "token.h"

#include <unistd.h>

static struct tokens tokens; /* of the line in work; lines do not nest */

static bool is_join(enum token_kind kind)
{
    return kind == TOKEN_AND || kind == TOKEN_OR;
}

static bool is_group_end(enum token_kind kind)
{
    return kind == TOKEN_SEMICOLON || kind == TOKEN_BACKGROUND ||
           kind == TOKEN_END;
}

/* Pipelines joined by && and ||, from left to right. */
static void group_run(const struct token *first, const struct token *end,
                      const char *line)
{
    bool wanted = true;

    while (first < end && !shell.exiting && !shell.interrupted) {
        const struct token *stop = first;

        while (stop < end && !is_join(stop->kind)) {
            stop++;
        }
        if (wanted) {
            shell.status = pipeline_run(first, stop, line);
        }
        if (stop < end) {
            wanted = (stop->kind == TOKEN_AND) == (shell.status == 0);
        }
        first = stop + 1;
    }
}

static void syntax_report(const struct token *token, const char *line)
{
    if (token->kind == TOKEN_END) {
        output_text(STDERR_FILENO, "syntax error near the end of the line\n");
    } else {
        output_text(STDERR_FILENO, "syntax error near '%.*s'\n",
                    (int)token->length, line + token->start);
    }
    shell.status = STATUS_USAGE;
}

static void groups_run(const char *line)
{
    const struct token *first = tokens.items;

    while (first->kind != TOKEN_END && !shell.exiting && !shell.interrupted) {
        const struct token *end = first;

        while (!is_group_end(end->kind)) {
            end++;
        }
        if (end->kind == TOKEN_BACKGROUND) {
            shell.status = pipeline_run_background(first, end, line);
        } else {
            group_run(first, end, line);
        }
        first = end->kind == TOKEN_END ? end : end + 1;
    }
    if (shell.interrupted) {
        shell.status = STATUS_SIGNAL + SIGINT;
    }
}

void run_line(const char *line)
{
    const char *cause = tokens_cut(&tokens, line);
    const struct token *wrong;

    if (cause != NULL) {
        output_text(STDERR_FILENO, "syntax error: %s\n", cause);
        shell.status = STATUS_USAGE;
        return;
    }
    wrong = tokens_check(&tokens);
    if (wrong != NULL) {
        syntax_report(wrong, line);
        return;
    }
    groups_run(line);
}
