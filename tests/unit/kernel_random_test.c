/* SPDX-License-Identifier: BSL-1.0
 *
 * Random sequences of system calls; see kernel_random.h.
 *   kernel-random [STEPS [SEED]]
 */
#include <stdlib.h>

#include "kernel_abi.h"
#include "kernel_check.h"
#include "kernel_host.h"
#include "kernel_random.h"
#include "tap.h"

static uint64_t state;

static uint32_t next(void) /* xorshift64* */
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (uint32_t)(state * 0x2545f4914f6cdd1dull >> 32);
}

static bool more(void)
{
    return true;
}

int main(int argc, char **argv)
{
    uint32_t steps = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 0) : 200000;
    state = argc > 2 ? strtoull(argv[2], NULL, 0) : 0x1234567;
    printf("# %u steps from seed 0x%llx\n", steps, (unsigned long long)state);
    fflush(stdout);
    random_run(&(struct random_source){next, more, NULL, false, false}, steps);
    check_print();
    CHECK(true, "all invariants held");
    CHECK(host_refusals > steps / 10, "many calls were refused");
    CHECK(abi_successes() == SYS_COUNT, "every system call succeeded once");
    return tap_end();
}
