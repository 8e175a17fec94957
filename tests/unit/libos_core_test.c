/* SPDX-License-Identifier: BSL-1.0
 *
 * The pure parts of libos/core: queues, the thread policy, the sleepers' order,
 * lines of text, symbol lookup, the meaning of fault syndromes.
 */
#include <signal.h>
#include <string.h>

#include <vesper/policy.h>
#include <vesper/thread.h>

#include "../../libos/core/cause.h"
#include "../../libos/core/queue.h"
#include "../../libos/core/state.h"
#include "../../libos/core/symbol.h"
#include "../../libos/core/text.h"
#include "tap.h"

static struct thread t[6];

static void queue_test(void)
{
    static struct runnable r[6];
    struct queue q = {0};
    CHECK(queue_pop(&q) == NULL, "an empty queue gives nothing");
    queue_push(&q, &r[0]);
    queue_push(&q, &r[1]);
    queue_push_front(&q, &r[2]);
    CHECK(queue_pop(&q) == &r[2] && queue_pop(&q) == &r[0] &&
              queue_pop(&q) == &r[1] && queue_pop(&q) == NULL,
          "first in, first out, but for the one put in front");
    queue_push_front(&q, &r[3]);
    queue_push(&q, &r[4]);
    CHECK(queue_pop(&q) == &r[3] && queue_pop(&q) == &r[4],
          "a front put into an empty queue is its tail as well");
    queue_push(&q, &r[5]);
    CHECK(queue_pop(&q) == &r[5] && queue_pop(&q) == NULL,
          "a queue that was emptied can be used again");
    queue_push(&q, &r[0]);
    CHECK(queue_rotate(&q, &r[1]) == &r[0] && queue_rotate(&q, &r[2]) == &r[1],
          "one for another: who comes is last");
    queue_push(&q, &r[3]);
    CHECK(queue_rotate(&q, &r[4]) == &r[2] && queue_pop(&q) == &r[3] &&
              queue_pop(&q) == &r[4] && queue_pop(&q) == NULL,
          "and among several");
}

static void list_test(void)
{
    struct thread *list = NULL;
    list_insert(&list, &t[0]);
    list_insert(&list, &t[1]);
    list_insert(&list, &t[2]);
    list_remove(&list, &t[1]);
    CHECK(list == &t[0] && t[0].next == &t[2] && t[2].next == NULL,
          "the middle is taken out");
    list_remove(&list, &t[1]);
    CHECK(list == &t[0] && t[0].next == &t[2], "who is not there stays out");
    t[1].run.priority = t[3].run.priority = 5;
    list_insert(&list, &t[1]);
    list_insert(&list, &t[3]);
    CHECK(list == &t[1] && t[1].next == &t[3] && t[3].next == &t[0],
          "the more urgent stand before the others, in order");
    list_remove(&list, &t[1]);
    list_remove(&list, &t[3]);
    t[1].run.priority = t[3].run.priority = 0;
    list_remove(&list, &t[0]);
    list_remove(&list, &t[2]);
    CHECK(list == NULL, "both ends are taken out");
}

static struct runnable *taken(void)
{
    return policy_take(NULL, POLICY_READY).next;
}

static bool gives(struct runnable *in, const struct runnable *next,
                  uint64_t slice_ns)
{
    struct policy_choice c = policy_take(in, POLICY_YIELDED);
    return c.next == next && c.slice_ns == slice_ns;
}

/* One in and one out: as policy_put, policy_take and policy_slice_ns. */
static void exchange_test(struct runnable *a, struct runnable *b,
                          struct runnable *high)
{
    CHECK(gives(a, a, POLICY_FOR_EVER), "who is alone runs on");
    policy_put(a, POLICY_READY);
    CHECK(gives(b, a, THREAD_SLICE_NS) && gives(a, b, THREAD_SLICE_NS),
          "two equals, one for the other, for a slice");
    b->fifo = true;
    CHECK(gives(high, high, POLICY_FOR_EVER) && gives(b, a, THREAD_SLICE_NS) &&
              gives(a, b, POLICY_FOR_EVER),
          "the more urgent needs none, nor does SCHED_FIFO");
    policy_put(high, POLICY_READY);
    CHECK(gives(b, high, POLICY_FOR_EVER) && gives(NULL, a, THREAD_SLICE_NS) &&
              gives(NULL, b, POLICY_FOR_EVER) &&
              gives(NULL, NULL, POLICY_FOR_EVER),
          "a less urgent one gives way and goes behind its equals");
}

