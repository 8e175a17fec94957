/* SPDX-License-Identifier: BSL-1.0
 *
 * Free slots of the domain's CNode. Context: any thread; never the handler.
 */
#pragma once

#include <abi/abi.h>

/* slots first..end-1 are free. */
void slots_add(uint32_t first, uint32_t end);

cptr_t slot_take(void);      /* 0: none is left */
void slot_give(cptr_t slot); /* it is empty */
