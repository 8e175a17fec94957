/* SPDX-License-Identifier: BSL-1.0
 *
 * Addresses of this test's domains. All run the root program's text; each has a
 * stretch of its own with its dispatcher's pages and DATA_PAGES of memory.
 */
#pragma once

#define KCHECK 0x6b63 /* number of the system call that kcheck.h speaks of */

#define NEIGHBOURS   3
#define HOSTILE      NEIGHBOURS   /* its index below the root program */
#define DOMAIN_VA    0x4000000000 /* of domain 0; 2 MiB each */
#define DATA_OFFSET  0x10000
#define DATA_PAGES   4
#define STACK_TOP    0x2000 /* in the data; its start is the domain's state */
#define CALL_TOP     0x3000
#define DOUBLE_TOP   0x4000
#define HOSTILE_DATA 0x4000610000

/* struct hostile */
#define HOSTILE_SP     96
#define HOSTILE_STUB   104
#define HOSTILE_RANDOM 112
