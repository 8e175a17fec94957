/* SPDX-License-Identifier: BSL-1.0 */
/*
 * A command line cut into tokens. Tokens point into the line, quotes and
 * `$` still in place: expansion happens when a command is about to run, so
 * that `a=1; echo $a` works.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LINE_BYTES_MAX = 1024 }; /* without the end of line */

enum token_kind {
    TOKEN_END,
    TOKEN_WORD,
    TOKEN_PIPE,       /* | */
    TOKEN_AND,        /* && */
    TOKEN_OR,         /* || */
    TOKEN_BACKGROUND, /* & */
    TOKEN_SEMICOLON,  /* ; */
    TOKEN_IN,         /* < */
    TOKEN_OUT,        /* > or 2> */
    TOKEN_APPEND,     /* >> or 2>> */
    TOKEN_SAME,       /* 2>&1 or >&2: `target` is the second number */
};

struct token {
    enum token_kind kind;
    uint16_t start;  /* offset in the line */
    uint16_t length; /* bytes */
    uint8_t fd;      /* redirections: the descriptor that is replaced */
    uint8_t target;  /* TOKEN_SAME only */
};

struct tokens {
    const char *line;
    struct token items[LINE_BYTES_MAX + 1]; /* the last one is TOKEN_END */
    size_t count;                           /* without TOKEN_END */
};

/*
 * Cuts `line` (at most LINE_BYTES_MAX bytes, which must outlive the tokens).
 * Returns NULL, or the cause as a sentence: an open quote.
 */
const char *tokens_cut(struct tokens *tokens, const char *line);

/*
 * Checks that the tokens form commands; returns NULL or the first token that
 * has no place there (TOKEN_END: something is missing at the end).
 */
const struct token *tokens_check(const struct tokens *tokens);

/* A redirection, which takes the next word (TOKEN_SAME: none). */
bool token_is_redirection(const struct token *token);
