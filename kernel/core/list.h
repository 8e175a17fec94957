/* SPDX-License-Identifier: BSL-1.0
 *
 * Circular doubly linked lists of objects, linked by reference. The head is the
 * reference of the first member, or 0.
 */
#pragma once

#include "core.h"

enum list { LIST_DOMAINS, LIST_BOUND, LIST_READY, LIST_WAITERS };

void list_append(enum list kind, ref_t *head, ref_t member);
void list_remove(enum list kind, ref_t *head, ref_t member);
