/* SPDX-License-Identifier: BSL-1.0
 *
 * The benchmark's domains. All run the same image and see its data, each with
 * an address space, a CSpace and upcall pages of its own. The root schedules
 * them: of those that can run the one with the highest number.
 */
#pragma once

#include "tests/bench/root/domains.h"

enum member { CLIENT, SERVER, WAKER, FLOATER, READER, PEER };

/* What the client finds in its CNode: all rows use this. */
enum client_slot {
    C_MEMORY = 1, /* 256 KiB untyped each */
    C_MEMORIES = 24,
    C_RANGE = C_MEMORY + C_MEMORIES, /* 128 MiB of addresses */
    C_ENDPOINT,                      /* the server's; the others in order */
    C_WAKER,   /* of a server that does what the first word says */
    C_FLOATER, /* of a server that uses FP */
    C_READER,  /* of one that reads what is lent */
    C_GATE,    /* the server's, unbadged, all rights */
    C_EVENT,   /* bit 0 of PEER */
    C_PEER,    /* its domain */
    C_PEER_SCHED,
    C_SPARE_DISPATCHER, /* bound nowhere */
    C_SPARE_DOMAIN,
    C_SPARE_CNODE,
    C_CPU,
    C_IRQ,
    C_OWN_EVENT, /* bit 1 of the client */
    C_CHILD,     /* dispatcher of PEER */
    C_HUGE,      /* 2 MiB untyped */
    C_IRQS,      /* RUNS lines that nobody uses */
    C_FREE = 80,
};
#define PEER_EVENT_SLOT   1 /* in its CNode: bit 0 of the client */
#define PEER_ENDPOINT     2 /* the waker's */
#define WAKER_EVENT_SLOT  1 /* in the waker's: bit 0 of the peer */
#define WAKER_REPLY_SLOT  2 /* empty */
#define WAKER_SERVER_SLOT 3 /* the server's endpoint */

enum waker_task { WAKER_WAKES, WAKER_SAVES, WAKER_RELAYS };

extern uint64_t client_range;    /* address of C_RANGE */
extern volatile uint32_t direct; /* RUN_DIRECT: all are run so from now on */

/* What the client lends to the reader. */
struct item {
    struct item *next;
    uint64_t value;
};

/* More idle domains, until there are n: the client asks, the root makes them.
 */
void crowd(uint32_t n);

void client_main(uint64_t m);
void server_main(uint64_t m);
void waker_main(uint64_t m);
void floater_main(uint64_t m);
void reader_main(uint64_t m);
void peer_main(uint64_t m);

/* entries.S; upcalls of C take the page, and do not return. */
void server_entry(void);
void waker_entry(void);
void floater_entry(void);
uint64_t call_floating(uint64_t w[8], uint64_t endpoint, cptr_t cap,
                       uint64_t loan);
void reader_entry(void);
void undefined(void);
void peer_first(struct upcall_page *page);
void peer_call(struct upcall_page *page);
void peer_block(struct upcall_page *page);
void peer_yield(struct upcall_page *page);
void peer_back(struct upcall_page *page);
void peer_interrupt(struct upcall_page *page);
extern volatile uint32_t interrupted; /* by peer_interrupt */
