/* SPDX-License-Identifier: BSL-1.0
 *
 * A program that schedules others (vesper/nested.h): what it is refused, what
 * becomes of children that end, stop, wait and do not give way. Prints TAP.
 */
#include "tests/unit/tap.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vesper/cpu.h>
#include <vesper/nested.h>
#include <vesper/root.h>
#include <vesper/root_call.h>
#include <vesper/start.h>
#include <vesper/system.h>
#include <vesper/thread.h>

#include "libos/core/page.h"

#define MS 1000000ull

static const char *self_path;
static volatile bool forever = true;
static volatile uintptr_t unmapped = 8;

static const struct scheduler_params equal = {.priority = 100, .weight = 100};

static int start(pid_t *child, const char *what,
                 const struct scheduler_params *params)
{
    char *argv[] = {(char *)self_path, (char *)what, NULL};
    return nested_spawn(child, self_path, NULL, argv, params);
}

static void rest(uint64_t ms)
{
    thread_sleep_until(time_ns() + ms * MS);
}

static uint64_t milliseconds_of(pid_t child)
{
    const struct identity_page *identity = (void *)start_self->dispatcher;
    return nested_used(child) * 1000 / identity->frequency;
}

static int end(pid_t child)
{
    int status = -1;
    (void)kill(child, SIGKILL);
    (void)waitpid(child, &status, 0);
    return status;
}

static bool exits(pid_t child, int with)
{
    int status;
    return waitpid(child, &status, 0) == child && WIFEXITED(status) &&
           WEXITSTATUS(status) == with;
}

/* ---- what a child does --------------------------------------------------- */

static int play(const char *what)
{
    pid_t child = 0;
    if (strcmp(what, "exit") == 0) {
        return 7;
    }
    if (strcmp(what, "sleep") == 0) {
        rest(50);
        return 8;
    }
    if (strcmp(what, "stop") == 0) { /* a fault in the fault handler */
        upcall_page->mask = MASK_ON;
        upcall_page->double_entry = 0;
        *(volatile uint64_t *)unmapped = 1;
    }
    if (strcmp(what, "deep") == 0) { /* how many levels there are from here */
        nested_policy(&scheduler_round_robin);
        int error = start(&child, "deep", &equal), status;
        if (error == EMLINK) {
            return 1;
        }
        return error == 0 && waitpid(child, &status, 0) == child &&
                       WIFEXITED(status)
                   ? 1 + WEXITSTATUS(status)
                   : 100;
    }
    if (strcmp(what, "hog") == 0) { /* a scheduler, but never idle */
        nested_policy(&scheduler_round_robin);
        if (start(&child, "spin", &equal) != 0) {
            return 1;
        }
    }
    if (strcmp(what, "masked") == 0) {
        upcall_page->mask = MASK_ON;
    }
    while (strcmp(what, "storm") == 0) { /* an upcall after each round */
        __asm__ volatile("msr cntv_cval_el0, xzr\n\tmsr cntv_ctl_el0, %0"
                         :
                         : "r"(1ull));
    }
    while (forever) {
    }
    return 0;
}

/* ---- what is refused ----------------------------------------------------- */

static void refused_test(void)
{
    enum scheduler_refusal why;
    posix_spawnattr_t a;
    pid_t child = 0;
    struct scheduler_params half = {1, 1, 6200000, 3100000, false};
    struct scheduler_params bad = {1, 1, 1000000, 1000001, false};
    CHECK(nested_set(5, &equal, &why) == EAGAIN,
          "without a policy there is nothing to schedule by");
    CHECK(posix_spawnattr_init(&a) == 0 &&
              posix_spawnattr_setflags(&a, POSIX_SPAWN_SETSCHEDULER) == ENOTSUP,
          "POSIX's own scheduling attributes are not there");
    nested_policy(&scheduler_edf);
    CHECK(start(&child, "spin", &bad) == EINVAL && waitpid(-1, NULL, 0) == -1 &&
              errno == ECHILD,
          "a child whose budget is larger than its period is not kept");
    CHECK(nested_set(5, &bad, &why) == EINVAL && why == SCHED_OVER_PERIOD &&
              nested_used(5) == 0,
          "and the cause is told");
    CHECK(start(&child, "spin", &half) == 0, "half of the time is to be had");
    half.budget++;
    CHECK(nested_set(child + 1, &half, &why) == EINVAL && why == SCHED_FULL,
          "but not more than all of it");
    uint64_t w[8] = {ROOT_REAP, start_self->parent_id};
    CHECK(root_call(w, 0) == ESRCH, "only a scheduler has its children reaped");
    struct cpu_params p;
    CHECK(cpu_params_get((uint32_t)child, &p) == -1 && errno == EPERM,
          "the root server schedules other domains than those");
    CHECK(WTERMSIG(end(child)) == SIGKILL && nested_used(child) == 0,
          "a child can be killed");
}

static void depth_test(void)
{
    pid_t child = 0;
    nested_policy(&scheduler_round_robin);
    CHECK(start(&child, "deep", &equal) == 0 && exits(child, 3),
          "four levels below the root server, and EMLINK for the fifth");
}

/* ---- what becomes of children -------------------------------------------- */

/* Wait until it has had so much more of the CPU; false: not in 20 s. */
static bool gets_time(pid_t child, uint64_t ms)
{
    uint64_t from = milliseconds_of(child), until = time_ns() + 20000 * MS;
    while (milliseconds_of(child) < from + ms && time_ns() < until) {
        rest(10);
    }
    return milliseconds_of(child) >= from + ms;
}

