/* SPDX-License-Identifier: BSL-1.0
 *
 * Is the core's state what the model says? Fails by diverge().
 */
#pragma once

#include "machine.h"

void compare_slot(const struct object *node, uint32_t index);
/* The slot that a capability pointer of the caller names, if it names one. */
void compare_named(uint64_t cptr);
/* All slots, who derives from whom, bindings. */
void compare_caps(void);
/* What each domain can access at each page of the window; directory, TLB. */
void compare_space(void);
