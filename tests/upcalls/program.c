/* SPDX-License-Identifier: BSL-1.0
 *
 * The program under test: threads that check their registers while they use
 * every way to give up the CPU, until the bench sends event 63. Each test's
 * verdict is a line `ok` or `not ok`.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vesper/memory.h>
#include <vesper/root_call.h>
#include <vesper/signals.h>
#include <vesper/start.h>
#include <vesper/thread.h>

#include "../../libos/core/doorbell.h"
#include "../../libos/core/log.h"
#include "../../libos/core/threads.h"

extern volatile uint64_t bench_system_calls, bench_after, bench_events;
extern volatile bool bench_quiet;

uint64_t registers_hold(uint64_t seed, uint64_t rounds);
uint64_t registers_kept(uint64_t seed, void (*call)(void));

#define WORKERS 5

static volatile bool over;
static uint64_t wrong_registers, wrong_sum, wrong_wait, wrong_errno;
static uint64_t rounds[WORKERS];
static struct mutex lock;
static struct condition turn;
static uint64_t counter, counted; /* counter: guarded by lock */

/* ---- signals: the seam that posix has ---------------------------------- */

static volatile uint32_t signals_pending;
static uint64_t signals_handled, signals_elsewhere;
static struct thread *main_thread;

bool signals_post(uint32_t came)
{
    signals_pending |= came;
    return true;
}

bool signals_waiting(void)
{
    return signals_pending != 0;
}

/* The handler does what it can to disturb what it interrupts. */
bool signals_run(void)
{
    if (__atomic_exchange_n(&signals_pending, 0, __ATOMIC_RELAXED) == 0) {
        return true;
    }
    int saved = errno;
    signals_handled++;
    signals_elsewhere += main_thread != NULL && thread_self() != main_thread;
    wrong_registers += registers_hold(77, 1);
    thread_yield();
    errno = saved;
    return true;
}

static void verdict(const char *what, bool good)
{
    char line[96];
    int n =
        snprintf(line, sizeof(line), "%sok - %s\n", good ? "" : "not ", what);
    log_write(line, (size_t)n);
}

static void nap(void)
{
    thread_sleep_until(time_ns() + 100000);
}

static void ask_root(void)
{
    uint64_t w[8] = {0};
    (void)root_call(w, 0);
}

/* Calls preserve what they must, whoever ran in between. */
static void call_round(uint64_t seed)
{
    wrong_registers += registers_kept(seed, thread_yield);
    wrong_registers += registers_kept(seed + 1, nap);
    wrong_registers += registers_kept(seed + 2, ask_root);
}

static void lock_round(void)
{
    mutex_lock(&lock);
    uint64_t was = counter;
    thread_yield();
    if (counter != was) {
        wrong_sum++;
    }
    counter = was + 1;
    condition_signal(&turn);
    if (counter % 7 == 0) {
        (void)condition_wait(&turn, &lock, time_ns() + 3000000);
    }
    mutex_unlock(&lock);
    __atomic_fetch_add(&counted, 1, __ATOMIC_RELAXED);
}

static void wait_round(uint64_t seed)
{
    uint64_t mask = 3ull << (EVENT_FREE + seed % 4 * 2);
    uint64_t bits = event_wait(mask, time_ns() + 20000000, NULL);
    if (bits & ~mask) {
        wrong_wait++;
    }
    uint64_t until = time_ns() + seed % 3 * 1000000;
    thread_sleep_until(until);
    if (time_ns() < until) {
        wrong_wait++;
    }
}

static void memory_round(uint64_t seed)
{
    size_t n = 16 + seed % 5 * 100;
    unsigned char *p = malloc(n);
    memset(p, (int)seed, n);
    thread_yield();
    for (size_t i = 0; i < n; i++) {
        wrong_sum += p[i] != (unsigned char)seed;
    }
    free(p);
}

/* ---- POSIX's objects: what they guard is always whole ------------------- */

static pthread_mutex_t px_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t px_rw = PTHREAD_RWLOCK_INITIALIZER;
static sem_t px_tokens; /* one */
static uint64_t px_left, px_right, px_inside, px_holders;
static uint64_t wrong_posix, px_late, px_got;

