/* SPDX-License-Identifier: BSL-1.0
 *
 * The tour: every example of docs/writing-apps.md, run. Code between the
 * comments `doc: NAME` and `end` is quoted there word for word, and
 * tests/docs_snippets.py compares the two. Only public headers.
 *
 * A topic is a file with one function; it calls tour_check once for each thing
 * that it shows. All work in TOUR_FOLDER and leave nothing behind.
 */
#pragma once

#include <stdbool.h>

#define TOUR_FOLDER "/tour.tmp"

/* Print one TAP line and count it. Context: main thread. */
void tour_check(bool good, const char *name);

void tour_arguments(void);
void tour_files(void);
void tour_folders(void);
void tour_memory(void);
void tour_programs(void);
void tour_signals(void);
void tour_threads(void);
void tour_time(void);

/* What `tour child WHAT ...` does: the examples start themselves as children.
 * The exit status. */
int tour_child(int argc, char **argv);
