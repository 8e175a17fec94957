/* SPDX-License-Identifier: BSL-1.0
 *
 * What a domain finds when it starts: x0 of its first context points at
 * struct start_info, in a private read-write page. The root server fills it in;
 * libos reads it in start.c. Both sides include only this. Below it lies the
 * stack of upcalls, and below that a page that is not mapped.
 */
#pragma once

#include <stdint.h>

#define START_MAGIC         0x54535650u
#define START_FDS           16
#define START_DEVICES       4
#define START_SERVICE_BYTES 16
#define START_STACK_BYTES   8192u
#define START_UNTYPED_LOG2  14u
#define START_UPCALL_BYTES  4096u /* stack right below start_info */

/* First slots of every domain's CNode. */
enum start_slot {
    SLOT_ROOT = 1,    /* endpoint of the root server, badge: domain id */
    SLOT_RANGE = 2,   /* RANGE over range_base, range_bytes */
    SLOT_UNTYPED = 3, /* UNTYPED of 2^START_UNTYPED_LOG2, for its pages */
    SLOT_IRQ = 4,     /* ..7: IRQ of devices that the manifest gives */
    SLOT_DATA = 8,  /* STRETCH of the data slot (heap below 2 MiB goes here) */
    SLOT_FREE = 16, /* from here to slot_count: the domain's own; more:
                       ROOT_SLOTS */
};

/* Event bits that the root server sets; the others are the domain's own, and
 * it chooses them when it connects to a service. */
enum start_event {
    EVENT_CHILD = 0,  /* a child ended: ask ROOT_WAIT */
    EVENT_SIGNAL = 1, /* a signal came: ask ROOT_SIGNALS */
    EVENT_ACCEPT = 2, /* server: a client connected: ask ROOT_ACCEPT */
    EVENT_REVOKE = 3, /* lent memory is wanted back: ask ROOT_DEMAND */
    EVENT_IRQ = 4,    /* ..7: interrupt of device i; answer with irq_ack */
    EVENT_WORK = 8,   /* server: some client's channel has work */
    EVENT_RUNG = 9,   /* server: a client rang the doorbell (libos' own) */
    EVENT_FREE = 16,  /* from here: libos gives them out */
};

/* One inherited file descriptor. handle is a number that the named service
 * understands (a grant made to this domain, see file.h); 0: its default. */
struct start_fd {
    int32_t fd;
    uint32_t flags; /* O_x as the opener gave them */
    uint64_t handle;
    char service[START_SERVICE_BYTES];
};

struct start_info {
    uint32_t magic, abi_version;
    uint32_t id, parent_id;      /* domain ids, also POSIX pids */
    uint64_t image, image_bytes; /* where the program was loaded */
    uint64_t dispatcher;         /* struct identity_page; +4096: upcall_page */
    uint64_t range_base, range_bytes; /* never attached before; SLOT_RANGE */
    uint64_t heap, heap_end;     /* rest of the data stretch: unmapped, free */
    uint64_t stack, stack_bytes; /* first stack; page below: guard. The last
                                    START_STACK_BYTES are mapped */
    uint64_t symbols;            /* struct symbol_table, read-only, or 0 */
    int64_t wall_epoch_ns;       /* wall clock minus counter, in ns */
    uint32_t slot_count;
    uint32_t argc, envc, fd_count, device_count;
    uint32_t strings; /* offset from here: argv, then envp, NUL ended */
    uint32_t strings_bytes;
    struct {
        uint64_t address, bytes;
    } device[START_DEVICES];
    struct start_fd fd[START_FDS];
    char name[32], cwd[256];
    uint64_t stolen; /* address of a uint64_t, read-only: ticks in which the
                        domain was ready and others had the CPU, up to when it
                        got it last; or 0 */
};

/* libos: set by core before posix_init and main; never changes afterwards. */
extern struct start_info *start_self;
