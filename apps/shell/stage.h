/* SPDX-License-Identifier: BSL-1.0 */
/*
 * One stage of a pipeline: the tokens of one simple command, the descriptors
 * it gets, and what became of it.
 */
#pragma once

#include "token.h"

#include <sys/types.h>

struct stage {
    const struct token *first; /* of its words and redirections */
    const struct token *end;   /* the first token that is no more its own */
    int number;                /* 0.. in the pipeline */
    int fds[3];
    bool is_deferred; /* a built-in command, still to be run */
    pid_t pid;        /* of its program; 0: there is none */
    int status;       /* when pid is 0, or once it has ended */
    char name[32];    /* argv[0], for messages */
};

/*
 * Opens the redirections, expands the words and starts the program, or finds
 * a built-in command and leaves it for stage_finish(): it must not fill a
 * pipe before the reader runs. Failures were reported and are in ->status.
 * The stage's descriptors are closed unless it is deferred.
 */
void stage_start(struct stage *stage, const char *line);

/* Runs the deferred built-in command, if the stage is one. */
void stage_finish(struct stage *stage, const char *line);

/*
 * The stage needs this shell itself (a built-in command or an assignment),
 * as far as its first word shows before expansion.
 */
bool stage_is_internal(const struct token *first, const struct token *end,
                       const char *line);
