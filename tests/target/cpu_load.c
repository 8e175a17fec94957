/* SPDX-License-Identifier: BSL-1.0
 *
 * Loads for scheduling tests, in numbers that the host checks.
 *
 *   cpu-load spin MS            uses all the CPU it gets
 *   cpu-load periodic PERIOD_US BUDGET_US WORK_US JOBS PRIORITY
 *                               has so much promised to itself; prints how
 *                               many jobs were late
 *
 * Work is CPU time: steps of the counter as long as nobody else ran between.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "spin") == 0) {
        return spin(strtoull(argv[2], NULL, 10) * 1000 * US);
    }
    if (argc == 7 && strcmp(argv[1], "periodic") == 0) {
        uint64_t period = strtoull(argv[2], NULL, 10) * US;
        return reserve(period, strtoull(argv[3], NULL, 10) * US,
                       (uint32_t)strtoul(argv[6], NULL, 10))
                   ? periodic(period, strtoull(argv[4], NULL, 10) * US,
                              (unsigned)strtoul(argv[5], NULL, 10))
                   : 1;
    }
    fprintf(stderr, "usage: cpu-load spin MS | periodic US US US JOBS PRI\n");
    return 2;
}
