/* SPDX-License-Identifier: BSL-1.0
 *
 * No register changes under a program that loses the CPU: three threads of one
 * domain and two domains beside it hold patterns in all registers, while
 * upcalls come at ever other instructions. Prints TAP.
 */
#include "tests/unit/tap.h"

#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vesper/thread.h>

#include "tests/target/kernel_probe.h"

#define MS         1000000ull
#define HOLD_MS    1500ull
#define ROUNDS_MIN 300
#define FPCR_SET   0x00c00000ull /* rounding towards zero */
#define FPSR_SET   0x0800001full /* all exceptions seen, and QC */

struct registers { /* as in kernel_registers.S */
    uint64_t x[31], sp, nzcv, fpcr, fpsr, tpidr;
    uint64_t q[64];
};
_Static_assert(sizeof(struct registers) == 288 + 512, "kernel_registers.S");

void registers_hold(const struct registers *in, struct registers *out);

static uint64_t random_next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static uint64_t counter(void)
{
    uint64_t t;
    __asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(t) : : "memory");
    return t;
}

static void pattern(struct registers *r, uint64_t *seed)
{
    for (uint32_t i = 0; i < 31; i++) {
        r->x[i] = random_next(seed);
    }
    for (uint32_t i = 0; i < 64; i++) {
        r->q[i] = random_next(seed);
    }
    r->nzcv = random_next(seed) & 0xf0000000;
    r->fpcr = random_next(seed) & FPCR_SET;
    r->fpsr = random_next(seed) & FPSR_SET;
}

/* The timer, to go off within this round: an upcall, which libos answers by
 * going on or by another thread. It sets the timer as it likes afterwards. */
static void upcall_arm(uint64_t *seed)
{
    uint64_t at = counter() + random_next(seed) % 6000;
    __asm__ volatile("msr cntv_cval_el0, %0\n\tmsr cntv_ctl_el0, %1"
                     :
                     : "r"(at), "r"(1ull));
}

static const uint64_t *words(const struct registers *r)
{
    return (const uint64_t *)r;
}

static bool same(const struct registers *in, const struct registers *out)
{
    uint64_t stack = (uintptr_t)__builtin_frame_address(0), tpidr;
    __asm__("mrs %0, tpidr_el0" : "=r"(tpidr));
    bool kept = memcmp(in->x, out->x, sizeof(in->x)) == 0 &&
                memcmp(in->q, out->q, sizeof(in->q)) == 0 &&
                in->nzcv == out->nzcv && in->fpcr == out->fpcr &&
                in->fpsr == out->fpsr && out->tpidr == tpidr &&
                stack - out->sp + 4096 < 16384;
    for (uint32_t i = 0; i < sizeof(*in) / 8 && !kept; i++) {
        if (i != 31 && i != 35 && words(in)[i] != words(out)[i]) {
            printf("# word %u: 0x%llx, was 0x%llx\n", i,
                   (unsigned long long)words(out)[i],
                   (unsigned long long)words(in)[i]);
        }
    }
    return kept;
}

/* Returns the number of rounds; 0: a register changed. Goes on for HOLD_MS and
 * ROUNDS_MIN, as on a busy host QEMU may hardly run at all for that time. */
static int hold(void *argument)
{
    uint64_t seed = 0x9e3779b97f4a7c15ull * (uint64_t)(uintptr_t)argument;
    uint64_t end = time_ns() + HOLD_MS * MS;
    int rounds = 0;
    while (time_ns() < end || rounds < ROUNDS_MIN) {
        struct registers in = {0}, out = {0};
        pattern(&in, &seed);
        upcall_arm(&seed);
        registers_hold(&in, &out);
        rounds++;
        if (!same(&in, &out)) {
            return 0;
        }
    }
    return rounds;
}

static pid_t child_start(const char *path, const char *number)
{
    char *argv[] = {(char *)path, (char *)number, NULL};
    pid_t child = -1;
    int error = posix_spawn(&child, path, NULL, NULL, argv, environ);
    if (error != 0) {
        printf("# posix_spawn: %s\n", strerror(error));
    }
    return error == 0 ? child : -1;
}

int main(int argc, char **argv)
{
    static const char *const path = "/tests/kernel-registers";
    if (argc > 1) {
        int rounds_alone = hold((void *)(uintptr_t)atoi(argv[1]));
        printf("# a domain beside: %d rounds\n", rounds_alone);
        return rounds_alone > 0 ? 0 : 1;
    }
    struct thread *t[2];
    int rounds[3] = {0, 0, 0}, status[2] = {-1, -1};
    pid_t child[2] = {child_start(path, "11"), child_start(path, "12")};
    probe_init(); /* counts upcalls */
    for (int i = 0; i < 2; i++) {
        (void)thread_create(&t[i], hold, (void *)(uintptr_t)(i + 2), "hold");
    }
    rounds[2] = hold((void *)(uintptr_t)1);
    for (int i = 0; i < 2; i++) {
        (void)thread_join(t[i], &rounds[i]);
        (void)waitpid(child[i], &status[i], 0);
    }
    printf("# rounds %d %d %d, %llu upcalls\n", rounds[0], rounds[1], rounds[2],
           (unsigned long long)probe_upcalls);
    CHECK(rounds[0] > 0 && rounds[1] > 0 && rounds[2] > 0,
          "three threads keep all their registers");
    CHECK(status[0] == 0 && status[1] == 0, "so do two domains beside them");
    CHECK(probe_upcalls > 100, "while upcalls came at random instructions");
    return tap_end();
}
