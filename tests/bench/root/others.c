/* SPDX-License-Identifier: BSL-1.0
 *
 * The domains that the client has to do with.
 */
#include "tests/bench/mark.h"
#include "tests/bench/root/set.h"

uint64_t server_work(uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3,
                     uint64_t w4, uint64_t w5, uint64_t w6, uint64_t w7);
uint64_t server_work(uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3,
                     uint64_t w4, uint64_t w5, uint64_t w6, uint64_t w7)
{
    return w0 + w1 + w2 + w3 + w4 + w5 + w6 + w7;
}

void server_main(void)
{
    static char stack[4096] __attribute__((aligned(16)));
    expect(sys_call_accept((uintptr_t)server_entry,
                           (uintptr_t)stack + sizeof(stack), 0),
           "accept");
    for (;;) {
        (void)sys_block(~0ull);
    }
}

/* The peer is more urgent than the client: an event brings it to the CPU. */
static void peer_wait(struct upcall_page *page)
{
    (void)__atomic_exchange_n(&page->pending, 0, __ATOMIC_RELAXED);
    (void)__atomic_exchange_n(&page->events, 0, __ATOMIC_RELAXED);
    (void)sys_block(~0ull);
}

void peer_first(struct upcall_page *page)
{
    mark_end();
    peer_wait(page);
}

void peer_block(struct upcall_page *page)
{
    (void)__atomic_exchange_n(&page->pending, 0, __ATOMIC_RELAXED);
    mark_begin();
    (void)sys_block(~0ull);
}

volatile uint32_t interrupted;

void peer_interrupt(struct upcall_page *page)
{
    mark_end();
    interrupted = 1;
    peer_wait(page);
}

void peer_back(struct upcall_page *page)
{
    (void)sys_event_signal(PEER_EVENT_SLOT);
    peer_wait(page);
}

void peer_main(void)
{
    static char stack[4096] __attribute__((aligned(16)));
    struct upcall_page *page = page_of(PEER);
    page->sp = (uintptr_t)stack + sizeof(stack);
    page->entry = (uintptr_t)peer_back;
    (void)sys_block(~0ull);
}
