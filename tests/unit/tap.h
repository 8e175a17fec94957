/* SPDX-License-Identifier: BSL-1.0 */
/*
 * tap.h - the few lines that a host test needs to report in TAP.
 *
 * One CHECK, one line; a test program ends with `return tap_end();`.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

static unsigned tap_count;
static unsigned tap_failures;

/* Reports one check; a failed one with where it is in the source. */
static inline bool tap_check(bool good, const char *what, const char *file,
                             int line)
{
    printf("%sok %u - %s\n", good ? "" : "not ", ++tap_count, what);
    if (!good) {
        printf("# failed at %s:%d\n", file, line);
        tap_failures++;
    }
    return good;
}

#define CHECK(condition, what)                                                 \
    tap_check((condition), (what), __FILE__, __LINE__)

/* Reports that a check cannot be made here, and why. */
static inline void tap_skip(const char *what, const char *why)
{
    printf("ok %u - %s # SKIP %s\n", ++tap_count, what, why);
}

/* Prints the plan; the exit status of the test program. */
static inline int tap_end(void)
{
    printf("1..%u\n", tap_count);
    return tap_failures == 0 && tap_count > 0 ? 0 : 1;
}
