/* SPDX-License-Identifier: BSL-1.0
 *
 * Overlay of picolibc's <sys/features.h>, which every header includes: says
 * which POSIX options Vesper has beyond the bare C library, so that <time.h>
 * and others declare them.
 */
#pragma once

#include_next <sys/features.h>

#define _POSIX_TIMERS                     200809L
#define _POSIX_MONOTONIC_CLOCK            200809L
#define _POSIX_CLOCK_SELECTION            200809L
#define _POSIX_CPUTIME                    200809L
#define _POSIX_FSYNC                      200809L
#define _POSIX_SPAWN                      200809L
#define _POSIX_THREADS                    200809L
#define _POSIX_THREAD_ATTR_STACKADDR      200809L
#define _POSIX_THREAD_ATTR_STACKSIZE      200809L
#define _POSIX_THREAD_CPUTIME             200809L
#define _POSIX_THREAD_PRIORITY_SCHEDULING 200809L
#define _POSIX_THREAD_SAFE_FUNCTIONS      200809L
#define _POSIX_READER_WRITER_LOCKS        200809L
#define _POSIX_BARRIERS                   200809L
#define _POSIX_SEMAPHORES                 200809L
#define _POSIX_TIMEOUTS                   200809L
#define _POSIX_PRIORITY_SCHEDULING        200809L
