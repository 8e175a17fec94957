/* SPDX-License-Identifier: BSL-1.0 */
/* Cutting a line into tokens; the contract is in token.h. */
#include "token.h"

#include <string.h>

static const struct {
    const char *text; /* longer ones first */
    enum token_kind kind;
    uint8_t fd;
} operators[] = {
    {"&&", TOKEN_AND, 0}, {"||", TOKEN_OR, 0},        {">>", TOKEN_APPEND, 1},
    {"|", TOKEN_PIPE, 0}, {"&", TOKEN_BACKGROUND, 0}, {";", TOKEN_SEMICOLON, 0},
    {"<", TOKEN_IN, 0},   {">", TOKEN_OUT, 1},
};

enum { OPERATORS = sizeof(operators) / sizeof(operators[0]) };

bool token_is_redirection(const struct token *token)
{
    return token->kind == TOKEN_IN || token->kind == TOKEN_OUT ||
           token->kind == TOKEN_APPEND || token->kind == TOKEN_SAME;
}

/* `2>` and its like: a descriptor number directly before < or >. */
static bool is_numbered(const char *at)
{
    return at[0] >= '0' && at[0] <= '2' && (at[1] == '<' || at[1] == '>');
}

/* The operator at `at` into *token; 0 if there is none, else its length. */
static size_t operator_cut(const char *at, struct token *token)
{
    size_t number = is_numbered(at);

    for (size_t i = 0; i < OPERATORS; i++) {
        size_t n = strlen(operators[i].text);

        if (strncmp(at + number, operators[i].text, n) != 0) {
            continue;
        }
        token->kind = operators[i].kind;
        token->fd = operators[i].fd;
        if (number > 0) {
            token->fd = (uint8_t)(at[0] - '0');
        }
        n += number;
        if (token->kind == TOKEN_OUT && at[n] == '&' && at[n + 1] >= '0' &&
            at[n + 1] <= '2') {
            token->kind = TOKEN_SAME;
            token->target = (uint8_t)(at[n + 1] - '0');
            n += 2;
        }
        return n;
    }
    return 0;
}

/* Length of the quoted part at `at`, both quotes included; 0: never closed. */
static size_t quote_length(const char *at)
{
    char quote = at[0];
    size_t i = 1;

    while (at[i] != quote) {
        if (at[i] == '\\' && quote == '"' && at[i + 1] != '\0') {
            i++;
        }
        if (at[i] == '\0') {
            return 0;
        }
        i++;
    }
    return i + 1;
}

/* Length of the word at `at`; 0: a quote in it is never closed. */
static size_t word_length(const char *at)
{
    size_t i = 0;

    while (at[i] != '\0' && strchr(" \t|&;<>", at[i]) == NULL) {
        size_t n = 1;

        if (at[i] == '\'' || at[i] == '"') {
            n = quote_length(at + i);
        } else if (at[i] == '\\' && at[i + 1] != '\0') {
            n = 2;
        }
        if (n == 0) {
            return 0;
        }
        i += n;
    }
    return i;
}

const char *tokens_cut(struct tokens *tokens, const char *line)
{
    size_t at = 0;

    tokens->line = line;
    tokens->count = 0;
    for (;;) {
        struct token *token = &tokens->items[tokens->count];
        size_t n;

        at += strspn(line + at, " \t");
        *token = (struct token){.start = (uint16_t)at};
        if (line[at] == '\0' || line[at] == '#') {
            return NULL;
        }
        n = operator_cut(line + at, token);
        if (n == 0) {
            token->kind = TOKEN_WORD;
            n = word_length(line + at);
            if (n == 0) {
                return "a quote is not closed";
            }
        }
        token->length = (uint16_t)n;
        at += n;
        tokens->count++;
    }
}

const struct token *tokens_check(const struct tokens *tokens)
{
    const struct token *token = tokens->items;
    bool has_command = false; /* a word or redirection since the last join */
    bool must_follow = false; /* after | && || something has to come */

    for (;; token++) {
        if (token->kind == TOKEN_WORD) {
            has_command = true;
        } else if (token_is_redirection(token)) {
            has_command = true;
            if (token->kind != TOKEN_SAME && (++token)->kind != TOKEN_WORD) {
                return token;
            }
        } else if (token->kind == TOKEN_END) {
            return must_follow && !has_command ? token : NULL;
        } else {
            if (!has_command) {
                return token;
            }
            has_command = false;
            must_follow = token->kind != TOKEN_SEMICOLON &&
                          token->kind != TOKEN_BACKGROUND;
        }
    }
}
