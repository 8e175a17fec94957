/* SPDX-License-Identifier: BSL-1.0 */
#pragma once

#include <stdbool.h>

/* Start the thread that answers faults; false: no memory. Unmasked. */
bool fault_start(void);
