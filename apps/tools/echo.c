/* SPDX-License-Identifier: BSL-1.0 */
/* echo, yes, true, false, pwd, clear: tools that only print or do nothing. */
#include "path.h"
#include "report.h"
#include "tools.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

int tool_echo(int argc, char **argv)
{
    int first = argc > 1 && strcmp(argv[1], "-n") == 0 ? 2 : 1;

    for (int i = first; i < argc; i++) {
        if (i > first) {
            putchar(' ');
        }
        fputs(argv[i], stdout);
    }
    if (first == 1) {
        putchar('\n');
    }
    return 0;
}

int tool_yes(int argc, char **argv)
{
    const char *text = argc > 1 ? argv[1] : "y";

    while (puts(text) >= 0) {
    }
    return report_output();
}

int tool_true(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

int tool_false(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return 1;
}

int tool_pwd(int argc, char **argv)
{
    char here[PATH_BYTES];

    (void)argv;
    if (argc > 1) {
        return report_usage();
    }
    if (getcwd(here, sizeof(here)) == NULL) {
        return report_errno("working directory");
    }
    puts(here);
    return 0;
}

int tool_clear(int argc, char **argv)
{
    (void)argv;
    if (argc > 1) {
        return report_usage();
    }
    fputs("\033[H\033[2J", stdout); /* cursor home, erase all (ECMA-48) */
    return 0;
}
