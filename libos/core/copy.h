/* SPDX-License-Identifier: BSL-1.0 */
/* Copies that are often long: data of files and pipes. */
#pragma once

#include <stddef.h>

/* As memcpy(), from COPY_LONG bytes on with vector registers: below that, the
 * trap which gives them to a domain costs more than they save.
 * Context: a thread; in an upcall handler they are the interrupted thread's. */
void copy_long(void *to, const void *from, size_t bytes);
#define COPY_LONG 2048u
