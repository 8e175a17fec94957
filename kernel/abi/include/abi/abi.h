/* SPDX-License-Identifier: BSL-1.0
 *
 * The structures that kernel and user domains share, and the constants that
 * shape them. Numbers (types, rights, errors, system calls) are generated into
 * <abi/gen.h> from abi.toml. Both sides of the privilege line include only
 * this.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <abi/gen.h>

/* A capability pointer: the slot's index in the domain's own CNode in bits
 * 31-0; and, to name a slot inside the CNode found there, its index + 1 in
 * bits 63-32. Index 0 of every CNode is its header and never a capability. */
typedef uint64_t cptr_t;
#define CPTR(slot, inner) ((cptr_t)(slot) | ((cptr_t)(inner) + 1) << 32)
/* The slot n further on in the same CNode. */
#define CPTR_NEXT(cptr, n)                                                     \
    ((cptr) + ((cptr) >> 32 ? (cptr_t)(n) << 32 : (cptr_t)(n)))
#define CPTR_SELF_CNODE      ((cptr_t)0xffffffff) /* this domain's CNode */
#define CPTR_SELF_DOMAIN     ((cptr_t)0xfffffffe) /* this domain */
#define CPTR_SELF_DISPATCHER ((cptr_t)0xfffffffd) /* this dispatcher */

#define COPY_SIBLING 1u

/* Flag of `run` in its urgency: children that were run with it make room for
 * each other. One that wakes and is more urgent than the one that runs, or
 * wakes while the scheduler is blocked, gets the CPU without the scheduler
 * being asked. That one has it back when the child blocks, when the child's
 * SchedContext is used up, and no later than it would have had it otherwise. */
#define RUN_DIRECT  0x100u
#define URGENCY_MAX 255u
#define RIGHTS_ALL  0x7fu

/* Protected call: svc #SVC_CALL with x0..x7 the message and in x8 the slot of
 * the endpoint | flags. The callee starts at its call entry with x0..x7, the
 * badge in x8, in x9 whether a capability arrived in its receive slot, and in
 * x10 the LOAN() that is its to use until it answers, or 0.
 * It answers by svc #SVC_REPLY with x0..x7 and in x8 the slot of a REPLY
 * capability (0: the present caller) | flags, and so waits for the next call
 * or upcall; with REPLY_STAY it goes on, with ERR_OK in x8. The caller gets
 * x0..x7, in x8 an error (ERR_OK: replied), in x9 whether a capability arrived.
 * All other registers except the stack pointer are the callee's to change: the
 * stub saves what it needs.
 */
#define SVC_CALL    0x8000
#define SVC_REPLY   0x4000
#define CALL_NOWAIT (1ull << 63) /* ERR_BUSY instead of waiting in line */
#define CALL_CAP    (1ull << 62) /* x9: slot of a capability to copy along */
#define CALL_RECEIVE                                                           \
    (1ull << 61)                /* x10: empty slot for one that comes back     \
                                 */
#define CALL_LEND  (1ull << 60) /* x11: LOAN(), what is lent along */
#define REPLY_STAY (1ull << 63) /* do not wait for the next call */
#define REPLY_CAP  (1ull << 62) /* x9: slot of a capability to copy along */

/* What a call lends, in one word: the stretch around an address, and READ,
 * READ|WRITE or READ|EXEC, no more than the lender has. */
#define LOAN(address, rights)                                                  \
    (((uint64_t)(address) & ~(STRETCH_BYTES - 1)) | (rights))
#define LOAN_RIGHTS(loan)  ((uint64_t)(loan) & (STRETCH_BYTES - 1))
#define LOAN_ADDRESS(loan) ((uint64_t)(loan) & ~(STRETCH_BYTES - 1))

/* Address space. */
#define PAGE_BYTES      4096ull
#define PAGE_LOG2       12u
#define BIG_FRAME_LOG2  16u
#define STRETCH_LOG2    21u
#define STRETCH_BYTES   (1ull << STRETCH_LOG2)
#define HUGE_FRAME_LOG2 STRETCH_LOG2 /* becomes a stretch as a whole */
#define USER_VA_LOG2    39u
#define USER_VA_END     (1ull << USER_VA_LOG2)
#define FRAME_RANGE_MAX 512u /* of one frame_x call */

/* Sizes in log2 bytes of the objects whose size is fixed; a domain may also be
 * made larger: it has (1 << (size_log2 - 12)) - 2 second-level tables, each of
 * which serves 1 GiB of addresses that it is attached to. */
#define SLOT_LOG2          5u
#define ENDPOINT_LOG2      6u
#define SCHED_CONTEXT_LOG2 6u
#define DISPATCHER_LOG2    14u
#define DOMAIN_LOG2_MIN    14u
#define DOMAIN_LOG2_MAX    18u

/* A context as upcalls save it and RESUME loads it. */
struct saved_context {
    uint64_t x[31];
    uint64_t sp;
    uint64_t pc;
    uint64_t nzcv;  /* bits 31-28; all other bits are ignored */
    uint64_t tpidr; /* TPIDR_EL0 */
    uint64_t reserved;
};
_Static_assert(sizeof(struct saved_context) == 288, "ABI");

#define SAVE_SLOTS  27u
#define SAVE_DOUBLE (SAVE_SLOTS - 1) /* where a fault while masked is saved */
#define SAVE_NONE   0xffffffffu

enum upcall_mask {
    MASK_OFF = 0,    /* upcalls are delivered */
    MASK_ON = 1,     /* critical section: they stay pending */
    MASK_DOUBLE = 2, /* in the handler of a fault that came while masked */
};

