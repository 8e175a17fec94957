/* SPDX-License-Identifier: BSL-1.0
 *
 * Threads, time and memory of libos on the real kernel. Prints TAP.
 */
#include "tests/unit/tap.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <abi/calls.h>
#include <vesper/memory.h>
#include <vesper/root.h>
#include <vesper/root_call.h>
#include <vesper/start.h>
#include <vesper/thread.h>

#include "libos/core/counter.h"
#include "libos/core/slots.h"

#define MS 1000000ull

/* ---- time slices ------------------------------------------------------- */

static volatile bool over;
static volatile uint64_t spins[3];

static int spin(void *arg)
{
    volatile uint64_t *count = arg;
    while (!over) {
        (*count)++;
    }
    return 0;
}

/* Three threads that never give up the CPU, and the main thread's clock. */
static void slices_test(bool evenly)
{
    struct thread *t[3];
    over = false;
    memset((void *)spins, 0, sizeof(spins));
    for (int i = 0; i < 3; i++) {
        (void)thread_create(&t[i], spin, (void *)&spins[i], "spin");
    }
    thread_sleep_until(time_ns() + 600 * MS);
    over = true;
    uint64_t least = ~0ull, most = 0;
    for (int i = 0; i < 3; i++) {
        (void)thread_join(t[i], NULL);
        least = spins[i] < least ? spins[i] : least;
        most = spins[i] > most ? spins[i] : most;
    }
    CHECK(least > 0, "threads that spin are preempted");
    CHECK(!evenly || least > most / 3, "and share the CPU about evenly");
}

/* Without one, the first of them would have all the time that we sleep. */
static void urgent_slices_test(void)
{
    struct sched_param p = {.sched_priority = 20};
    (void)pthread_setschedparam(pthread_self(), SCHED_FIFO, &p);
    thread_sleep_until(time_ns() + MS); /* idle: the timer is off then */
    slices_test(false);
    p.sched_priority = 0;
    (void)pthread_setschedparam(pthread_self(), SCHED_OTHER, &p);
}

static void sleep_test(void)
{
    uint64_t start = time_ns(), late = 0;
    bool early = false;
    for (uint64_t i = 1; i <= 20; i++) {
        uint64_t until = start + i * 10 * MS;
        thread_sleep_until(until);
        uint64_t now = time_ns();
        early |= now < until;
        late = now - until > late ? now - until : late;
    }
    CHECK(!early, "no sleep ends early");
    printf("# latest by %llu us\n", (unsigned long long)late / 1000);
    /* The emulator's host may be busy: this is no measurement. */
    CHECK(late < 2000 * MS, "nor much too late");
    thread_sleep_until(0);
    CHECK(ticks_from_ns(~0ull) == ~0ull && ticks_from_ns(~0ull - 1) < ~0ull &&
              ticks_from_ns(0) == 0 && ticks_from_ns(1) == 1,
          "for ever has no time; a time is rounded up");
    CHECK(event_wait(1ull << 63, time_ns() + MS, NULL) == 0,
          "waiting for an event that does not come ends in time");
}

static int yielder(void *arg)
{
    (void)arg;
    while (!over) {
        thread_yield();
    }
    return 0;
}

/* Threads that go from one to another never look at the time: the timer does.
 * It has been set for the end of a slice. */
static void busy_sleep_test(void)
{
    struct thread *t[2];
    uint64_t soonest = ~0ull;
    over = false;
    for (int i = 0; i < 2; i++) {
        (void)thread_create(&t[i], yielder, NULL, "yielder");
    }
    for (int i = 0; i < 20; i++) {
        thread_yield();
        uint64_t until = time_ns() + MS;
        thread_sleep_until(until);
        uint64_t late = time_ns() - until;
        soonest = late < soonest ? late : soonest;
    }
    over = true;
    for (int i = 0; i < 2; i++) {
        (void)thread_join(t[i], NULL);
    }
    CHECK(soonest < THREAD_SLICE_NS / 2, "a sleep ends before slices do");
}

/* ---- locks ------------------------------------------------------------- */

static struct mutex lock;
static struct condition changed;
static int turn; /* guarded by lock */

#define TURNS 2000

static int player(void *arg)
{
    int me = (int)(intptr_t)arg;
    for (int i = 0; i < TURNS; i++) {
        mutex_lock(&lock);
        while (turn % 2 != me) {
            (void)condition_wait(&changed, &lock, ~0ull);
        }
        turn++;
        condition_broadcast(&changed);
        mutex_unlock(&lock);
    }
    return me;
}

