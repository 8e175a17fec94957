/* SPDX-License-Identifier: BSL-1.0
 *
 * A host's stand-in for what libos/ipc rests on: threads are the host's, the
 * root server is a table of one service, events are bits under one lock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <vesper/channel.h>

#define HOST_PAGES  17u
#define HOST_SERVER 77u /* slot value that wakes the server */
#define HOST_CLIENT 78u /* slot value that wakes the client */

/* Slots are given out in turn; the client takes two, for event and doorbell. */
#define HOST_CHANNEL 2u /* id: the badge of who rings */

/* The channel that the next ROOT_CONNECT hands out, freshly laid out. */
struct channel_page *host_page(void);
void host_page_reset(void);

/* False: signalling the server fails, as when its domain is gone. */
void host_server_alive(bool alive);

/* Wait until somebody signalled HOST_SERVER or rang, or 10 ms; who rang before
 * is answered. */
void host_server_wait(void);

/* Does the server have a doorbell? And how often was it rung with success. */
void host_doorbell(bool there);
uint32_t host_rings(void);

/* How long event_wait waits at most, and how often nothing came so long. */
void host_patience(uint64_t ms);
uint32_t host_vain_waits(void);

/* The next event_wait that may be interrupted is. */
void host_interrupt(void);
