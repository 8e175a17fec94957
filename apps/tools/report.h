/* SPDX-License-Identifier: BSL-1.0 */
/*
 * How a tool speaks of failure: "TOOL: SUBJECT: CAUSE" on standard error,
 * after everything already printed on standard output. Each function returns
 * the exit status that fits, so that a tool can `return report_...()`.
 */
#pragma once

struct tool_entry;

/* Names the tool of this run; called once by main. */
void report_start(const struct tool_entry *tool);

/* SUBJECT: the text of errno. Returns 1. */
int report_errno(const char *subject);

/* SUBJECT: CAUSE, for what errno cannot say. Returns 1. */
int report_cause(const char *subject, const char *cause);

/* The usage line. Returns 2. */
int report_usage(void);

/*
 * A write to standard output failed with errno; says so, once. A reader that
 * left (EPIPE) is how `yes | head` is meant to end, so it is not mentioned.
 * Tools that print much call this as soon as a print function fails: they
 * then end early, and not every C library remembers the error. Returns 1.
 */
int report_output(void);

/* Flushes standard output; returns status, or 1 if that failed. */
int report_finish(int status);
