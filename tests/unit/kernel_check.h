/* SPDX-License-Identifier: BSL-1.0
 *
 * The invariants of the kernel's state between two traps, checked by other
 * means than the kernel uses: whole scans instead of neighbours.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Counts that the invariant of this name (tests/invariants.toml) was looked at
 * here once; what fails from here on is taken for its violation. */
#define INV(id)                                                                \
    do {                                                                       \
        static uint64_t *counter;                                              \
        check_name = #id;                                                      \
        counter = counter != NULL ? counter : check_counter(#id);              \
        (*counter)++;                                                          \
    } while (0)

extern const char *check_name; /* the invariant being looked at */
uint64_t *check_counter(const char *id);
/* A line `# invariant ID COUNT` for each that was looked at. */
void check_print(void);

/* Fails the program, saying what is wrong. */
void check_all(void);

/* Parts of it. */
void check_caps(void);  /* kernel_check.c */
void check_space(void); /* kernel_check_space.c */
void check_sched(void); /* kernel_check_sched.c */
