/* SPDX-License-Identifier: BSL-1.0
 *
 * Threads, locks and time: all in libos but the idle CPU.
 */
#include "tests/bench/app/app.h"

#include <stdint.h>
#include <stdio.h>

#include <vesper/thread.h>

#define MS   1000000ull
#define LONG (3600000 * MS)

static volatile bool over;
static struct mutex lock;
static struct condition changed;
static bool turn; /* guarded by lock */

static int yielder(void *arg)
{
    (void)arg;
    while (!over) {
        thread_yield();
    }
    return 0;
}

static int player(void *arg)
{
    (void)arg;
    mutex_lock(&lock);
    while (!over) {
        while (!turn) {
            (void)condition_wait(&changed, &lock, ~0ull);
        }
        turn = false;
        condition_broadcast(&changed);
    }
    mutex_unlock(&lock);
    return 0;
}

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

static int sleeper(void *arg)
{
    (void)arg;
    thread_sleep_until(time_ns() + LONG);
    return 0;
}

static struct thread *start(int (*fn)(void *))
{
    struct thread *t = NULL;
    expect((unsigned)thread_create(&t, fn, NULL, "bench"), "thread_create");
    thread_yield();
    return t;
}

static void play(void)
{
    mutex_lock(&lock);
    turn = true;
    condition_broadcast(&changed);
    while (turn) {
        (void)condition_wait(&changed, &lock, ~0ull);
    }
    mutex_unlock(&lock);
}

static void switch_row(const char *name)
{
    over = false;
    struct thread *t = start(yielder);
    ROW(name, NOTHING, thread_yield(), NOTHING);
    over = true;
    (void)thread_join(t, NULL);
}

static void handoff_row(const char *name)
{
    over = turn = false;
    struct thread *t = start(player);
    ROW(name, NOTHING, play(), NOTHING);
    over = true;
    play();
    (void)thread_join(t, NULL);
}

static void lock_rows(void)
{
    struct condition idle = {0};
    ROW("thread_yield, no other thread", NOTHING, thread_yield(), NOTHING);
    ROW(
        "mutex_lock and mutex_unlock, free", NOTHING,
        {
            mutex_lock(&lock);
            mutex_unlock(&lock);
        },
        NOTHING);
    ROW("condition_signal, nobody waits", NOTHING, condition_signal(&idle),
        NOTHING);
    ROW(
        "thread_create and thread_join", NOTHING,
        {
            struct thread *t;
            e = (unsigned)thread_create(&t, nothing, NULL, "bench");
            e |= (unsigned)thread_join(t, NULL);
        },
        NOTHING);
}

static void time_rows(void)
{
    ROW("time_ns", NOTHING, (void)time_ns(), NOTHING);
    ROW("sleep of 1 ms: to idle, timer, back", NOTHING,
        thread_sleep_until(time_ns() + MS), NOTHING);
}

static void with_threads(void)
{
    static const unsigned axis[] = {2, 10, 50, 150};
    unsigned threads = 2;
    char name[64];
    for (unsigned i = 0; i < sizeof(axis) / sizeof(axis[0]); i++) {
        for (; threads < axis[i]; threads++) {
            (void)start(sleeper);
        }
        (void)snprintf(name, sizeof(name), "threads %u: two switches", axis[i]);
        switch_row(name);
        (void)snprintf(name, sizeof(name), "threads %u: handoff and back",
                       axis[i]);
        handoff_row(name);
    }
}

void thread_rows(void)
{
    lock_rows();
    switch_row("thread switch by thread_yield");
    handoff_row("handoff to a thread and back, mutex and condition");
    time_rows();
    with_threads();
}