static void locks_test(void)
{
    struct thread *t[2];
    uint64_t start = time_ns();
    int result[2] = {-1, -1};
    for (int i = 0; i < 2; i++) {
        (void)thread_create(&t[i], player, (void *)(intptr_t)i, "player");
    }
    for (int i = 0; i < 2; i++) {
        (void)thread_join(t[i], &result[i]);
    }
    CHECK(turn == 2 * TURNS && result[0] == 0 && result[1] == 1,
          "two threads take turns");
    printf("# a turn takes %llu ns\n",
           (unsigned long long)(time_ns() - start) / (2 * TURNS));
    mutex_lock(&lock);
    CHECK(!condition_wait(&changed, &lock, time_ns() + 5 * MS),
          "a condition wait times out");
    CHECK(lock.owner == thread_self(), "and holds the lock again");
    mutex_lock_recursive(&lock);
    mutex_unlock(&lock);
    bool held = lock.owner == thread_self();
    mutex_unlock(&lock);
    CHECK(held && lock.owner == NULL, "a lock goes when it is let go as often");
    CHECK(thread_join(thread_self(), NULL) == EDEADLK,
          "a thread cannot join itself");
}

/* ---- memory ------------------------------------------------------------ */

static int touch_stack(void *arg)
{
    volatile char big[48 * 1024];
    (void)arg;
    for (size_t i = 0; i < sizeof(big); i += 512) {
        big[i] = (char)i;
    }
    return big[1024] == 0;
}

static void stacks_test(void)
{
    int good = 0;
    for (int i = 0; i < 500; i++) {
        struct thread *t;
        int result = 0;
        if (thread_create(&t, touch_stack, NULL, "deep") == 0 &&
            thread_join(t, &result) == 0) {
            good += result;
        }
    }
    CHECK(good == 500, "500 threads one after another use the same stack");
}

static bool run_works(int i)
{
    struct memory_run run;
    if (memory_run_take(300000, &run) != 0) {
        return false;
    }
    unsigned char *p = run.address;
    bool zero = p[0] == 0 && p[299999] == 0 && p[150000] == 0;
    memset(p, i, 300000);
    memory_run_give(&run);
    return zero;
}

#define SLOTS_MOST 4096u /* that a CSpace may have */

/* Does a frame of 2 MiB lie there? */
static bool is_one_frame(uint64_t va)
{
    for (cptr_t slot = 1; slot < SLOTS_MOST; slot++) {
        uint64_t info, address, word;
        if (sys_cap_identify(slot, &info, &address, &word) == ERR_OK &&
            (info & 0xff) == TYPE_FRAME &&
            (info >> 16 & 0xff) == HUGE_FRAME_LOG2 && word == va) {
            return true;
        }
    }
    return false;
}

struct seen {
    uint64_t info, address, word;
};

static struct seen seen_at(cptr_t slot)
{
    struct seen s;
    return sys_cap_identify(slot, &s.info, &s.address, &s.word) == ERR_OK
               ? s
               : (struct seen){0};
}

/* Bytes of mapped frames that the ledger sees of this program. */
static uint64_t ledger_mapped(void)
{
    uint64_t w[8] = {ROOT_LEDGER};
    while (root_call(w, 0) == 0) {
        if (w[2] == (LEDGER_DOMAIN | (uint64_t)start_self->id << 32)) {
            return w[3] >> 32;
        }
        w[0] = ROOT_LEDGER;
        w[1] = (uint32_t)w[1];
    }
    return 0;
}

/* The root server knows slots that were not there when the program started. */
static bool sees_all(cptr_t high)
{
    struct seen f = {0};
    cptr_t at = 0;
    while ((f.info & 0xff) != TYPE_FRAME && ++at < start_self->slot_count) {
        f = seen_at(at);
    }
    uint64_t bytes = ledger_mapped();
    uint64_t w[8] = {ROOT_CAPS, start_self->id, high};
    bool good = f.word != 0 && bytes != 0 && sys_cap_move(high, at) == ERR_OK &&
                ledger_mapped() == bytes && root_call(w, 0) == 0 &&
                w[2] == high && w[3] == f.info && w[5] == f.word;
    return sys_cap_move(at, high) == ERR_OK && good;
}

static const cptr_t source[] = {SLOT_ROOT, SLOT_DATA};

/* Takes all slots, for copies of these; true if none came twice. */
static bool slots_take(cptr_t *taken, uint32_t *n)
{
    static bool given[SLOTS_MOST];
    bool good = true;
    cptr_t slot;
    while (*n < SLOTS_MOST && (slot = slot_take()) != 0) {
        good &= slot >= SLOT_FREE && slot < SLOTS_MOST && !given[slot] &&
                sys_cap_copy(slot, source[*n % 2], RIGHTS_ALL, 0, 0) == ERR_OK;
        given[slot % SLOTS_MOST] = true;
        taken[(*n)++] = slot;
    }
    return good;
}

