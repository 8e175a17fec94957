/* SPDX-License-Identifier: BSL-1.0
 *
 * Random users of the kernel: a root server and three domains that make system
 * calls, are interrupted and preempted, give up calls half-way, and write what
 * they like into their upcall pages. After each refused call the state is the
 * same as before; after every RANDOM_CHECK steps all invariants hold. What is
 * wrong ends the program (host_fail).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define RANDOM_CHECK 64u
#define RANDOM_END   ~0u

struct dispatcher;

struct random_source {
    uint32_t (*next)(void); /* any 32 bits */
    bool (*more)(void);     /* false: stop */
    /* If not NULL, called after each system call, whose user d was, and (nr
     * RANDOM_END) before each new machine; then nothing is checked meanwhile.
     */
    void (*did)(uint32_t nr, bool ended, const struct dispatcher *d);
    bool fast; /* nothing is checked meanwhile */
    bool odd;  /* some arguments are of no use; it begins with two domains that
                  wait for calls, and the third running */
};

/* Boot a machine and run it until the source ends or after `steps`. */
void random_run(const struct random_source *source, uint32_t steps);
