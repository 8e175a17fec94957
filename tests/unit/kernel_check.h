/* SPDX-License-Identifier: BSL-1.0
 *
 * The invariants of the kernel's state between two traps, checked by other
 * means than the kernel uses: whole scans instead of neighbours.
 */
#pragma once

/* Fails the program, saying what is wrong. */
void check_all(void);

/* Parts of it. */
void check_caps(void);  /* kernel_check.c */
void check_space(void); /* kernel_check_space.c */
void check_sched(void); /* kernel_check_sched.c */
