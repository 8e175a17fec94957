/* SPDX-License-Identifier: BSL-1.0
 *
 * The domains that the client has to do with.
 */
#include <stddef.h>

#include "tests/bench/mark.h"
#include "tests/bench/root/bulk.h"
#include "tests/bench/root/set.h"

uint64_t server_work(uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3,
                     uint64_t w4, uint64_t w5, uint64_t w6, uint64_t w7);
uint64_t server_work(uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3,
                     uint64_t w4, uint64_t w5, uint64_t w6, uint64_t w7)
{
    return w0 + w1 + w2 + w3 + w4 + w5 + w6 + w7;
}

/* loan: of its caller, and by the relay's call of the server. */
uint64_t waker_work(enum waker_task task, uint64_t loan);
uint64_t waker_work(enum waker_task task, uint64_t loan)
{
    if (task == WAKER_WAKES) {
        (void)sys_event_signal(WAKER_EVENT_SLOT);
        return 0;
    }
    if (task == WAKER_RELAYS) {
        static uint64_t w[8]; /* no FP registers are needed to clear it */
        expect(call_endpoint(w, WAKER_SERVER_SLOT | (loan ? CALL_LEND : 0), 0,
                             loan),
               "relay");
        return 0;
    }
    mark_begin();
    enum abi_error e = sys_reply_save(WAKER_REPLY_SLOT);
    mark_end();
    expect(e, "reply_save");
    return WAKER_REPLY_SLOT;
}

/* Of what the client lends: the sum of a list, or of words in a row. Nothing
 * of it is mapped in this domain but while the call lasts. */
uint64_t reader_work(const struct item *list, const uint64_t *words,
                     uint64_t count);
uint64_t reader_work(const struct item *list, const uint64_t *words,
                     uint64_t count)
{
    uint64_t sum = 0;
    if (count == BULK_WORDS) {
        return bulk_sum(words);
    }
    for (; list != NULL; list = list->next) {
        sum += list->value;
    }
    for (uint64_t i = 0; i < count; i += 8, words += 8) {
        sum += words[0] ^ words[1] ^ words[2] ^ words[3] ^ words[4] ^ words[5] ^
               words[6] ^ words[7];
    }
    return sum;
}

static void serve(void (*entry)(void), const char *stack)
{
    expect(sys_call_accept((uintptr_t)entry, (uintptr_t)stack, 0), "accept");
    for (;;) {
        (void)sys_block(~0ull);
    }
}

void server_main(uint64_t m)
{
    (void)m;
    static char stack[4096] __attribute__((aligned(16)));
    serve(server_entry, stack + sizeof(stack));
}

void waker_main(uint64_t m)
{
    (void)m;
    static char stack[4096] __attribute__((aligned(16)));
    serve(waker_entry, stack + sizeof(stack));
}

void floater_main(uint64_t m)
{
    (void)m;
    static char stack[4096] __attribute__((aligned(16)));
    serve(floater_entry, stack + sizeof(stack));
}

void reader_main(uint64_t m)
{
    (void)m;
    static char stack[4096] __attribute__((aligned(16)));
    serve(reader_entry, stack + sizeof(stack));
}

/* The peer is more urgent than the client: an event brings it to the CPU. */
static void peer_wait(struct upcall_page *page)
{
    take(page);
    (void)__atomic_exchange_n(&page->events, 0, __ATOMIC_RELAXED);
    (void)sys_block(~0ull);
}

void peer_first(struct upcall_page *page)
{
    mark_end();
    peer_wait(page);
}

/* While the server works for the client: waits in line, and helps. */
void peer_call(struct upcall_page *page)
{
    uint64_t w[8] = {0};
    (void)call_endpoint(w, PEER_ENDPOINT, 0, 0);
    peer_wait(page);
}

void peer_block(struct upcall_page *page)
{
    take(page);
    mark_begin();
    (void)sys_block(~0ull);
}

/* There is nothing that it waits for: it lets the next one run. */
void peer_yield(struct upcall_page *page)
{
    take(page);
    mark_begin();
    (void)sys_block(0);
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

void peer_main(uint64_t m)
{
    (void)m;
    static char stack[4096] __attribute__((aligned(16)));
    struct upcall_page *page = page_of(PEER);
    page->sp = (uintptr_t)stack + sizeof(stack);
    page->entry = (uintptr_t)peer_back;
    (void)sys_block(~0ull);
}
