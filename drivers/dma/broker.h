/* SPDX-License-Identifier: BSL-1.0
 *
 * May this be moved? And then it is. Knows no registers; what it needs to know
 * of channels and domains, main.c (or a test) asks the root server.
 * Context: one thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <vesper/channel.h>

/* A channel's data area, as ROOT_DMA_BEGIN tells. */
struct broker_memory {
    uint64_t physical, address, bytes;
    uint32_t client, server;
    uint32_t borrower, lent_offset, lent_bytes;
};

/* Hold a channel's memory for one transfer of the asker's; 0 or an errno as of
 * ROOT_DMA_BEGIN. If it was 0: let go of it. */
int broker_hold(uint32_t channel, uint32_t asker, struct broker_memory *out);
void broker_let_go(void);

/* Does the manifest give this domain the device at that address? */
bool broker_has_device(uint32_t domain, uint64_t device);

/* Bit i: it may use enum dma_peripheral i. For broker_request, as long as the
 * domain lives. */
uint64_t broker_peripherals(uint32_t domain);

/* 0, or an errno as of vesper/dma.h; ENOSYS: no such operation. EFAULT: the
 * engine cannot be stopped; the memory is still held then. */
int broker_request(uint32_t asker, uint64_t peripherals,
                   const struct channel_request *r);