static void slots_test(void)
{
    static struct seen before[256];
    static cptr_t taken[SLOTS_MOST];
    uint32_t n = 0, count = start_self->slot_count;
    bool same = true;
    for (uint32_t i = 0; i < count; i++) {
        before[i] = seen_at(i);
    }
    bool once = slots_take(taken, &n);
    CHECK(once && taken[n - 1] == SLOTS_MOST - 1 && slot_take() == 0,
          "the CNode grows up to its largest, each slot is given once");
    for (uint32_t i = 0; i < count; i++) {
        struct seen s = seen_at(i);
        same &= before[i].info == 0 || memcmp(&s, &before[i], sizeof(s)) == 0;
    }
    CHECK(same, "what lay in it lies where it was");
    for (uint32_t i = 0; i < n; i++) {
        struct seen s = seen_at(taken[i]);
        same &= s.address == before[source[i % 2]].address &&
                sys_cap_delete(taken[i]) == ERR_OK;
    }
    CHECK(same, "and what came as it grew");
    CHECK(sees_all(SLOTS_MOST - 1),
          "the ledger and the list of capabilities have all");
    while (n > 0) {
        slot_give(taken[--n]);
    }
}

static void memory_test(void)
{
    bool good = true;
    for (int i = 1; i < 200; i++) {
        good &= run_works(i);
    }
    CHECK(good, "200 runs, each zeroed, from the same memory");
    struct memory_run run;
    CHECK(memory_run_take(0x200001, &run) == EINVAL,
          "a run over 2 MiB is EINVAL");
    unsigned char *p = memory_map(3 << 20);
    CHECK(p != NULL && p[0] == 0 && p[(3 << 20) - 1] == 0,
          "a map may be larger than a slot");
    CHECK(is_one_frame((uintptr_t)p), "whose first slot is one frame");
    memset(p, 0x5a, 3 << 20);
    CHECK(p[0] == 0x5a && p[0x1fffff] == 0x5a && p[0x200000] == 0x5a,
          "and can be written as a whole");
    CHECK(memory_map(0) == NULL, "nothing cannot be mapped");
}

/* While there is no memory: threads that need a new stack. Then some of it
 * comes back, and has to find addresses. */
static void refused_threads_test(struct memory_run *run)
{
    enum { TRIES = 400, STACK_BYTES = 512 << 10 };
    pthread_attr_t large;
    pthread_t t;
    unsigned refused = 0;
    pthread_attr_init(&large);
    pthread_attr_setstacksize(&large, STACK_BYTES);
    while (memory_map(1) != NULL) {
        /* the last pages */
    }
    for (unsigned i = 0; i < TRIES; i++) {
        refused += pthread_create(&t, &large, NULL, NULL) == EAGAIN;
    }
    memory_run_give(run);
    CHECK(refused == TRIES && memory_map(100000) != NULL,
          "a thread that cannot be made takes no addresses");
}

/* The quota, not the system, is what ends this; and nothing breaks by it. */
static void exhaustion_test(void)
{
    size_t blocks = 0;
    struct memory_run run;
    CHECK(memory_run_take(256 << 10, &run) == 0, "a run, for later");
    void *chain = NULL, *p;
    while (blocks < 2000 && (p = malloc(100000)) != NULL) {
        memset(p, 0x55, 100000);
        *(void **)p = chain;
        chain = p;
        blocks++;
    }
    printf("# %zu blocks of 100,000 bytes\n", blocks);
    CHECK(blocks > 5 && blocks < 2000 && errno == ENOMEM,
          "malloc ends with NULL and ENOMEM");
    struct thread *t;
    int error = thread_create(&t, touch_stack, NULL, "late");
    CHECK(error == 0, "a stack that was used before can be had still");
    if (error == 0) {
        (void)thread_join(t, NULL);
    }
    refused_threads_test(&run);
    while (chain != NULL) {
        void *next = *(void **)chain;
        free(chain);
        chain = next;
    }
    p = malloc(300000);
    CHECK(p != NULL, "what was freed can be had again, in one piece");
    free(p);
}

/* After all of the above. */
static void handler_test(void)
{
    const char *bottom = (const char *)start_self - START_UPCALL_BYTES;
    uint32_t n = 0;
    while (n < START_UPCALL_BYTES && bottom[n] == 0) {
        n++;
    }
    printf("# the upcall handler's stack was %u bytes deep\n",
           START_UPCALL_BYTES - n);
    CHECK(n >= START_UPCALL_BYTES / 2 && n < START_UPCALL_BYTES,
          "half of the upcall handler's stack was never touched");
}

int main(void)
{
    slices_test(true);
    urgent_slices_test();
    sleep_test();
    busy_sleep_test();
    locks_test();
    stacks_test();
    slots_test();
    memory_test();
    exhaustion_test();
    handler_test();
    return tap_end();
}
