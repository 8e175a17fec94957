/* SPDX-License-Identifier: BSL-1.0 */
/* What the parts of the shell share: one struct, one of it. */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

struct shell {
    int status;            /* $?: of the last pipeline, 0..255 */
    pid_t last_background; /* $!, 0 if there was none */
    int argc;              /* $0, $1 ... of a script or -c */
    char **argv;
    bool interactive;
    bool exiting;                      /* `exit` was called */
    volatile sig_atomic_t interrupted; /* Ctrl-C since the last prompt */
};

extern struct shell shell;

enum {
    STATUS_ERROR = 1,
    STATUS_USAGE = 2,
    STATUS_NOT_RUNNABLE = 126,
    STATUS_NOT_FOUND = 127,
    STATUS_SIGNAL = 128, /* plus the signal's number */
};
