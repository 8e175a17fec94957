/* SPDX-License-Identifier: BSL-1.0
 *
 * The DMA engine, by way of the broker (vesper/dma.h). engine.c asks it; a host
 * test moves the words itself. place: DMA_PLACE(), never 0.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Fewer sectors than that cost less without it. */
#define ENGINE_SECTORS_MIN 32u

/* Is there a broker? Not: it was not started, or is starting again. */
bool engine_ready(void);

/* Between the controller's FIFO and memory; 0 or an errno as of vesper/dma.h;
 * EPIPE: the broker ended, and what it moved with it. */
int engine_read(uint64_t place, uint32_t bytes);
int engine_write(uint64_t place, uint32_t bytes);
