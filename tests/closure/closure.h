/* SPDX-License-Identifier: BSL-1.0
 *
 * Exhaustive closure: all states that the kernel core can reach by all moves of
 * a small menu, breadth first. engine.c searches, machine.c is the machine
 * under the core, and each scope (caps.c, space.c, calls.c, upcalls.c) says
 * what there is at the start, what can be done, and what must hold.
 *
 * Rules: a scope declares all memory that can vary with watch(); the engine
 * keeps of it the words that do vary, and checks that nothing else changes.
 * A move that is refused must leave every word as it was. Invariants are
 * checked in each new state, after normal(): that may only rename things that
 * are alike, set memory that nobody owns, and shift time and generations.
 */
#pragma once

#include "kernel_host.h"

enum outcome {
    CANNOT,  /* there is nothing that this move could be here: not counted */
    REFUSED, /* an error: nothing may have changed */
    DONE,
};

struct scope {
    const char *name;
    uint32_t sizes;
    void (*boot)(void);
    uint32_t (*moves)(void); /* how many the menu has, after boot */
    enum outcome (*move)(uint32_t i);
    /* To the state that stands for all that are like it. */
    void (*normal)(bool symmetry);
    void (*check)(void); /* calls host_fail */
    void (*show_move)(uint32_t i, char *text, size_t size);
    void (*show_state)(char *text, size_t size);
};

extern const struct scope scope;
extern uint32_t scope_size; /* which of the sizes that the scope lists */

/* ---- engine.c ---------------------------------------------------------- */

void watch(void *at, size_t bytes);
extern uint64_t engine_state; /* another number: another state is expanded */

/* ---- machine.c --------------------------------------------------------- */

enum { ROOT_SLOT = 1 }; /* where root's CNode has a capability to itself */

extern ref_t root_cnode, root_dispatcher;
extern bool machine_restarts; /* restartable operations: a step a move */

/* Root domain, dispatcher and a CNode of `slots` cells, and nothing else. */
void machine_boot(uint32_t slots);
/* Memory that boot took. */
ref_t machine_take(uint32_t log2);
/* A first capability in root's CNode. */
struct slot *machine_give(uint32_t index, uint32_t type, uint32_t obj,
                          uint32_t order);
/* Root calls, at boot; fails the program on an error. */
void machine_must(uint32_t nr, const uint64_t x[8]);
#define MUST(name, ...) machine_must(SYS_##name, (uint64_t[8]){__VA_ARGS__})

/* A first object, of new memory. */
ref_t machine_make(uint32_t index, uint32_t type, uint32_t log2);

/* System call of the current dispatcher, to its end unless machine_restarts;
 * ERR_AGAIN: one step was done. ERR_SWITCHED: another context is there. */
enum abi_error machine_call(uint32_t nr, const uint64_t x[8]);
enum outcome outcome_of(enum abi_error e);
/* The way back to user mode, at time `now`. */
void machine_settle(void);

#define LIST_MAX  64u
#define ALIKE_MAX 8u
/* The slots of the derivation list in order; returns how many. */
uint32_t walk_list(ref_t list[LIST_MAX]);
/* Slots first.. are alike: name them in the order of the list. */
void rename_slots(ref_t first, uint32_t count);
/* Let go what the scope does not look at: words that only count or tell. */
void normal_core(void);
/* The same of a sweep over domains, of which `first` is one that stays. */
void normal_sweep(ref_t first);
/* Watch a dispatcher's words: `children` entries, upcall page, save slots. */
void watch_dispatcher(ref_t d, uint32_t children, uint32_t save_slots);

/* Append a system call in words. */
void say_call(char *text, size_t size, uint32_t nr, const uint64_t *x);
/* Append to a text of limited size. */
void say(char *text, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
