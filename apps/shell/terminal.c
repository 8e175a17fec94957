/* SPDX-License-Identifier: BSL-1.0 */
/* Terminal modes; the contract is in terminal.h. */
#include "terminal.h"

#include <termios.h>
#include <unistd.h>

static struct termios cooked;
static bool is_terminal;
static bool is_raw;

bool terminal_open(void)
{
    is_terminal = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &cooked) == 0;
    return is_terminal;
}

void terminal_raw(void)
{
    struct termios raw = cooked;

    if (!is_terminal || is_raw) {
        return;
    }
    raw.c_iflag &= ~(tcflag_t)IXON; /* Ctrl-S is a key, not a brake */
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
    is_raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

void terminal_cooked(void)
{
    if (is_terminal && is_raw) {
        is_raw = tcsetattr(STDIN_FILENO, TCSANOW, &cooked) != 0;
    }
}

void terminal_give(pid_t pid)
{
    if (is_terminal) {
        /* Fails for a program that has already ended: then none is meant. */
        (void)tcsetpgrp(STDIN_FILENO, pid);
    }
}

void terminal_take(void)
{
    terminal_give(getpid());
}
