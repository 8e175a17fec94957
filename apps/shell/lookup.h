/* SPDX-License-Identifier: BSL-1.0 */
/*
 * From a command's name to the program that runs it:
 *   a name with a slash  that path
 *   a tool's name        $TOOLS, else /boot/tools, which looks at argv[0]
 *   sh                   $SHELL, else /boot/shell
 *   any other            the first that starts from $PATH, else in /bin:/boot
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * The path of a name that is found without a search: with a slash, a tool,
 * or sh. NULL for any other. (Programs in /boot show only when they are
 * started: they are no files to the file server.)
 */
const char *lookup_fixed(const char *name);

/* This shell's own program file. */
const char *lookup_shell(void);

/*
 * Calls back with each directory of the search path in turn until `visit`
 * returns true or the path ends; returns that.
 */
bool lookup_directories(bool (*visit)(const char *directory, void *context),
                        void *context);
