/* SPDX-License-Identifier: BSL-1.0 */
/* Clocks of which <time.h> has no names. */
#pragma once

#define CLOCKS_OF_THREADS (1ul << 32) /* + the id of its account */