/* The policy is a machine of its own: three functions and no thread. */
static void policy_test(void)
{
    struct runnable low[2] = {{0}}, high = {.priority = 31}, self = {0};
    CHECK(taken() == NULL && policy_slice_ns(&self) == POLICY_FOR_EVER,
          "alone, a thread runs as long as it likes");
    policy_put(&low[0], POLICY_READY);
    policy_put(&low[1], POLICY_READY);
    CHECK(policy_slice_ns(&self) == THREAD_SLICE_NS, "equals take turns");
    self.fifo = true;
    CHECK(policy_slice_ns(&self) == POLICY_FOR_EVER, "but for SCHED_FIFO");
    policy_put(&high, POLICY_READY);
    CHECK(policy_slice_ns(&self) == 0, "the more urgent runs at once");
    CHECK(policy_slice_ns(&high) == THREAD_SLICE_NS, "and against its like");
    policy_put(&self, POLICY_INTERRUPTED);
    CHECK(taken() == &high && taken() == &self && taken() == &low[0],
          "who was interrupted keeps the place in front");
    policy_put(&low[0], POLICY_YIELDED);
    CHECK(taken() == &low[1] && taken() == &low[0] && taken() == NULL,
          "who yielded goes behind its equals");
    exchange_test(&low[0], &low[1], &high);
}

static void sleepers_test(void)
{
    struct thread *list = NULL;
    const uint64_t deadline[] = {50, 10, 30, 10, 99};
    const int order[] = {1, 3, 2, 0, 4};
    bool sorted = true;
    for (int i = 0; i < 5; i++) {
        t[i].deadline = deadline[i];
        sleepers_insert(&list, &t[i]);
    }
    const struct thread *s = list;
    for (int i = 0; i < 5; i++, s = s->sleep_next) {
        sorted &= s == &t[order[i]] && s->sleeping;
    }
    CHECK(sorted && s == NULL, "soonest first, equal ones in order");
    sleepers_remove(&list, &t[2]);
    sleepers_remove(&list, &t[1]);
    sleepers_remove(&list, &t[4]);
    CHECK(list == &t[3] && t[3].sleep_next == &t[0] &&
              t[0].sleep_next == NULL && !t[2].sleeping,
          "taken out anywhere");
}

static bool text_is(const struct text *line, const char *want)
{
    return line->length == strlen(want) &&
           memcmp(line->bytes, want, line->length) == 0;
}

static void text_test(void)
{
    struct text line = {.length = 0};
    text_put(&line, "a ");
    text_decimal(&line, 18446744073709551615u);
    text_put(&line, " ");
    text_decimal(&line, 0);
    text_put(&line, " ");
    text_hex(&line, 0xdeadbeef00);
    text_put_bounded(&line, "xyz", 2);
    CHECK(text_is(&line, "a 18446744073709551615 0 0xdeadbeef00xy"),
          "numbers and text");
    line.length = 0;
    text_put_name(&line, "a \x7f\033[2J~!", 7);
    CHECK(text_is(&line, "a???[2J"), "escape sequences are defused");
    for (int i = 0; i < 100; i++) {
        text_put(&line, "0123456789");
    }
    CHECK(line.length == TEXT_BYTES, "a full line stays within its bytes");
}

/* Syndromes as QEMU reports them for EL0 accesses. */
static void cause_test(void)
{
    struct cause c = cause_of(0x92000006);
    CHECK(c.signal == SIGSEGV && c.address &&
              strcmp(c.text, "cannot read") == 0 &&
              strcmp(c.why, "nothing is mapped there") == 0,
          "a read of nothing");
    c = cause_of(0x9200004f);
    CHECK(c.signal == SIGSEGV && strcmp(c.text, "cannot write") == 0 &&
              strcmp(c.why, "this domain may not") == 0,
          "a write without the right");
    c = cause_of(0x8200000f);
    CHECK(c.signal == SIGSEGV && strcmp(c.text, "cannot execute") == 0,
          "a fetch from data");
    c = cause_of(0x92000021);
    CHECK(c.signal == SIGBUS, "an unaligned access");
    c = cause_of(0xf20003e8);
    CHECK(c.signal == SIGTRAP && !c.address, "brk");
    c = cause_of(0x02000000);
    CHECK(c.signal == SIGILL && !c.address, "an undefined instruction");
}

int main(void)
{
    queue_test();
    list_test();
    policy_test();
    sleepers_test();
    text_test();
    cause_test();
    return tap_end();
}
