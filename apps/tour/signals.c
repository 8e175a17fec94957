/* SPDX-License-Identifier: BSL-1.0
 *
 * Signals: handlers, interrupted calls, ending others.
 */
#include "tour.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* doc: handler */
static volatile sig_atomic_t stop_asked;

static void on_interrupt(int number)
{
    stop_asked = number;
}

static int interrupt_catch(void)
{
    struct sigaction action = {.sa_handler = on_interrupt};

    return sigaction(SIGINT, &action, NULL); /* Ctrl-C sets stop_asked now */
}
/* end */

/* doc: kill */
static int program_end(pid_t child)
{
    int status;

    if (kill(child, SIGTERM) != 0) {
        return -1; /* ESRCH: it has ended */
    }
    return waitpid(child, &status, 0) == child ? status : -1;
}
/* end */

static bool end_works(void)
{
    char *argv[] = {"tour", "child", "sleep", NULL};
    pid_t child;

    if (posix_spawnp(&child, argv[0], NULL, NULL, argv, environ) != 0) {
        return false;
    }
    int status = program_end(child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM &&
           kill(child, SIGTERM) == -1 && errno == ESRCH;
}

void tour_signals(void)
{
    tour_check(interrupt_catch() == 0 && raise(SIGINT) == 0 &&
                   stop_asked == SIGINT,
               "a handler for Ctrl-C");
    tour_check(signal(SIGINT, SIG_DFL) != SIG_ERR, "and back to the default");
    tour_check(end_works(), "end another program");
}
