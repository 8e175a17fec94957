/* SPDX-License-Identifier: BSL-1.0 */
/* The messages of the tools; the rules are in report.h. */
#include "report.h"
#include "tools.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct tool_entry *current;
static bool output_lost; /* and reported */

void report_start(const struct tool_entry *tool)
{
    current = tool;
}

int report_cause(const char *subject, const char *cause)
{
    fflush(stdout); /* so that both streams keep their order on a console */
    fprintf(stderr, "%s: %s: %s\n", current->name, subject, cause);
    return 1;
}

int report_errno(const char *subject)
{
    return report_cause(subject, strerror(errno));
}

int report_usage(void)
{
    const char *blank = current->arguments[0] != '\0' ? " " : "";

    fprintf(stderr, "usage: %s%s%s\n", current->name, blank,
            current->arguments);
    return 2;
}

int report_output(void)
{
    if (errno != EPIPE && !output_lost) {
        fprintf(stderr, "%s: standard output: %s\n", current->name,
                strerror(errno));
    }
    output_lost = true;
    return 1;
}

int report_finish(int status)
{
    if (fflush(stdout) != 0 || ferror(stdout)) {
        return report_output();
    }
    return output_lost ? 1 : status;
}
