/* SPDX-License-Identifier: BSL-1.0
 *
 * The neighbours of the hostile domain. Each wakes now and then, and whenever
 * the hostile domain sends it an event; looks whether its memory, its registers
 * and the answers of the server are what they must be; and counts.
 */
#include <stdbool.h>
#include <abi/calls.h>

#include "programs.h"

#define SPINS 100u
#define PAUSE 20000u /* ticks */

bool registers_hold(uint64_t seed, uint64_t spins);
uint64_t neighbour_call(uint64_t message[8], uint64_t slot);
void neighbour_called(void);
void neighbour_serve(uint64_t message[8]);
_Noreturn void neighbour_upcall(struct upcall_page *page);

/* The stack lies in the stretch of whoever asks. */
static uint64_t own_va(void)
{
    return (uintptr_t)__builtin_frame_address(0) & ~(STRETCH_BYTES - 1);
}

static struct neighbour *self(void)
{
    return (struct neighbour *)(own_va() + DATA_OFFSET);
}

static uint64_t pattern(uint64_t work, uint64_t i)
{
    return (work + i + own_va()) * 0x9e3779b97f4a7c15ull;
}

static void memory_next(struct neighbour *n)
{
    for (uint64_t i = 0; i < sizeof(n->memory) / 8; i++) {
        n->wrong += n->memory[i] != (n->work == 0 ? 0 : pattern(n->work, i));
        n->memory[i] = pattern(n->work + 1, i);
    }
}

static void ask_server(struct neighbour *n)
{
    uint64_t m[8];
    for (uint64_t i = 0; i < 8; i++) {
        m[i] = pattern(n->work, i);
    }
    n->wrong += neighbour_call(m, SLOT_SERVER) != ERR_OK;
    for (uint64_t i = 0; i < 8; i++) {
        n->wrong += m[i] != pattern(n->work, i) + i;
    }
}

/* The answer to a message: word i, and i. A capability that came is deleted. */
void neighbour_serve(uint64_t message[8])
{
    for (uint64_t i = 0; i < 8; i++) {
        message[i] += i;
    }
    (void)sys_cap_delete(SLOT_RECEIVED);
    self()->served++;
}

static void work(void)
{
    struct neighbour *n = self();
    memory_next(n);
    n->wrong += !registers_hold(pattern(n->work, 0), SPINS);
    if (n->kind == IS_CLIENT) {
        ask_server(n);
    }
    n->work++;
}

void neighbour_upcall(struct upcall_page *page)
{
    uint32_t slot = page->saved_slot;
    page->pending = 0;
    page->events = 0;
    work();
    if (slot != SAVE_NONE) {
        (void)sys_resume(slot);
    }
    (void)sys_block(now() + PAUSE);
    __builtin_trap();
}

void neighbour_start(uint64_t kind)
{
    struct upcall_page *page = (struct upcall_page *)(own_va() + PAGE_BYTES);
    uint64_t data = own_va() + DATA_OFFSET;
    self()->kind = kind;
    page->entry = (uintptr_t)neighbour_upcall;
    page->sp = data + STACK_TOP;
    if (kind == IS_SERVER) {
        (void)sys_call_accept((uintptr_t)neighbour_called, data + CALL_TOP,
                              SLOT_RECEIVED);
    }
    (void)sys_block(now());
    __builtin_trap();
}