static void ends_test(void)
{
    pid_t exiting = 0, sleeping = 0, stopping = 0, spinning = 0;
    int status = 0;
    nested_policy(&scheduler_fixed_priority);
    struct scheduler_params urgent = {.priority = 200, .weight = 1};
    CHECK(start(&spinning, "spin", &equal) == 0 &&
              start(&exiting, "exit", &urgent) == 0 &&
              start(&sleeping, "sleep", &urgent) == 0 &&
              start(&stopping, "stop", &urgent) == 0,
          "four children by priority, one of which spins");
    CHECK(exits(exiting, 7), "one ends");
    CHECK(exits(sleeping, 8), "one that sleeps is woken");
    CHECK(waitpid(stopping, &status, 0) == stopping && WIFSIGNALED(status) &&
              WTERMSIG(status) == SIGSEGV,
          "one that cannot take its own fault is reaped");
    CHECK(gets_time(spinning, 20), "and the spinner has what is left");
    end(spinning);
}

/* A child that never takes an upcall, or never does anything else, beside one
 * that just spins. */
static void greedy_test(const char *what)
{
    pid_t greedy = 0, spinning = 0;
    nested_policy(&scheduler_stride);
    CHECK(start(&greedy, what, &equal) == 0 &&
              start(&spinning, "spin", &equal) == 0,
          what);
    CHECK(gets_time(greedy, 100) && gets_time(spinning, 100) &&
              gets_time(greedy, 100),
          "it loses the CPU as any other");
    struct scheduler_params urgent = {.priority = 200, .weight = 1};
    enum scheduler_refusal why;
    CHECK(nested_set(spinning, &urgent, &why) == 0, "the other gets urgent");
    nested_policy(&scheduler_fixed_priority);
    uint64_t had = nested_used(greedy);
    CHECK(gets_time(spinning, 100) && nested_used(greedy) == had,
          "and has all the time, when it is given by priority");
    end(greedy);
    end(spinning);
}

/* A scheduler that never gives its children anything: they wait, nobody else
 * does, and it is killed as any other. */
static void starve_test(void)
{
    pid_t child = 0, other = 0;
    posix_spawnattr_t a;
    char *argv[] = {(char *)self_path, "exit", NULL};
    nested_policy(&scheduler_stride);
    CHECK(posix_spawnattr_init(&a) == 0 &&
              posix_spawnattr_setflags(&a, POSIX_SPAWN_NESTED_NP) == 0 &&
              posix_spawn(&child, self_path, NULL, &a, argv, environ) == 0 &&
              posix_spawn(&other, self_path, NULL, NULL, argv, environ) == 0,
          "a child that nobody runs");
    CHECK(exits(other, 7) && waitpid(child, NULL, WNOHANG) == 0,
          "waits, and others do not");
    enum scheduler_refusal why;
    CHECK(nested_set(child, &equal, &why) == 0 && exits(child, 7),
          "until it is scheduled");
}

/* ---- a scheduler that never looks at its children ------------------------ */

static uint64_t cpu_ns_of(uint32_t id)
{
    static struct sys_domain list[128];
    int n = sys_domains(list, 128);
    for (int i = 0; i < n; i++) {
        if (list[i].id == id) {
            return list[i].cpu_ns;
        }
    }
    return 0;
}

static uint32_t child_of(pid_t parent)
{
    static struct sys_domain list[128];
    int n = sys_domains(list, 128);
    for (int i = 0; i < n; i++) {
        if (list[i].parent == (uint32_t)parent) {
            return list[i].id;
        }
    }
    return 0;
}

/* It spins, two levels below the root server: its child has no time, its
 * sibling what is the sibling's; and its end gives its child back. */
static void spinning_scheduler_test(void)
{
    pid_t hog = 0, sibling = 0;
    uint64_t until = time_ns() + 20000 * MS;
    nested_policy(&scheduler_stride);
    CHECK(start(&hog, "hog", &equal) == 0, "a scheduler of its own spins");
    while (child_of(hog) == 0 && time_ns() < until) {
        rest(10);
    }
    uint32_t below = child_of(hog);
    CHECK(below != 0 && start(&sibling, "spin", &equal) == 0 &&
              gets_time(hog, 100),
          "above a child, and beside another");
    uint64_t starved = cpu_ns_of(below);
    uint64_t had = milliseconds_of(hog), other = milliseconds_of(sibling);
    bool fair = gets_time(sibling, 400);
    had = milliseconds_of(hog) - had;
    other = milliseconds_of(sibling) - other;
    printf("# %llu ms, and the other %llu\n", (unsigned long long)had,
           (unsigned long long)other);
    CHECK(fair, "the sibling has its time"); /* test_nested.py: half of it */
    CHECK(cpu_ns_of(below) == starved, "its child has nothing");
    until = time_ns() + 20000 * MS;
    CHECK(WTERMSIG(end(hog)) == SIGKILL, "it is killed");
    while (cpu_ns_of(below) < starved + 50 * MS && time_ns() < until) {
        rest(10);
    }
    CHECK(cpu_ns_of(below) >= starved + 50 * MS, "and its child goes on");
    CHECK(kill((pid_t)below, SIGKILL) == 0, "until it is killed, too");
    end(sibling);
}

int main(int argc, char **argv)
{
    self_path = argv[0];
    if (argc == 2 && strcmp(argv[1], "spinning") == 0) {
        spinning_scheduler_test();
        return tap_end();
    }
    if (argc == 2) {
        return play(argv[1]);
    }
    refused_test();
    depth_test();
    ends_test();
    greedy_test("masked");
    greedy_test("storm");
    starve_test();
    spinning_scheduler_test();
    return tap_end();
}
