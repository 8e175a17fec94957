/* SPDX-License-Identifier: BSL-1.0
 *
 * The benchmark as a program: what libos makes of the kernel. Names are printed
 * when all is counted, so that the console is quiet meanwhile.
 */
#pragma once

#include "tests/bench/mark.h"

void thread_rows(void);
void process_rows(void);
void file_rows(void);
int echo(void); /* the child of process_rows */

/* Where the domains that are there now lie is printed at the end. */
void domains_note(void);
