/* SPDX-License-Identifier: BSL-1.0 */
/* The part of <vesper/thread.h> that crash uses, for Linux. */
#pragma once

struct thread;

/* 0 or an error number. */
int thread_create(struct thread **out, int (*run)(void *), void *argument,
                  const char *name);
