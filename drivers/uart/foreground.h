/* SPDX-License-Identifier: BSL-1.0
 *
 * Who may read the terminal, and who gets Ctrl-C: the owner (a shell) names a
 * domain; that domain's job is it, its later brothers (so a pipeline, whose
 * members the shell starts one after the other, is one job) and all descendants
 * of these. What was started before the owner last named itself is background.
 * When nobody of the job lives any more, the owner is in the foreground; when
 * it does not live either, nobody is: then everyone may read.
 *
 * Nothing here is told of ends: whoever asks gets an answer from the root
 * server's present list of domains. Rests on the root server giving out ids in
 * rising order.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* caller names domain (or itself) as foreground. 0, or EPERM: caller is neither
 * owner nor of the job in front; ESRCH: no such living domain. */
int foreground_set(uint32_t caller, uint32_t domain);

/* May this domain read, or change the terminal's settings? */
bool foreground_contains(uint32_t domain);

/* Send a signal to all domains in the foreground. */
void foreground_signal(int number);
