/* SPDX-License-Identifier: BSL-1.0 */
/*
 * Signals by name: what `kill -INT` accepts and what the shell prints when a
 * program was killed. Shared by the tools and the shell.
 */
#pragma once

/* Number of "INT", "SIGINT" or "2"; -1 if there is none. */
int signal_number(const char *name);

/* "INT"; NULL if the number has no name. */
const char *signal_name(int number);

/* "segmentation fault"; "unknown signal" if the number has no name. */
const char *signal_text(int number);

/* Highest signal number a program can get. */
enum { SIGNAL_MAX = 31 };
