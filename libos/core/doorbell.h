/* SPDX-License-Identifier: BSL-1.0
 *
 * The doorbell of a server: an endpoint by which a client wakes it, and gives
 * it its own time to work in. The call is answered as soon as no thread of the
 * server can go on: what the client asked for is done then, or the server
 * waits for something, and tells the client by an event when it is done
 * (docs/decisions/0020-doorbells.md).
 *
 * Which of the two it was, the server's own code neither knows nor decides: its
 * threads run as ever, only on the client's time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <abi/abi.h>

/* Client. Ring the endpoint in this slot. False: the server was busy, or is
 * gone, or there is no such endpoint: wake it by an event. Not masked; the
 * whole domain waits meanwhile. */
bool doorbell_ring(cptr_t bell);

/* Server. Answer the doorbell from now on: each ring is the event EVENT_RUNG.
 * `unheard` is called, masked and by no thread, if a caller gave up before the
 * answer: it has to be told by an event what was done meanwhile. */
void doorbell_open(void (*unheard)(uint64_t caller));

/* Server. The badge of who waits at the door; 0: nobody. It needs no event for
 * what is done until it is answered. */
uint64_t doorbell_caller(void);

/* ---- for the scheduler of threads, masked -------------------------------- */

/* A call has come, with this badge. */
void doorbell_rung(uint64_t caller);

/* No thread can go on: answer who waits at the door, if somebody does. The
 * domain then sleeps as it did before the call; with `stay`, which costs a
 * decision of its scheduler, or if nobody was there, this returns. */
void doorbell_answer(bool stay);
