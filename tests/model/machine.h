/* SPDX-License-Identifier: BSL-1.0
 *
 * The kernel core on a machine made for the model: three domains that take
 * turns, memory of every kind, and an adversarial TLB, which keeps what it has
 * loaded until the core says which page or domain to forget. The model is
 * booted beside it, with the same capabilities.
 */
#pragma once

#include "core.h"
#include "model.h"

#define DOMAINS   3u  /* that call; the first is root */
#define ROOT_LOG2 13u /* bytes of root's CNode: 256 slots */
#define KID_LOG2  11u
#define PROTECTED 32u /* slots of root with what the machine stands on */

struct machine {
    struct object *domain[DOMAINS], *dispatcher[DOMAINS], *root_node;
    uint64_t interrupts; /* bit by bit: is one pending? */
    uint32_t asked;      /* what the core asked of the machine, calls */
    uint64_t end;        /* of the memory in use, from 0 */
};
extern struct machine machine;

void machine_boot(void);
/* As if 2^13 - 1 stretches had come and gone in a slot that has none: the next
 * one there looks like the last. */
void machine_age(uint32_t slot);
void machine_become(uint32_t domain);
/* A whole system call, or up to the first step after `patience` interruptions:
 * then ERR_AGAIN. Results and what is left to do come back in x. */
enum abi_error machine_call(uint32_t nr, uint64_t *x, uint32_t patience);

/* What the CPU finds in the page tables of a domain. */
struct access machine_walk(ref_t domain, uint64_t va);
bool machine_walks(ref_t domain, uint64_t va); /* is its table attached? */
/* The TLB loads a translation, if there is one. */
void tlb_load(ref_t domain, uint64_t va, uint32_t into);
/* Fails if an entry is not what the tables say now. */
void tlb_check(uint32_t entry);
void tlb_check_all(void);
/* Fails if any entry leads to memory that now becomes something else. */
void tlb_check_memory(uint64_t address, uint64_t bytes);
#define TLB_ENTRIES 64u

/* differential.c: the core or the model is wrong; does not return. */
_Noreturn void diverge(const char *format, ...)
    __attribute__((format(printf, 1, 2)));
