/* SPDX-License-Identifier: BSL-1.0
 *
 * Overlay of picolibc's <stdio.h>: the limits and functions that it leaves out.
 */
#pragma once

#include_next <stdio.h>

#define FILENAME_MAX 1024
#define FOPEN_MAX    64

#if __POSIX_VISIBLE >= 200809
#include <sys/types.h>

ssize_t getdelim(char **line, size_t *room, int delimiter, FILE *f);
ssize_t getline(char **line, size_t *room, FILE *f);

/* A command line for /boot/shell; mode "r": its output, "w": its input. */
FILE *popen(const char *command, const char *mode);
int pclose(FILE *f);
#endif
