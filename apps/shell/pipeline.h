/* SPDX-License-Identifier: BSL-1.0 */
/* Programs joined by pipes, started together and waited for. */
#pragma once

#include "token.h"

/*
 * Runs the pipeline from `first` up to `end` and waits for it; with Ctrl-C
 * going to its programs. Returns the status of its last stage; a program
 * killed by a signal is named on standard error.
 */
int pipeline_run(const struct token *first, const struct token *end,
                 const char *line);

/* Starts it as a background job instead. Returns 0 or the failure. */
int pipeline_run_background(const struct token *first, const struct token *end,
                            const char *line);
