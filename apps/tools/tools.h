/* SPDX-License-Identifier: BSL-1.0 */
/*
 * The tools' table: every tool of the multi-call program /boot/tools, with
 * the words that `help` and the usage lines print. One line here, one
 * function tool_NAME(argc, argv), and the shell finds the tool by name.
 *
 * A tool returns its exit status: 0 fine, 1 something failed (and was named
 * on standard error), 2 wrong arguments (the usage line was printed).
 */
#pragma once

#include <stddef.h>

/* X(name, arguments, summary), in alphabetical order. */
#define TOOLS_TABLE(X)                                                         \
    X(caps, "[DOMAIN | why DOMAIN OBJECT | diff]",                             \
      "list capabilities, whence they came, what the manifest says")           \
    X(cat, "[FILE ...]", "copy files to standard output")                      \
    X(clear, "", "clear the screen")                                           \
    X(cp, "[-r] FROM ... TO", "copy files, with -r directories")               \
    X(date, "[-s \"YYYY-MM-DD HH:MM:SS\" | +FORMAT]", "show or set the clock") \
    X(echo, "[-n] [TEXT ...]", "print text")                                   \
    X(false, "", "do nothing and fail")                                        \
    X(free, "", "show the memory of the machine")                              \
    X(head, "[-n LINES] [FILE ...]", "print the first lines")                  \
    X(hexdump, "[-C] [FILE ...]", "print bytes in hexadecimal")                \
    X(kill, "[-SIGNAL] ID ... | -l", "end a program or send it a signal")      \
    X(ledger, "", "list all memory of the board by type, owner and state")     \
    X(ls, "[-la] [PATH ...]", "list directories")                              \
    X(mem, "[reclaim DOMAIN KIB [MS]]",                                        \
      "show who has what of the memory, or want some back")                    \
    X(mkdir, "[-p] DIRECTORY ...", "make directories")                         \
    X(mv, "FROM ... TO", "move or rename files")                               \
    X(poweroff, "", "stop the machine")                                        \
    X(ps, "", "list the running domains")                                      \
    X(pwd, "", "print the working directory")                                  \
    X(reboot, "", "start the machine again")                                   \
    X(rm, "[-r] [-f] PATH ...", "remove files, with -r directories")           \
    X(rmdir, "DIRECTORY ...", "remove empty directories")                      \
    X(sched, "[POLICY | DOMAIN KEY VALUE ...]",                                \
      "show or change who gets the CPU")                                       \
    X(seq, "[FIRST [STEP]] LAST", "print whole numbers")                       \
    X(sleep, "SECONDS", "wait")                                                \
    X(sync, "[FILE ...]", "write what is cached to the card")                  \
    X(top, "[-H] [-n ROUNDS]", "watch who has the CPU, with -H by thread")     \
    X(touch, "FILE ...", "make files or renew their times")                    \
    X(trace, "start | stop | status | write FILE",                             \
      "record who has the CPU, as Chrome and Perfetto read it")                \
    X(true, "", "do nothing and succeed")                                      \
    X(uptime, "", "show the time since power-on")                              \
    X(wc, "[-clw] [FILE ...]", "count lines, words and bytes")                 \
    X(yes, "[TEXT]", "print text until stopped")

struct tool_entry {
    const char *name;
    const char *arguments;
    const char *summary;
};

extern const struct tool_entry tools_catalog[];
extern const size_t tools_catalog_count;

/* The entry of that name, or NULL. */
const struct tool_entry *tools_find(const char *name);

#define TOOL_PROTOTYPE(name, arguments, summary)                               \
    int tool_##name(int argc, char **argv);
TOOLS_TABLE(TOOL_PROTOTYPE)
#undef TOOL_PROTOTYPE
