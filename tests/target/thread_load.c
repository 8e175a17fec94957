/* SPDX-License-Identifier: BSL-1.0
 *
 * Load for the tests of `top -H`: threads in known proportions, and what a
 * domain may say of its threads that is not so.
 *
 *   thread-load share MS   "three" and "one" take turns: it counts three times
 *                          as far; a third comes and goes at each turn
 *   thread-load many MS    more threads than are shown
 *   thread-load lie MS     spins, with nonsense in its accounts
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vesper/accounts.h>
#include <vesper/root.h>
#include <vesper/root_call.h>
#include <vesper/start.h>
#include <vesper/thread.h>

#define MS     1000000ull
#define COUNTS 25000u
#define MANY   80

static uint64_t end;
static struct mutex lock;
static struct condition turn_over;
static unsigned turn; /* whose; guarded by lock */

static int count(void *counts)
{
    for (volatile uintptr_t left = (uintptr_t)counts; left > 0; left--) {
    }
    return 0;
}

static int counted_in_thread(uintptr_t counts)
{
    struct thread *t;
    int error = thread_create(&t, count, (void *)counts, "short");
    return error != 0 ? error : thread_join(t, NULL);
}

static int take_turns(void *number)
{
    unsigned mine = (unsigned)(uintptr_t)number;
    int error = 0;
    while (time_ns() < end && error == 0) {
        mutex_lock(&lock);
        while (turn != mine) {
            (void)condition_wait(&turn_over, &lock, ~0ull);
        }
        mutex_unlock(&lock);
        (void)count((void *)(uintptr_t)(mine == 0 ? 3 * COUNTS : COUNTS));
        error = mine == 0 ? 0 : counted_in_thread(COUNTS);
        mutex_lock(&lock);
        turn = 1 - mine;
        condition_broadcast(&turn_over);
        mutex_unlock(&lock);
    }
    return error;
}

static int spin(void *unused)
{
    (void)unused;
    while (time_ns() < end) {
        thread_yield();
    }
    return 0;
}

/* Start n threads; wait until they end. */
static int run(int n, int (*main)(void *), const char *const names[])
{
    static struct thread *t[MANY];
    int bad = 0;
    for (int i = 0; i < n; i++) {
        bad |= thread_create(&t[i], main, (void *)(uintptr_t)i, names[i % 2]);
    }
    for (int i = 0; i < n && bad == 0; i++) {
        int result = 0;
        bad |= thread_join(t[i], &result) | result;
    }
    return bad;
}

/* Every byte is as bad as it can be; the root server is also lent the place
 * that it is to read. */
static int lie(void)
{
    char *page = (char *)start_self->dispatcher + PAGE_BYTES;
    struct thread_accounts *all = (void *)(page + ACCOUNTS_OFFSET);
    uint64_t w[8] = {ROOT_THREADS, start_self->id};
    int error = root_call(w, LOAN(page, RIGHT_READ));
    while (time_ns() < end) {
        memset(all, 0xff, sizeof(*all));
        for (uint32_t i = 0; i < THREAD_ACCOUNTS; i++) {
            all->thread[i].ticks = i % 2 == 0 ? ~0ull >> 1 : 1ull << 63;
            memcpy(all->thread[i].name, "\033[2J\n\r\t\"%s%n\377\377\377\377",
                   16);
        }
    }
    exit(error); /* the time of main is nonsense, too */
}

int main(int argc, char **argv)
{
    static const char *const shares[] = {"three", "one"};
    static const char *const many[] = {"many", "many"};
    if (argc != 3) {
        return 2;
    }
    end = time_ns() + strtoull(argv[2], NULL, 10) * MS;
    if (strcmp(argv[1], "share") == 0) {
        return run(2, take_turns, shares);
    }
    return strcmp(argv[1], "many") == 0 ? run(MANY, spin, many) : lie();
}
