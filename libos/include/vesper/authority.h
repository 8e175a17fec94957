/* SPDX-License-Identifier: BSL-1.0
 *
 * What a system tool asks of the root server about memory and capabilities.
 * Each function gives the item of one index; 0, or -1 and errno: ENOENT is past
 * the end, ESRCH no such domain. Enums: <vesper/root.h>.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <abi/abi.h>
#include <vesper/root.h>

#define SYS_TEXT_BYTES 33

/* One owner of memory. Rows are of one moment if `changes` is the same. */
struct sys_ledger {
    uint32_t owner, id, changes; /* enum ledger_owner; of domain or channel */
    uint32_t region;             /* enum boot_region_kind, of a REGION */
    uint64_t address, bytes;     /* of a REGION; BOARD, FREE: bytes alone */
    uint64_t small_bytes;        /* FREE: in pieces too small to give away */
    uint64_t type[LEDGER_TYPES]; /* ROOT, DOMAIN, CHANNEL */
};

/* row: 0 to begin with; is set to the next one. */
int sys_ledger(uint32_t *row, struct sys_ledger *out);

/* A capability as the kernel identifies it. */
struct sys_cap {
    uint32_t slot;
    uint32_t type, rights, size_log2, depth; /* depth 0: an original */
    bool device;
    uint64_t address, word; /* see cap_identify in docs/abi-reference.md */
    uint32_t owner, id;     /* whose memory, dispatcher or addresses */
};

enum sys_table {
    SYS_CSPACE, /* what the domain itself can use */
    SYS_KEPT,   /* what the root server keeps for it */
};

/* at: 0 to begin with; is set to where to go on. Domain 0: the root server. */
int sys_cap(uint32_t domain, enum sys_table table, uint32_t *at,
            struct sys_cap *out);

struct sys_channel {
    uint32_t id, client, server; /* 0: the root server; it is gone */
    uint64_t address, bytes;
    char service[SYS_TEXT_BYTES];
};

int sys_channel(uint32_t index, struct sys_channel *out);

struct sys_service {
    uint32_t server; /* 0: not running */
    char name[SYS_TEXT_BYTES];
};

int sys_service(uint32_t index, struct sys_service *out);

/* What the manifest says; the first fact of each domain is its name. */
struct sys_fact {
    uint32_t kind, domain, line; /* enum fact_kind; index in the manifest */
    uint64_t value, bytes;
    char text[SYS_TEXT_BYTES];
};

int sys_fact(uint32_t index, struct sys_fact *out);

struct sys_origin {
    int32_t declared;        /* index in the manifest; -1: a program */
    int32_t rights;          /* index of the domain whose needs hold for it */
    uint64_t address, bytes; /* its part of the address space */
};

int sys_origin(uint32_t domain, struct sys_origin *out);
