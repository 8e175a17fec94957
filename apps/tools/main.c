/* SPDX-License-Identifier: BSL-1.0 */
/*
 * One program, many tools: argv[0] says which. Started under another name it
 * takes the tool from its first argument: `tools ls -l`.
 */
#include "report.h"
#include "tools.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

typedef int tool_run(int argc, char **argv);

#define TOOL_RUN(name, arguments, summary) tool_##name,
static tool_run *const runs[] = {TOOLS_TABLE(TOOL_RUN)};
#undef TOOL_RUN

static const char *path_tail(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

int main(int argc, char **argv)
{
    const struct tool_entry *tool = NULL;

    if (argc > 0) {
        tool = tools_find(path_tail(argv[0]));
    }
    if (tool == NULL && argc > 1) {
        tool = tools_find(argv[1]);
        argc--;
        argv++;
    }
    if (tool == NULL) {
        fputs("usage: tools TOOL [ARGUMENT ...]\n", stderr);
        return 2;
    }
    /* A reader that left shows as EPIPE, which report_output() expects. */
    signal(SIGPIPE, SIG_IGN);
    report_start(tool);
    return report_finish(runs[tool - tools_catalog](argc, argv));
}
