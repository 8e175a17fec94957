/* SPDX-License-Identifier: BSL-1.0 */
/* The table of signals; see signals.h. */
#include "signals.h"

#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    int number;
    const char *name;
    const char *text;
} table[] = {
    {SIGHUP, "HUP", "hang-up"},         {SIGINT, "INT", "interrupt"},
    {SIGQUIT, "QUIT", "quit"},          {SIGILL, "ILL", "illegal instruction"},
    {SIGTRAP, "TRAP", "breakpoint"},    {SIGABRT, "ABRT", "aborted"},
    {SIGBUS, "BUS", "bus error"},       {SIGFPE, "FPE", "arithmetic error"},
    {SIGKILL, "KILL", "killed"},        {SIGSEGV, "SEGV", "segmentation fault"},
    {SIGPIPE, "PIPE", "broken pipe"},   {SIGALRM, "ALRM", "alarm clock"},
    {SIGTERM, "TERM", "terminated"},    {SIGUSR1, "USR1", "user signal 1"},
    {SIGUSR2, "USR2", "user signal 2"},
};

enum { TABLE_COUNT = sizeof(table) / sizeof(table[0]) };

int signal_number(const char *name)
{
    char *end;
    long number = strtol(name, &end, 10);

    if (end != name && *end == '\0') {
        return number >= 0 && number <= SIGNAL_MAX ? (int)number : -1;
    }
    if (strncmp(name, "SIG", 3) == 0) {
        name += 3;
    }
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        if (strcmp(table[i].name, name) == 0) {
            return table[i].number;
        }
    }
    return -1;
}

const char *signal_name(int number)
{
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        if (table[i].number == number) {
            return table[i].name;
        }
    }
    return NULL;
}

const char *signal_text(int number)
{
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        if (table[i].number == number) {
            return table[i].text;
        }
    }
    return "unknown signal";
}