int clock_gettime(clockid_t clock, struct timespec *now)
{
    uint64_t ns = time_ns();
    (void)clock;
    *now =
        (struct timespec){(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
    return 0;
}

static struct timespec soon(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_nsec += 300000;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

static void rwlock_round(bool write)
{
    if (write) {
        pthread_rwlock_wrlock(&px_rw);
        px_left++;
        thread_yield();
        px_right++;
    } else {
        pthread_rwlock_rdlock(&px_rw);
        thread_yield();
        wrong_posix += px_left != px_right;
    }
    wrong_posix += pthread_rwlock_unlock(&px_rw) != 0;
}

/* A token or a lock that was not had in time must leave nothing behind. */
static void timed_round(void)
{
    struct timespec until = soon();
    if (sem_clockwait(&px_tokens, CLOCK_MONOTONIC, &until) == 0) {
        wrong_posix += __atomic_add_fetch(&px_inside, 1, __ATOMIC_RELAXED) > 1;
        thread_sleep_until(time_ns() + 1000000);
        __atomic_fetch_sub(&px_inside, 1, __ATOMIC_RELAXED);
        wrong_posix += sem_post(&px_tokens) != 0;
        px_got++;
    } else {
        wrong_posix += errno != ETIMEDOUT;
        px_late++;
    }
    until = soon();
    if (pthread_mutex_clocklock(&px_lock, CLOCK_MONOTONIC, &until) == 0) {
        wrong_posix += px_holders++ != 0;
        thread_yield();
        px_holders--;
        wrong_posix += pthread_mutex_unlock(&px_lock) != 0;
    }
}

static int worker(void *arg)
{
    uint64_t me = (uintptr_t)arg, i = 0;
    while (!over) {
        errno = (int)me;
        wrong_registers += registers_hold(me * 1000 + i, 2);
        switch (i++ % 7) {
        case 0:
            call_round(me * 1000 + i);
            break;
        case 1:
            lock_round();
            break;
        case 2:
            wait_round(me);
            break;
        case 3:
            memory_round(me);
            break;
        case 4:
            rwlock_round((me + i) % 3 == 0);
            break;
        case 5:
            timed_round();
            errno = (int)me;
            break;
        }
        wrong_errno += errno != (int)me;
    }
    rounds[me] = i;
    return (int)me * 10;
}

static int visitor(void *arg)
{
    return (int)(uintptr_t)arg + 1;
}

static uint64_t cleaned;

static void clean_up(void *m)
{
    cleaned++;
    wrong_posix += pthread_mutex_unlock(m) != 0; /* the wait gave it back */
}

static int cancelled(void *arg)
{
    static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t never = PTHREAD_COND_INITIALIZER;
    pthread_mutex_lock(&m);
    pthread_cleanup_push(clean_up, &m);
    for (;;) {
        struct timespec until = soon();
        pthread_cond_clockwait(&never, &m, CLOCK_MONOTONIC, &until);
    }
    pthread_cleanup_pop(0);
    return (int)(uintptr_t)arg;
}

/* Threads that are cancelled while they wait. */
static uint64_t cancel_check(void)
{
    uint64_t wrong = 0;
    for (uint64_t i = 0; i < 20 && !over; i++) {
        struct thread *t;
        int result = 0;
        cleaned = 0;
        wrong += thread_create(&t, cancelled, NULL, "cancelled") != 0;
        thread_sleep_until(time_ns() + i * 100000);
        wrong += pthread_cancel((pthread_t)t) != 0;
        wrong += thread_join(t, &result) != 0 || result != -1;
        wrong += cleaned > 1;
    }
    return wrong;
}

static volatile bool partner_over;

static int partner(void *arg)
{
    (void)arg;
    while (!partner_over) {
        thread_yield();
    }
    return 0;
}

/* What costs no system call while nothing comes and nobody has to wait. */
static void free_things(void)
{
    pthread_mutex_lock(&px_lock);
    pthread_mutex_unlock(&px_lock);
    pthread_rwlock_rdlock(&px_rw);
    pthread_rwlock_unlock(&px_rw);
    sem_wait(&px_tokens);
    sem_post(&px_tokens);
    pthread_testcancel();
    (void)time_ns();
    thread_yield(); /* to the partner and back */
}

/* How many system calls 50 times all of that make. */
static uint64_t calls_made(void)
{
    struct thread *t;
    (void)thread_create(&t, partner, NULL, "partner");
    bench_quiet = true;
    free_things(); /* what was pending is delivered now */
    uint64_t before = bench_system_calls;
    for (int i = 0; i < 50; i++) {
        free_things();
    }
    uint64_t made = bench_system_calls - before;
    bench_quiet = false;
    partner_over = true;
    (void)thread_join(t, NULL);
    return made;
}

/* ---- a lock that is wanted at every instruction of its unlock ------------ */

#define RIVALS      2
#define RIVAL_EVENT 61u /* and the next; never at random */
#define UNLOCK_MIN  10u /* instructions that it has for certain */

static struct mutex wanted;
static uint64_t had[RIVALS]; /* how often each rival had it */

/* More urgent than who unlocks: comes at its event, for the lock, once. */
static void *rival_main(void *unused)
{
    static uint32_t rivals;
    uint32_t me = rivals++;
    while (event_wait(1ull << (RIVAL_EVENT + me), ~0ull, NULL) != 0) {
        mutex_lock(&wanted);
        had[me]++;
        mutex_unlock(&wanted);
    }
    return unused;
}

/* In so many instructions. */
static void rival_comes(uint32_t rival, uint64_t after)
{
    bench_events = 1ull << (RIVAL_EVENT + rival);
    bench_after = after;
}

/* Rival 0 comes at the n-th instruction: of lock and unlock, or, if rival 1
 * waits already, of unlock. False: they are shorter. */
static bool unlock_meets(uint64_t n, bool waiting)
{
    if (!waiting) {
        rival_comes(0, n);
    }
    mutex_lock(&wanted);
    if (waiting) {
        rival_comes(1, 1);
        rival_comes(0, n);
    }
    mutex_unlock(&wanted);
    return bench_after == 0;
}

/* Each rival must have it after the one unlock, without anybody's help. */
static bool unlocks_check(bool waiting)
{
    uint64_t n = 0, first = had[0], other = had[1];
    bool good = true;
    while (good && unlock_meets(n + 1, waiting)) {
        nap();
        n++;
        good = had[0] - first == n && had[1] - other == (waiting ? n : 0);
    }
    bench_after = 0;
    nap();
    char line[96];
    int bytes = snprintf(line, sizeof(line), "# %s at %llu instructions\n",
                         good ? "had" : "lost", (unsigned long long)n);
    log_write(line, (size_t)bytes);
    return good && n > UNLOCK_MIN;
}

static bool unlock_check(void)
{
    bool good = thread_start_own("rival", rival_main) &&
                thread_start_own("rival", rival_main);
    nap(); /* until they wait */
    bench_quiet = true;
    good = good && unlocks_check(false) && unlocks_check(true);
    bench_quiet = false;
    return good;
}

/* Threads that come and go while the others work. */
static uint64_t visitors_check(void)
{
    uint64_t wrong = 0;
    for (int i = 0; i < 20 && !over; i++) {
        struct thread *t;
        int result = -1;
        if (thread_create(&t, visitor, (void *)(uintptr_t)i, "visitor") != 0 ||
            thread_join(t, &result) != 0 || result != i + 1) {
            wrong++;
        }
    }
    return wrong;
}

static uint64_t memory_check(void)
{
    uint64_t wrong = 0;
    for (size_t n = 1; n < 5000000 && !over; n = n * 5 + 3) {
        unsigned char *p = memory_map(n);
        wrong += p == NULL || p[0] != 0 || p[n - 1] != 0;
    }
    for (int i = 0; i < 3 && !over; i++) {
        struct memory_run run;
        wrong += memory_run_take(100000, &run) != 0;
        wrong += (uintptr_t)run.address % 0x200000 != 0;
        ((char *)run.address)[99999] = 1;
        memory_run_give(&run);
    }
    return wrong;
}

/* The main thread computes and waits while signals come. Returns what was
 * wrong. */
static uint64_t main_check(void)
{
    uint64_t wrong = 0, interruptions = 0;
    for (;;) {
        bool interrupted = false;
        uint64_t handled = signals_handled;
        if (event_wait(1ull << 63, time_ns() + 5000000, &interrupted) != 0) {
            break;
        }
        if (interrupted) {
            interruptions++;
            /* Handled already, if another came on the way out of the wait. */
            wrong += !signals_waiting() && signals_handled == handled;
            signals_run();
        }
        errno = 1234;
        wrong += registers_hold(99, 3);
        wrong += errno != 1234;
    }
    verdict("signals interrupt waits", interruptions > 0);
    return wrong;
}

/* ---- a server, whose doorbell is rung ------------------------------------ */

static uint64_t rung, unheard, wrong_door;

static void door_unheard(uint64_t caller)
{
    wrong_door += caller == 0;
    unheard++;
}

/* Rung while the domain sleeps for ever, it wants to be woken in a while all
 * the same: by nothing but the time that it tells its scheduler. */
static int napping_server(void *arg)
{
    uint64_t wrong = 0;
    for (int i = 0; i < 50; i++) {
        (void)event_wait(1ull << EVENT_RUNG, ~0ull, NULL);
        wrong += doorbell_caller() == 0;
        nap();
        wrong += doorbell_caller() != 0;
    }
    bench_quiet = false;
    (void)arg;
    return (int)wrong;
}

static bool door_check(void)
{
    struct thread *t;
    int wrong = -1;
    doorbell_open(door_unheard);
    bench_quiet = true;
    (void)thread_create(&t, napping_server, NULL, "napping");
    (void)thread_join(t, &wrong);
    return wrong == 0;
}

static volatile bool served;

static int server(void *arg)
{
    while (!served) {
        rung += event_wait(1ull << EVENT_RUNG, time_ns() + 5000000, NULL) != 0;
        wrong_registers += registers_hold(rung, 1);
    }
    (void)arg;
    return 0;
}

/* Alone, every wait leaves the domain idle: block and wake by event or time. */
static uint64_t idle_check(int times)
{
    uint64_t wrong = 0, came = 0, late = 0;
    for (int i = 0; i < times; i++) {
        uint64_t until = time_ns() + 10000000;
        uint64_t bits = event_wait(0xffull << EVENT_FREE, until, NULL);
        came += bits != 0;
        late += bits == 0;
        wrong += bits == 0 && time_ns() < until;
    }
    return wrong + (came == 0) + (late == 0);
}

static bool server_check(void)
{
    struct thread *t;
    (void)thread_create(&t, server, NULL, "server");
    uint64_t wrong = idle_check(1000);
    served = true;
    (void)thread_join(t, NULL);
    return wrong == 0 && rung > 20 && unheard > 0 && wrong_door == 0;
}

int main(int argc, char **argv)
{
    main_thread = thread_self();
    struct thread *t[WORKERS];
    bool done = argc == 1 && strcmp(argv[0], "bench") == 0;
    verdict("arguments arrive", done);
    verdict("an idle domain wakes by events and by time", idle_check(200) == 0);
    verdict("a server that is rung sleeps no longer than it wants to",
            door_check());
    verdict("the doorbell is heard, and who gave up is told of",
            server_check());
    sem_init(&px_tokens, 0, 1);
    verdict("free locks, switches and the time make no system call",
            calls_made() == 0);
    verdict("who comes for a lock at any instruction of its unlock gets it",
            unlock_check());
    for (int i = 0; i < WORKERS; i++) {
        (void)thread_create(&t[i], worker, (void *)(uintptr_t)i, "worker");
    }
    verdict("threads come and go", visitors_check() == 0);
    verdict("threads are cancelled where they wait, and clean up once",
            cancel_check() == 0);
    verdict("memory is mapped, zero, and runs begin a slot",
            memory_check() == 0);
    uint64_t broken = main_check();
    over = true;
    done = true;
    for (int i = 0; i < WORKERS; i++) {
        int result = -1;
        done &= thread_join(t[i], &result) == 0 && result == i * 10;
    }
    verdict("threads are joined with their results", done);
    verdict("registers survive every switch", wrong_registers == 0);
    verdict("mutexes exclude and memory is kept", wrong_sum == 0);
    verdict("read-write locks, semaphores and timed locks exclude, too",
            wrong_posix == 0 && px_left == px_right && px_inside == 0);
    verdict("a timed wait ends either way", px_late > 0 && px_got > 0);
    verdict("every locked round is counted", counter == counted);
    verdict("events are the asked for, sleepers wake in time", wrong_wait == 0);
    verdict("errno is each thread's own", wrong_errno == 0);
    verdict("signal handlers leave the interrupted code as it was",
            broken == 0);
    verdict("signal handlers run, and on the main thread only",
            signals_handled > 10 && signals_elsewhere == 0);
    uint64_t fewest = ~0ull;
    for (int i = 0; i < WORKERS; i++) {
        fewest = rounds[i] < fewest ? rounds[i] : fewest;
    }
    char line[96];
    int n = snprintf(line, sizeof(line),
                     "# rounds of each thread: %llu+, signals: %llu\n",
                     (unsigned long long)fewest,
                     (unsigned long long)signals_handled);
    log_write(line, (size_t)n);
    verdict("no thread starves", fewest > 10);
    return 0;
}
