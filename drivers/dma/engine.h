/* SPDX-License-Identifier: BSL-1.0
 *
 * One channel of the DMA controller. Knows nothing of who asks: what it is told
 * to move, it moves. Context: one thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* base: of the controller's registers; physical: where engine_control() lies in
 * memory. Stops whatever the channel was doing. False: it does not stop. */
bool engine_start(uint64_t base, uint64_t physical);
/* The control block's address, which lies in one page. */
uint64_t engine_control(void);

/* From a peripheral's register (bus address) that paces it by its line, to
 * memory (physical), or the other way. */
struct engine_move {
    bool to_memory;
    uint32_t fifo, line;
    uint64_t memory;
    uint32_t bytes; /* a multiple of 4, not 0 */
};

/* Returns when nothing moves any more: 0; EIO: a bus error; ETIMEDOUT: not a
 * word for ENGINE_LIMIT_US; EFAULT: and it does not stop. */
#define ENGINE_LIMIT_US 500000u
int engine_run(const struct engine_move *move);
