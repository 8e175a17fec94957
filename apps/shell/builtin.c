/* SPDX-License-Identifier: BSL-1.0 */
/* The built-in commands; see builtin.h. */
#include "builtin.h"
#include "expand.h"
#include "jobs.h"
#include "output.h"
#include "state.h"

#include "../tools/number.h"
#include "../tools/path.h"
#include "../tools/tools.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

static int say_errno(const int fds[3], const char *who, const char *what)
{
    output_text(fds[2], "%s: %s: %s\n", who, what, strerror(errno));
    return STATUS_ERROR;
}

static int say_usage(const int fds[3], const char *name)
{
    const struct builtin *builtin = builtin_find(name, strlen(name));

    output_text(fds[2], "usage: %s %s\n", name, builtin->arguments);
    return STATUS_USAGE;
}

static int run_cd(int argc, char **argv, const int fds[3])
{
    static char last[PATH_BYTES];
    char here[PATH_BYTES];
    const char *to = argc > 1 ? argv[1] : getenv("HOME");

    if (argc > 2) {
        return say_usage(fds, "cd");
    }
    if (to == NULL) {
        to = "/";
    }
    if (strcmp(to, "-") == 0) {
        if (last[0] == '\0') {
            output_text(fds[2], "cd: -: there was no directory before\n");
            return STATUS_ERROR;
        }
        to = last;
    }
    if (getcwd(here, sizeof(here)) == NULL) {
        here[0] = '\0';
    }
    if (chdir(to) != 0) {
        return say_errno(fds, "cd", to);
    }
    strcpy(last, here);
    return 0;
}

static int run_exit(int argc, char **argv, const int fds[3])
{
    long long status = shell.status;

    if (argc > 2 || (argc == 2 && !number_parse(argv[1], &status))) {
        return say_usage(fds, "exit");
    }
    shell.exiting = true;
    return (int)(status & 255);
}

static int set_variable(const char *text, const int fds[3])
{
    char name[128];
    size_t n = expand_name_length(text);

    if (n == 0 || n >= sizeof(name) || (text[n] != '=' && text[n] != '\0')) {
        output_text(fds[2], "export: %s: not a name\n", text);
        return STATUS_ERROR;
    }
    if (text[n] == '\0') {
        return 0; /* every variable is exported already */
    }
    memcpy(name, text, n);
    name[n] = '\0';
    if (setenv(name, text + n + 1, 1) != 0) {
        return say_errno(fds, "export", name);
    }
    return 0;
}

static int run_set(int argc, char **argv, const int fds[3])
{
    (void)argv;
    if (argc > 1) {
        return say_usage(fds, "set");
    }
    for (char **entry = environ; entry != NULL && *entry != NULL; entry++) {
        output_text(fds[1], "%s\n", *entry);
    }
    return 0;
}

static int run_export(int argc, char **argv, const int fds[3])
{
    int status = 0;

    if (argc == 1) {
        return run_set(argc, argv, fds);
    }
    for (int i = 1; i < argc; i++) {
        status |= set_variable(argv[i], fds);
    }
    return status;
}

static int run_unset(int argc, char **argv, const int fds[3])
{
    if (argc < 2) {
        return say_usage(fds, "unset");
    }
    for (int i = 1; i < argc; i++) {
        if (unsetenv(argv[i]) != 0) {
            return say_errno(fds, "unset", argv[i]);
        }
    }
    return 0;
}

static int run_jobs(int argc, char **argv, const int fds[3])
{
    (void)argv;
    if (argc > 1) {
        return say_usage(fds, "jobs");
    }
    jobs_list(fds[1]);
    return 0;
}

static int run_wait(int argc, char **argv, const int fds[3])
{
    long long pid = 0;
    int status;

    if (argc > 2 || (argc == 2 && (!number_parse(argv[1], &pid) || pid <= 0 ||
                                   pid > 0x7fffffff))) {
        return say_usage(fds, "wait");
    }
    status = jobs_wait((pid_t)pid);
    if (status == STATUS_NOT_FOUND && argc == 2) {
        output_text(fds[2], "wait: %s: no such background job\n", argv[1]);
    }
    return status;
}

static void help_line(int fd, const char *name, const char *arguments,
                      const char *summary)
{
    int left = 40 - (int)strlen(name) - (int)strlen(arguments);

    output_text(fd, "  %s %s%*s %s\n", name, arguments, left > 0 ? left : 0, "",
                summary);
}

static int run_help(int argc, char **argv, const int fds[3])
{
    (void)argv;
    if (argc > 1) {
        return say_usage(fds, "help");
    }
    output_text(fds[1], "Built in:\n");
    for (size_t i = 0; i < builtins_count; i++) {
        help_line(fds[1], builtins[i].name, builtins[i].arguments,
                  builtins[i].summary);
    }
    help_line(fds[1], "time", "COMMAND", "show how long a command takes");
    output_text(fds[1], "Tools:\n");
    for (size_t i = 0; i < tools_catalog_count; i++) {
        help_line(fds[1], tools_catalog[i].name, tools_catalog[i].arguments,
                  tools_catalog[i].summary);
    }
    output_text(fds[1], "Programs: any in /bin, by name, or by their path.\n"
                        "Syntax: 'text' \"text $NAME\" \\c  $?  *.txt  a | b  "
                        "a > f  a >> f  a < f  2> f  2>&1\n"
                        "        a ; b   a && b   a || b   a &   NAME=value   "
                        "# comment\n"
                        "Keys: arrows, Tab, Ctrl-C (end the program), Ctrl-D "
                        "(end of input)\n");
    return 0;
}

const struct builtin builtins[] = {
    {"cd", "[DIRECTORY | -]", "change the working directory", run_cd},
    {"exit", "[STATUS]", "leave the shell", run_exit},
    {"export", "[NAME=VALUE ...]", "set variables", run_export},
    {"help", "", "show this text", run_help},
    {"jobs", "", "list what runs in the background", run_jobs},
    {"set", "", "list the variables", run_set},
    {"unset", "NAME ...", "remove variables", run_unset},
    {"wait", "[ID]", "wait for background programs", run_wait},
};

const size_t builtins_count = sizeof(builtins) / sizeof(builtins[0]);

const struct builtin *builtin_find(const char *name, size_t n)
{
    for (size_t i = 0; i < builtins_count; i++) {
        if (strlen(builtins[i].name) == n &&
            memcmp(builtins[i].name, name, n) == 0) {
            return &builtins[i];
        }
    }
    return NULL;
}
