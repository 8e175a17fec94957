/* SPDX-License-Identifier: BSL-1.0 */
/*
 * Commands that the shell itself carries out, because they change the shell
 * (cd, export, exit) or know what only it knows (jobs, wait, help).
 */
#pragma once

#include <stddef.h>

struct builtin {
    const char *name;
    const char *arguments;
    const char *summary;
    /* fds: its standard input, output and error. Returns a status. */
    int (*run)(int argc, char **argv, const int fds[3]);
};

extern const struct builtin builtins[];
extern const size_t builtins_count;

/* The command of that name (n bytes), or NULL. */
const struct builtin *builtin_find(const char *name, size_t n);
