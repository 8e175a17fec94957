/* SPDX-License-Identifier: BSL-1.0 */
/*
 * The shell. `shell` reads commands from the terminal, `shell FILE` and
 * `shell -c COMMANDS` run those and end. There is no fork here: what needs a
 * second shell (a list in the background) starts one by name.
 */
#include "descriptors.h"
#include "editor.h"
#include "input.h"
#include "jobs.h"
#include "output.h"
#include "run.h"
#include "state.h"
#include "terminal.h"

#include "../tools/path.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PROMPT_PATH_BYTES = 36 }; /* more is cut off at the left */

struct shell shell;

static char line[LINE_BYTES_MAX + 1];

static void interrupt_note(int number)
{
    (void)number;
    shell.interrupted = 1;
}

/*
 * A built-in command that writes to a pipe without a reader gets EPIPE. A
 * handler and not SIG_IGN, which programs started from here would inherit.
 */
static void pipe_note(int number)
{
    (void)number;
}

static void too_long_report(void)
{
    output_text(STDERR_FILENO, "line too long (limit %d)\n", LINE_BYTES_MAX);
    shell.status = STATUS_USAGE;
}

static const char *prompt_text(void)
{
    static char prompt[PROMPT_PATH_BYTES + 8];
    char here[PATH_BYTES];
    const char *path = here;
    const char *dots = "";
    size_t n;

    if (getcwd(here, sizeof(here)) == NULL) {
        path = "?";
    }
    n = strlen(path);
    if (n > PROMPT_PATH_BYTES) {
        path += n - PROMPT_PATH_BYTES;
        dots = "...";
        while (((unsigned char)*path & 0xc0) == 0x80) {
            path++; /* not into the middle of a UTF-8 character */
        }
    }
    snprintf(prompt, sizeof(prompt), "%s%.*s$ ", dots, PROMPT_PATH_BYTES, path);
    return prompt;
}

static void run_terminal(void)
{
    while (!shell.exiting) {
        jobs_reap(true);
        switch (editor_read(prompt_text(), line)) {
        case EDITOR_LINE:
            shell.interrupted = 0;
            run_line(line);
            break;
        case EDITOR_INTERRUPT:
            shell.status = STATUS_SIGNAL + SIGINT;
            break;
        case EDITOR_TOO_LONG:
            too_long_report();
            break;
        case EDITOR_EOF:
            return;
        }
    }
}

/* Lines until the end, `exit` or Ctrl-C; name is for messages. */
static void run_input(struct input *input, const char *name)
{
    while (!shell.exiting && !shell.interrupted) {
        jobs_reap(false);
        switch (input_line(input, line)) {
        case INPUT_LINE:
            run_line(line);
            break;
        case INPUT_TOO_LONG:
            output_text(STDERR_FILENO, "%s: line %lu: ", name,
                        input->line_number);
            too_long_report();
            break;
        case INPUT_BINARY:
            output_text(STDERR_FILENO, "%s: not a text file\n", name);
            shell.status = STATUS_NOT_RUNNABLE;
            return;
        case INPUT_ERROR:
            output_text(STDERR_FILENO, "%s: %s\n", name, strerror(errno));
            shell.status = STATUS_ERROR;
            return;
        case INPUT_EOF:
            return;
        }
    }
}

static void run_script(const char *path)
{
    static struct input input;

    input.fd = open(path, O_RDONLY);
    if (input.fd < 0 || !descriptors_add(input.fd, STAGE_NONE)) {
        output_text(STDERR_FILENO, "%s: %s\n", path, strerror(errno));
        shell.status = STATUS_NOT_FOUND;
        return;
    }
    run_input(&input, path);
    descriptors_close(STAGE_NONE);
}

/* -c: the text may hold several lines. */
static void run_text(const char *text)
{
    while (*text != '\0' && !shell.exiting && !shell.interrupted) {
        size_t n = strcspn(text, "\n");

        if (n > LINE_BYTES_MAX) {
            too_long_report();
        } else {
            memcpy(line, text, n);
            line[n] = '\0';
            run_line(line);
        }
        text += n;
        text += *text == '\n';
    }
}

static void run_stdin(void)
{
    static struct input input = {.fd = STDIN_FILENO, .is_shared = true};

    shell.interactive = terminal_open();
    if (shell.interactive) {
        signal(SIGINT, interrupt_note);
        terminal_take();
        run_terminal();
    } else {
        run_input(&input, "standard input");
    }
}

int main(int argc, char **argv)
{
    shell.argc = argc;
    shell.argv = argv;
    signal(SIGPIPE, pipe_note);
    if (argc < 2) {
        run_stdin();
        return shell.status;
    }
    terminal_open();
    if (strcmp(argv[1], "-c") == 0 && argc > 2) {
        shell.argc = argc - 3; /* -c COMMANDS NAME ARGUMENT...: $0 is NAME */
        shell.argv = argv + 3;
        run_text(argv[2]);
    } else if (argv[1][0] == '-') {
        output_text(STDERR_FILENO,
                    "usage: sh [FILE [ARGUMENT ...]]\n"
                    "       sh -c COMMANDS [NAME [ARGUMENT ...]]\n");
        return STATUS_USAGE;
    } else {
        shell.argc = argc - 1;
        shell.argv = argv + 1;
        run_script(argv[1]);
    }
    return shell.status;
}
