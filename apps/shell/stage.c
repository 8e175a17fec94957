/* SPDX-License-Identifier: BSL-1.0 */
/* Simple commands; the contract is in stage.h. */
#include "stage.h"
#include "builtin.h"
#include "descriptors.h"
#include "expand.h"
#include "launch.h"
#include "output.h"
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct arguments arguments; /* of the stage in work; too big a local */

static int open_flags(enum token_kind kind)
{
    switch (kind) {
    case TOKEN_OUT:
        return O_WRONLY | O_CREAT | O_TRUNC;
    case TOKEN_APPEND:
        return O_WRONLY | O_CREAT | O_APPEND;
    default:
        return O_RDONLY;
    }
}

static bool redirect_file(struct stage *stage, const struct token *token,
                          const char *line)
{
    const struct token *word = token + 1;
    const char *path = expand_single(line + word->start, word->length);
    int fd = -1;

    if (path != NULL) {
        fd = open(path, open_flags(token->kind), 0666);
    } else {
        path = "redirection";
        errno = ENAMETOOLONG;
    }
    if (fd < 0 || !descriptors_add(fd, stage->number)) {
        output_text(stage->fds[2], "%s: %s\n", path, strerror(errno));
        return false;
    }
    stage->fds[token->fd] = fd;
    return true;
}

static bool stage_redirect(struct stage *stage, const char *line)
{
    const struct token *token = stage->first;

    for (; token < stage->end; token++) {
        if (token->kind == TOKEN_SAME) {
            stage->fds[token->fd] = stage->fds[token->target];
        } else if (token_is_redirection(token)) {
            if (!redirect_file(stage, token, line)) {
                return false;
            }
            token++;
        }
    }
    return true;
}

/* Bytes of `NAME` if the word is NAME=..., else 0. */
static size_t assignment_name(const struct token *word, const char *line)
{
    const char *text = line + word->start;
    size_t n = expand_name_length(text);

    return n < word->length && text[n] == '=' ? n : 0;
}

static int assign(const struct token *word, const char *line)
{
    size_t n = assignment_name(word, line);
    const char *value;
    char name[128];

    if (n >= sizeof(name)) {
        output_text(STDERR_FILENO, "name of a variable too long\n");
        return STATUS_ERROR;
    }
    memcpy(name, line + word->start, n);
    name[n] = '\0';
    value = expand_single(line + word->start + n + 1, word->length - n - 1);
    if (value == NULL || setenv(name, value, 1) != 0) {
        output_text(STDERR_FILENO, "%s: %s\n", name, strerror(errno));
        return STATUS_ERROR;
    }
    return 0;
}

/* The next word of the stage at or after `token`; end if there is none. */
static const struct token *word_next(const struct token *token,
                                     const struct token *end)
{
    while (token < end && token->kind != TOKEN_WORD) {
        token += token->kind == TOKEN_SAME ? 1 : 2;
    }
    return token < end ? token : end;
}

/* All words are assignments; also true without any word. */
static bool is_assignment(const struct stage *stage, const char *line)
{
    const struct token *word = word_next(stage->first, stage->end);

    while (word < stage->end) {
        if (assignment_name(word, line) == 0) {
            return false;
        }
        word = word_next(word + 1, stage->end);
    }
    return true;
}

static int stage_assign(const struct stage *stage, const char *line)
{
    const struct token *word = word_next(stage->first, stage->end);
    int status = 0;

    while (word < stage->end) {
        status |= assign(word, line);
        word = word_next(word + 1, stage->end);
    }
    return status;
}

/* Expands the words into `arguments`; false after a report. */
static bool stage_expand(const struct stage *stage, const char *line)
{
    const struct token *word = word_next(stage->first, stage->end);

    arguments_clear(&arguments);
    while (word < stage->end) {
        const char *cause =
            expand_word(&arguments, line + word->start, word->length);

        if (cause != NULL) {
            output_text(stage->fds[2], "%s\n", cause);
            return false;
        }
        word = word_next(word + 1, stage->end);
    }
    return true;
}

static void stage_launch(struct stage *stage)
{
    const char *name = arguments.items[0];

    snprintf(stage->name, sizeof(stage->name), "%s", name);
    if (builtin_find(name, strlen(name)) != NULL) {
        stage->is_deferred = true;
        return;
    }
    stage->status = launch_program(arguments.items, stage->fds, &stage->pid);
    if (stage->status != 0) {
        stage->pid = 0;
    }
}

void stage_start(struct stage *stage, const char *line)
{
    stage->status = STATUS_ERROR;
    if (stage_redirect(stage, line)) {
        if (is_assignment(stage, line)) {
            stage->status = stage_assign(stage, line);
        } else if (stage_expand(stage, line)) {
            if (arguments.count > 0) {
                stage_launch(stage);
            } else {
                stage->status = 0; /* the words expanded to nothing */
            }
        }
    }
    if (!stage->is_deferred) {
        descriptors_close(stage->number);
    }
}

void stage_finish(struct stage *stage, const char *line)
{
    if (!stage->is_deferred) {
        return;
    }
    /* Again: other stages have used the buffer since. */
    if (stage_expand(stage, line)) {
        char **argv = arguments.items;
        const struct builtin *builtin = builtin_find(argv[0], strlen(argv[0]));

        stage->status = builtin->run((int)arguments.count, argv, stage->fds);
    }
    descriptors_close(stage->number);
}

bool stage_is_internal(const struct token *first, const struct token *end,
                       const char *line)
{
    const struct token *word = word_next(first, end);

    if (word == end) {
        return true;
    }
    return assignment_name(word, line) > 0 ||
           builtin_find(line + word->start, word->length) != NULL;
}
