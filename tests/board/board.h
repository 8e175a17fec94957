/* SPDX-License-Identifier: BSL-1.0
 *
 * Cases that need the root server's place: four domains whose number is their
 * urgency, of which the server takes calls. A case begins with all of them
 * asleep, wakes one after the other, and says at its end what must have been
 * said, in order. What it made is then revoked, and the ledger must be the one
 * before it.
 *
 *     begin("a title");
 *     wake(LOW);
 *     end("low calls, low answered");
 */
#pragma once

#include <stdbool.h>

#include "tests/bench/mark.h"
#include "tests/bench/root/domains.h"

enum member { SERVER, LOW, MIDDLE, URGENT, MEMBERS };
#define LINE   3u /* more callers, in a case that begin_line() begins */
#define LEVELS 3u /* of schedulers above each member there, at the most */
#define ALL    ((MEMBERS + LINE) * (1 + LEVELS))

/* Of each member's CNode. */
enum slot {
    S_GATE = 1,                    /* of the server; badge: who calls */
    S_EVENT,                       /* of each member: wakes it */
    S_SAVED = S_EVENT + MEMBERS,   /* of the server: the reply to each member */
    S_RECEIVE = S_SAVED + MEMBERS, /* where a capability comes to */
};

struct call { /* as the server is entered */
    uint64_t w[8], badge, cap, loan;
};

/* What they do; begin() lets all ask. */
extern void (*woken[ALL])(uint32_t m);
extern void (*called)(const struct call *c);

/* ---- of the root (board.c) ---------------------------------------------- */

void begin(const char *title);
void begin_line(const char *title, uint32_t levels);
/* Until all wait: how often somebody was run. */
uint32_t wake(uint32_t m);
uint32_t settle(void);
/* For how many ticks they are run, with which flags, and whether callers, too,
 * while the server can go on. begin() sets all back. */
extern uint64_t slice, run_flags;
extern bool run_callers;
/* What the root does once, as soon as it has the CPU: in the midst of what a
 * member does who wakes a more urgent one. NULL: nothing. */
extern void (*meanwhile)(void);
/* In the case's order: `who what`, with commas between. */
void end(const char *said);
/* Slots of the root: untyped memory for the case, and what wakes each. */
extern uint32_t memory, event[ALL];
cptr_t slot_in(uint32_t m, uint32_t slot);
/* Its events are of it, too: the last capability destroys it. */
enum abi_error kill(cptr_t dispatcher);

void urgency_cases(void);
void late_cases(void);
void loan_cases(void);
void line_cases(void);
void loan_prepare(void); /* addresses, before the ledger is read */
/* A page of a stretch, in ask_loan; m sees it, to read, and can lend it. */
void lent_make(void);
void lent_show(uint32_t m);

/* ---- of the members (member.c) ------------------------------------------ */

void member_main(uint64_t m);
void note(uint32_t m, const char *what);
void note_error(uint32_t m, enum abi_error e);
extern char said[512];

/* Call the server, with CALL_x; say what comes of it. */
void ask(uint32_t m);
extern uint64_t ask_flags, ask_loan;
/* Save the reply to c; say so. */
void save(const struct call *c);
/* The words that c wants for an answer. */
struct call words_for(const struct call *c);
/* Answer what was saved of m, now: with REPLY_x. */
enum abi_error answer_saved(uint32_t m, uint64_t flags, cptr_t cap);
/* The same, and say so: woken[x] of who answers. */
void answer_target(uint32_t self);
extern uint32_t target;
extern uint64_t target_flags;

/* entries.S: a call of x[0..11], with the registers that come back in it; an
 * answer; where calls begin; a request to the checker in the kernel. */
enum abi_error invoke(uint64_t x[12]);
enum abi_error answer(const uint64_t w[8], uint64_t slot_and_flags, cptr_t cap);
void called_entry(void);
uint64_t kcheck(uint64_t op, uint64_t a, uint64_t b);
