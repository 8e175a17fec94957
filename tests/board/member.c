/* SPDX-License-Identifier: BSL-1.0
 *
 * What the members do when they are woken or called, and what they say of it.
 */
#include "tests/board/board.h"

#include <string.h>

#define STACK_BYTES 4096u
#define FAULTED     (~0ull) /* what touch() then gives */

static char stack[ALL][2][STACK_BYTES] __attribute__((aligned(16)));
static struct call kept[ALL];

void (*woken[ALL])(uint32_t m);
void (*called)(const struct call *c);
char said[512];
uint64_t ask_flags, ask_loan, target_flags;
uint32_t target;

/* ---- what they did ------------------------------------------------------ */

static const char *const name[] = {"server", "low",    "middle", "urgent",
                                   "first",  "second", "third"};
static const char *const error_name[ERR_COUNT] = {
    [ERR_OK] = "answered",     [ERR_PEER_DEAD] = "PEER_DEAD",
    [ERR_TIMEOUT] = "TIMEOUT", [ERR_EMPTY] = "EMPTY",
    [ERR_NOREPLY] = "NOREPLY", [ERR_STATE] = "STATE",
    [ERR_FULL] = "FULL",       [ERR_TYPE] = "TYPE",
};

static void append(const char *text)
{
    size_t at = strlen(said);
    if (at + strlen(text) < sizeof(said)) {
        strcpy(said + at, text);
    }
}

void note(uint32_t m, const char *what)
{
    append(said[0] == '\0' ? "" : ", ");
    append(name[m]);
    append(" ");
    append(what);
}

void note_error(uint32_t m, enum abi_error e)
{
    const char *text = e < ERR_COUNT ? error_name[e] : NULL;
    note(m, text != NULL ? text : "has another error");
}

/* ---- clients ------------------------------------------------------------ */

static bool is_answer(const uint64_t w[8], uint32_t m)
{
    bool right = true;
    for (uint32_t i = 0; i < 8; i++) {
        right = right && w[i] == 10 * m + i + 1;
    }
    return right;
}

void ask(uint32_t m)
{
    uint64_t x[12] = {[8] = S_GATE | ask_flags,
                      [9] = S_EVENT,
                      [10] = S_RECEIVE,
                      [11] = ask_loan};
    for (uint32_t i = 0; i < 8; i++) {
        x[i] = 10 * m + i;
    }
    note(m, "calls");
    enum abi_error e = invoke(x);
    note_error(m, e);
    if (e == ERR_OK && !is_answer(x, m)) {
        note(m, "has wrong words");
    }
    if (x[9] != 0) {
        note(m, "has a capability");
    }
}

/* ---- the server --------------------------------------------------------- */

struct call words_for(const struct call *c)
{
    struct call to = *c;
    for (uint32_t i = 0; i < 8; i++) {
        to.w[i]++;
    }
    return to;
}

void save(const struct call *c)
{
    kept[c->badge] = words_for(c);
    enum abi_error e = sys_reply_save(S_SAVED + c->badge);
    if (e == ERR_OK) {
        note(SERVER, "saves");
    } else {
        note_error(SERVER, e);
    }
}

enum abi_error answer_saved(uint32_t m, uint64_t flags, cptr_t cap)
{
    return answer(kept[m].w, (S_SAVED + m) | flags, cap);
}

void answer_target(uint32_t self)
{
    note(self, "answers");
    enum abi_error e = answer_saved(target, target_flags, S_EVENT);
    if (e != ERR_OK) {
        note_error(self, e);
    }
}

/* ---- entries ------------------------------------------------------------ */

/* Upcalls come here, masked. A touch that faulted is left out. */
static _Noreturn void upcall(struct upcall_page *page)
{
    uint32_t slot = page->saved_slot;
    bool fault = (page->pending & REASON_FAULT) != 0;
    take(page);
    if (fault) {
        page->slots[slot].pc += 4;
        page->slots[slot].x[0] = FAULTED;
    } else {
        woken[member_of(page)](member_of(page));
    }
    if (slot != SAVE_NONE) {
        (void)sys_resume(slot);
    }
    (void)sys_block(~0ull);
    __builtin_trap();
}

_Noreturn void member_called(const struct call *c);
_Noreturn void member_called(const struct call *c)
{
    called(c);
    (void)sys_block(~0ull);
    __builtin_trap();
}

void member_main(uint64_t m)
{
    struct upcall_page *page = page_of((uint32_t)m);
    page->entry = (uintptr_t)upcall;
    page->sp = (uintptr_t)stack[m][0] + STACK_BYTES;
    if (m == SERVER) {
        (void)sys_call_accept((uintptr_t)called_entry,
                              (uintptr_t)stack[m][1] + STACK_BYTES, S_RECEIVE);
    }
    (void)sys_block(~0ull);
    __builtin_trap();
}
