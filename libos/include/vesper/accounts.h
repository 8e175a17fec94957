/* SPDX-License-Identifier: BSL-1.0
 *
 * How much CPU time each thread of a domain has had, as its libos counts it: in
 * save slots of the upcall page that libos needs for nothing else, where the
 * root server finds it (ROOT_THREADS). So it costs neither memory nor a call.
 * It is for display: a domain can write there what it likes.
 *
 * Time is the counter's without what others had meanwhile (start_info.stolen).
 * While a thread runs, its ticks lack the time at which it began: so they are
 * negative, and right at any time with the present time added.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <abi/abi.h>

#define THREAD_ACCOUNTS   64u
#define THREAD_NAME_BYTES 16u
#define ACCOUNTS_SLOT     18u /* the first of these slots */
#define ACCOUNTS_OFFSET                                                        \
    (offsetof(struct upcall_page, slots) +                                     \
     ACCOUNTS_SLOT * sizeof(struct saved_context))

struct thread_account {
    uint64_t ticks;
    uint32_t id; /* from 1, in order of creation; 0: not in use */
    uint32_t reserved;
    char name[THREAD_NAME_BYTES];
};

/* The first is that of all threads that ended. Threads that find no room here
 * are not shown. */
struct thread_accounts {
    struct thread_account thread[THREAD_ACCOUNTS];
};
_Static_assert(ACCOUNTS_OFFSET + sizeof(struct thread_accounts) <=
                   offsetof(struct upcall_page, slots[SAVE_DOUBLE]),
               "below the slot of the kernel's choice");
