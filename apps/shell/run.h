/* SPDX-License-Identifier: BSL-1.0 */
/* Carrying out command lines. */
#pragma once

/*
 * Runs one line (at most LINE_BYTES_MAX bytes, no newline): lists of
 * pipelines. The result is in shell.status; errors have been reported.
 */
void run_line(const char *line);