/* The read-write pages of a dispatcher. */
struct upcall_page {
    uint32_t mask;      /* enum upcall_mask; starts at MASK_ON */
    uint32_t pending;   /* REASON_x bits; kernel ORs, user swaps out */
    uint32_t save_slot; /* user: slot for the next involuntary save */
    uint32_t
        saved_slot; /* kernel: slot of the interrupted context or SAVE_NONE */
    uint64_t entry, sp; /* user: where upcalls go; x0 = this page */
    uint64_t double_entry, double_sp; /* user: fault while masked */
    uint64_t events;                  /* kernel ORs, user swaps out */
    struct upcall_fault {
        uint64_t esr, far, pc;
        uint32_t slot;
        uint32_t reserved;
    } fault;
    uint64_t child_changed[4]; /* bit i: child i's state changed */
    uint64_t reserved[17];
    struct saved_context slots[SAVE_SLOTS];
};
_Static_assert(offsetof(struct upcall_page, slots) == 256, "ABI");
_Static_assert(sizeof(struct upcall_page) <= 2 * PAGE_BYTES, "ABI");

#define CHILDREN_MAX 240u

struct child_entry {
    uint64_t until; /* BLOCKED, CALLING: counter value, ~0: none */
    uint32_t state; /* CHILD_x */
    uint32_t reserved;
};

/* The read-only page of a dispatcher, one page below the read-write pages. */
struct identity_page {
    uint32_t version; /* ABI_VERSION */
    uint32_t core;
    uint64_t frequency; /* of the counter CNTVCT_EL0, ticks a second */
    uint64_t now;       /* counter at the last upcall */
    uint64_t until;     /* when the CPU will be taken back */
    /* The child that it ran last had the CPU then, by the kernel's account. */
    uint64_t child_from, child_to;
    uint64_t reserved[26];
    struct child_entry child[CHILDREN_MAX];
};
_Static_assert(sizeof(struct identity_page) == PAGE_BYTES, "ABI");

/* What the kernel tells the root server, in a page it maps read-only. */
#define BOOT_MAGIC       0x3176657370657631ull
#define BOOT_UNTYPED_MAX 48u
#define IRQ_COUNT        96u

struct boot_untyped {
    uint64_t address;
    uint32_t slot;
    uint8_t size_log2, device, reserved[2];
};

/* What lies in RAM that no Untyped capability names. Regions and Untyped
 * together cover [0, board_bytes), and do not overlap. */
#define BOOT_REGIONS_MAX 12u

enum boot_region_kind {
    BOOT_SPIN_TABLE,   /* of the parked cores: the firmware's page */
    BOOT_KERNEL,       /* its image: text, data, tables, stacks */
    BOOT_DIRECTORY,    /* kernel: word of each 2 MiB slot; derivation list */
    BOOT_ROOT_IMAGE,   /* root server: header, text, data */
    BOOT_ARCHIVE,      /* the boot archive */
    BOOT_INFO,         /* the page with struct boot_info */
    BOOT_ROOT_OBJECTS, /* CNode, domain, dispatcher, and what aligns them */
    BOOT_ROOT_TABLES,  /* the root server's stretches */
    BOOT_VIDEOCORE,    /* the ARM cores cannot have it */
    BOOT_PERIPHERALS,  /* RAM whose addresses the devices have taken */
};

struct boot_region {
    uint64_t address, bytes;
    uint32_t kind, reserved; /* enum boot_region_kind */
};

struct boot_info {
    uint64_t magic;
    uint32_t abi_version, untyped_count;
    uint64_t ram_bytes;    /* RAM that the ARM cores may use */
    uint64_t kernel_bytes; /* of it: kernel image, tables and stacks */
    uint64_t root_bytes;   /* of it: root server image and objects, archive */
    uint64_t archive, archive_bytes; /* VA of the boot archive, mapped READ */
    uint64_t first_text_ticks;       /* counter at the first kernel line */
    uint32_t slot_count;             /* of the root CNode */
    uint32_t slot_free;              /* first free one */
    uint32_t slot_range, slot_cpu, slot_irq, slot_domain, slot_dispatcher;
    uint32_t slot_text, slot_data,
        slot_pages; /* stretches of the root server */
    uint64_t range_base, range_bytes;
    struct boot_untyped untyped[BOOT_UNTYPED_MAX];
    uint64_t board_bytes; /* all RAM of the board, ram_bytes and more */
    uint32_t region_count, reserved;
    struct boot_region region[BOOT_REGIONS_MAX];
};
_Static_assert(sizeof(struct boot_info) <= PAGE_BYTES, "ABI");

/* Header of the root server's flat image, page aligned behind the kernel; made
 * by scripts/mkimage.py. The pages of text, data and archive follow in order.
 */
#define ROOT_IMAGE_MAGIC 0x544f4f5250534556ull
struct root_image {
    uint64_t magic;
    uint64_t bytes; /* of all that follows this page */
    uint32_t crc;   /* CRC-32 (ISO-HDLC) of it */
    uint32_t text_pages, data_pages, archive_pages; /* data includes bss */
    uint64_t archive_bytes;
    uint64_t entry; /* offset from the text address */
};

/* Where the root server lives; its text is RX, its data RW. */
#define ROOT_TEXT_VA 0x40000000ull
#define ROOT_DATA_VA 0x40200000ull
#define ROOT_PAGES_VA                                                          \
    0x40400000ull /* dispatcher at +0, boot_info at +64 KiB                    \
                   */
#define ROOT_BOOT_INFO_VA (ROOT_PAGES_VA + 0x10000)
#define ROOT_ARCHIVE_VA   0x40600000ull
#define ROOT_RANGE_VA     0x4000000000ull /* slot_range: from here to the end */
