/* SPDX-License-Identifier: BSL-1.0
 *
 * Doing what must not be done, and living on: code run under a probe may fault,
 * block or lose its context, and the probe still returns. It takes over libos'
 * upcall entry and passes on what is not its own.
 *
 * Rules: one probe at a time, from the main thread of a program with no other
 * threads; no signal handlers.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <abi/abi.h>

enum probe_end {
    PROBE_RETURNED,
    PROBE_FAULT,     /* REASON_FAULT; see probe_fault */
    PROBE_EXCEPTION, /* REASON_EXCEPTION; likewise */
    PROBE_UPCALL,    /* an upcall with no interrupted context, or one in another
                        slot than libos uses; masked, and still pending */
    PROBE_DOUBLE,    /* a fault while masked; masked now */
};

extern struct upcall_page *upcall_page; /* libos/core/page.h */

/* Of the latest fault or exception: what the kernel said. */
extern struct upcall_fault probe_fault;
extern volatile uint64_t probe_upcalls; /* how many came since probe_init */

/* Once, before the first probe. */
void probe_init(void);

/* Run body(argument) until it returns or cannot go on. Callee-saved general
 * registers and the stack pointer are as before; `body` ends where it is. */
enum probe_end probe(void (*body)(void *), void *argument);

/* Code for a context of the test's own, whose sp points at a saved_context: it
 * stores all registers there and ends the probe: PROBE_RETURNED. */
void probe_landing(void);

/* One access of 8 bytes; a call. *value is set if the probe returned. */
enum probe_end probe_load(uint64_t va, uint64_t *value);
enum probe_end probe_store(uint64_t va, uint64_t value);
enum probe_end probe_run(uint64_t va, uint64_t *value);

/* svc #nr with x0..x11 from x, and back; nr < SYS_COUNT, SVC_CALL or SVC_REPLY.
 * Returns x0, or x8 of the latter two. Not under a probe of its own. */
uint64_t svc(uint32_t nr, uint64_t x[12]);

/* The same under a probe; x and error keep what came back. */
struct raw_call {
    uint32_t nr;
    uint64_t x[12], error;
};
enum probe_end probe_svc(struct raw_call *c);

/* Numbers that are no system calls: the i-th of a sample; false: past the end.
 */
bool svc_unknown(uint32_t i, uint64_t x[12], uint32_t *nr);
