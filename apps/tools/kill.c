/* SPDX-License-Identifier: BSL-1.0 */
/* kill: sends a signal (TERM if none is named) to domains by their id. */
#include "number.h"
#include "report.h"
#include "signals.h"
#include "tools.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static int signals_list(void)
{
    for (int i = 1; i <= SIGNAL_MAX; i++) {
        const char *name = signal_name(i);

        if (name != NULL) {
            printf("%2d %-5s %s\n", i, name, signal_text(i));
        }
    }
    return 0;
}

static int kill_one(const char *text, int number)
{
    long long id;

    if (!number_parse(text, &id) || id <= 0 || id > 0x7fffffff) {
        return report_cause(text, "not a domain id");
    }
    return kill((pid_t)id, number) == 0 ? 0 : report_errno(text);
}

int tool_kill(int argc, char **argv)
{
    int number = SIGTERM;
    int first = 1;
    int status = 0;

    if (argc == 2 && strcmp(argv[1], "-l") == 0) {
        return signals_list();
    }
    if (argc > 1 && argv[1][0] == '-') {
        number = signal_number(argv[1] + 1);
        if (number < 0) {
            return report_cause(argv[1], "no such signal (-l lists them)");
        }
        first = 2;
    }
    if (first >= argc) {
        return report_usage();
    }
    for (int i = first; i < argc; i++) {
        status |= kill_one(argv[i], number);
    }
    return status;
}
