/* SPDX-License-Identifier: BSL-1.0 */
/*
 * The terminal on descriptor 0, in one of two modes: raw while the shell
 * edits a line (it sees every key), cooked while a program runs (lines are
 * edited by the console, Ctrl-C reaches the program). All calls do nothing
 * if descriptor 0 is no terminal.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* Remembers the cooked mode; false if descriptor 0 is no terminal. */
bool terminal_open(void);

void terminal_raw(void);
void terminal_cooked(void);

/* Ctrl-C now ends `pid`; terminal_take() gives it back to the shell. */
void terminal_give(pid_t pid);
void terminal_take(void);
