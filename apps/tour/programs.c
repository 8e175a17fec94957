/* SPDX-License-Identifier: BSL-1.0
 *
 * Programs that start programs: exit status, pipes, command lines, crashes.
 */
#define _GNU_SOURCE /* pipe2 */
#include "tour.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* doc: spawn */
static int program_run(char *const argv[])
{
    pid_t child;
    int status;
    int error = posix_spawnp(&child, argv[0], NULL, NULL, argv, environ);

    if (error != 0) {
        fprintf(stderr, "tour: %s: %s\n", argv[0], strerror(error));
        return -1;
    }
    return waitpid(child, &status, 0) == child ? status : -1;
}
/* end */

/* doc: pipe */
static pid_t output_start(char *const argv[], int *from)
{
    posix_spawn_file_actions_t actions;
    int ends[2];
    pid_t child = -1;

    if (pipe2(ends, O_CLOEXEC) != 0) {
        return -1;
    }
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    if (posix_spawnp(&child, argv[0], &actions, NULL, argv, environ) != 0) {
        child = -1;
    }
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]); /* or its reader would never see the end */
    *from = ends[0];
    return child;
}
/* end */

/* doc: popen */
static int command_answer(const char *command, char *line, int room)
{
    FILE *from = popen(command, "r");

    if (from == NULL) {
        return -1;
    }
    if (fgets(line, room, from) == NULL) {
        line[0] = '\0';
    }
    return pclose(from); /* the command's status, as waitpid gives it */
}
/* end */

static bool pipe_works(void)
{
    char *words[] = {"tour", "child", "words", "one", "two words", NULL};
    char text[64] = "";
    int from, status;
    pid_t child = output_start(words, &from);

    if (child < 0) {
        return false;
    }
    ssize_t n = read(from, text, sizeof(text) - 1);
    bool ended = read(from, text + 32, 1) == 0;
    close(from);
    return n > 0 && ended && waitpid(child, &status, 0) == child &&
           status == 0 && strcmp(text, "one, two words\n") == 0;
}

void tour_programs(void)
{
    char *seven[] = {"tour", "child", "exit", "7", NULL};
    char *crash[] = {"tour", "child", "crash", NULL};
    char *none[] = {"no-such-program", NULL};
    char line[64];
    int status = program_run(seven);

    tour_check(WIFEXITED(status) && WEXITSTATUS(status) == 7,
               "a program's exit status");
    tour_check(program_run(none) == -1, "a program that is not there");
    tour_check(pipe_works(), "read what a program prints");
    tour_check(command_answer("echo a b c | wc -w", line, sizeof(line)) == 0 &&
                   strchr(line, '3') != NULL,
               "a command line of the shell");
    printf("# the crash that is reported now is meant\n");
    fflush(stdout);
    status = program_run(crash);
    tour_check(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV,
               "a program that crashes ends alone");
}
