/* SPDX-License-Identifier: BSL-1.0
 *
 * Loads for scheduling tests, in numbers that the host checks.
 *
 *   cpu-load spin MS            uses all the CPU it gets
 *   cpu-load share PERIOD_US BUDGET_US MS
 *                               has so much promised to itself, would use all,
 *                               and prints what it had
 *   cpu-load attack HOW         does harm for ever: mask, signal, call, nap,
 *                               fault, spawn, bomb
 *   cpu-load periodic PERIOD_US BUDGET_US WORK_US JOBS PRIORITY
 *                               has so much promised to itself; prints how
 *                               many jobs were late
 *
 * Work is CPU time: steps of the counter as long as nobody else ran between.
 */
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <abi/abi.h>
#include <vesper/cpu.h>
#include <vesper/start.h>
#include <vesper/thread.h>

#define US      1000ull
#define STEP_NS 20000u /* longer: somebody else had the CPU */

static void work(uint64_t ns)
{
    uint64_t last = time_ns();
    for (uint64_t done = 0; done < ns;) {
        uint64_t now = time_ns();
        done += now - last < STEP_NS ? now - last : 0;
        last = now;
    }
}

static int spin(uint64_t ns)
{
    uint64_t end = time_ns() + ns;
    while (time_ns() < end) {
    }
    return 0;
}

static bool reserve(uint64_t period, uint64_t budget, uint32_t priority)
{
    struct cpu_params p = {.priority = priority,
                           .weight = 100,
                           .period_ns = period,
                           .budget_ns = budget};
    enum scheduler_refusal why;
    uint32_t left;
    return cpu_params_set(start_self->id, &p, &why, &left) == 0;
}

static int periodic(uint64_t period, uint64_t need, unsigned jobs)
{
    uint64_t release = time_ns() + period, worst = 0;
    unsigned missed = 0;
    for (unsigned i = 0; i < jobs; i++, release += period) {
        thread_sleep_until(release);
        work(need);
        uint64_t took = time_ns() - release;
        worst = took > worst ? took : worst;
        missed += took > period;
    }
    printf("periodic: %u jobs, %u missed, longest %llu us\n", jobs, missed,
           (unsigned long long)(worst / US));
    return missed == 0 ? 0 : 1;
}

/* CPU time of this domain, ns. */
static uint64_t used(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000 * US + (uint64_t)t.tv_nsec;
}

static int share(uint64_t ns)
{
    uint64_t began = time_ns(), had = used();
    spin(ns);
    printf("share: %llu of %llu us\n",
           (unsigned long long)((used() - had) / US),
           (unsigned long long)((time_ns() - began) / US));
    return 0;
}

/* ---- attacks: each once, to be repeated ---------------------------------- */

/* No upcall comes through. Never returns. */
static void attack_mask(void)
{
    struct upcall_page *page =
        (void *)(uintptr_t)(start_self->dispatcher + PAGE_BYTES);
    page->mask = MASK_ON;
    for (;;) {
    }
}

/* An event for every domain. */
static void attack_signal(void)
{
    for (int id = 1; id < 64; id++) {
        (void)kill(id, id != (int)start_self->id ? SIGCHLD : 0);
    }
}

/* The root server and the file server. */
static void attack_call(void)
{
    struct stat unused;
    (void)kill(getpid(), 0);
    (void)stat("/tests", &unused);
}

/* Sleep for hardly any time. */
static void attack_nap(void)
{
    thread_sleep_until(time_ns() + US);
}

static void child(const char *how)
{
    char *argv[] = {"cpu-load", "attack", (char *)(uintptr_t)how, NULL};
    char *none[] = {NULL};
    pid_t id;
    if (posix_spawn(&id, "/tests/cpu-load", NULL, NULL, argv, none) == 0) {
        (void)waitpid(id, NULL, 0);
    }
}

static void attack_crash(void)
{
    static volatile uintptr_t nowhere = 8;
    *(volatile char *)nowhere = 0;
}

/* A child that faults. */
static void attack_fault(void)
{
    child("crash");
}

/* A child that ends at once. */
static void attack_spawn(void)
{
    child("");
}

/* A child that does the same, until there is no room for more. */
static void attack_bomb(void)
{
    child("bomb");
}

static int attack(const char *how)
{
    static const struct {
        const char *how;
        void (*once)(void);
    } attacks[] = {
        {"mask", attack_mask},   {"signal", attack_signal},
        {"call", attack_call},   {"nap", attack_nap},
        {"crash", attack_crash}, {"fault", attack_fault},
        {"spawn", attack_spawn}, {"bomb", attack_bomb},
    };
    for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
        while (strcmp(how, attacks[i].how) == 0) {
            attacks[i].once();
        }
    }
    return 2;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "spin") == 0) {
        return spin(strtoull(argv[2], NULL, 10) * 1000 * US);
    }
    if (argc == 3 && strcmp(argv[1], "attack") == 0) {
        return attack(argv[2]);
    }
    if (argc == 5 && strcmp(argv[1], "share") == 0) {
        return reserve(strtoull(argv[2], NULL, 10) * US,
                       strtoull(argv[3], NULL, 10) * US, 1)
                   ? share(strtoull(argv[4], NULL, 10) * 1000 * US)
                   : 1;
    }
    if (argc == 7 && strcmp(argv[1], "periodic") == 0) {
        uint64_t period = strtoull(argv[2], NULL, 10) * US;
        return reserve(period, strtoull(argv[3], NULL, 10) * US,
                       (uint32_t)strtoul(argv[6], NULL, 10))
                   ? periodic(period, strtoull(argv[4], NULL, 10) * US,
                              (unsigned)strtoul(argv[5], NULL, 10))
                   : 1;
    }
    fprintf(stderr, "usage: cpu-load spin MS | share US US MS | "
                    "attack HOW | periodic US US US JOBS PRI\n");
    return 2;
}
