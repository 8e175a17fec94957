/* SPDX-License-Identifier: BSL-1.0 */
/*
 * vesper/thread_trace.h - which thread of this program runs when, as trace
 * events: tracks below the domain's own in what `trace write` makes, with which
 * scripts/check_trace merges them. docs/scheduling.md, "The trace".
 *
 * For programs that are linked as traced_program (libos/meson.build), whatever
 * their thread policy; all others have nothing of it, in code or in time.
 *
 * A domain that this program schedules (vesper/nested.h) has a track, too:
 * "child" and its pid modulo SPAWN_CHILDREN.
 *
 * A thread's time is from when libos gave it the domain's time to when another
 * had it, or none could run; the upcall handler's own is the thread's that it
 * interrupted. Context: any thread, one at a time. Errors are positive errno
 * values.
 */
#pragma once

#include <stdint.h>

/* The latest so many changes are kept, of so many threads at most; those that
 * come later are all shown as the last. */
#define THREAD_TRACE_CHANGES 4096u
#define THREAD_TRACE_THREADS 256u

/* From now on; what was traced before is gone. ENOMEM */
int thread_trace_start(void);

/* Until now; to a file of that name. EINVAL: it was not started; or the file's
 * error. */
int thread_trace_write(const char *path);
