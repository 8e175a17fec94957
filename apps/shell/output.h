/* SPDX-License-Identifier: BSL-1.0 */
/*
 * The shell's own words, written straight to a descriptor: a redirected
 * built-in command and a message before a child starts need no stdio buffer.
 */
#pragma once

#include <stddef.h>

/* printf to a descriptor; what exceeds 4 KiB is cut off. */
__attribute__((format(printf, 2, 3))) void output_text(int fd,
                                                       const char *format, ...);

/* Bytes as they are. */
void output_bytes(int fd, const char *bytes, size_t n);
