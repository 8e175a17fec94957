/* SPDX-License-Identifier: BSL-1.0
 *
 * The kernel core against the model of model.h: the same random system calls
 * on both, the same answers and the same state after them.
 *
 *   differential [OPERATIONS [SEED [EVERY [CORPUS]]]]
 *   differential replay SEED INDEX
 *
 * A run is many traces; each boots a machine and is known by its own seed. No
 * two runs with different seeds (below 2^32) share one.
 *
 * After every operation: error, results and the slots it names; after each
 * EVERY-th, and at the end of a trace, all. A difference is looked for again,
 * with a full check after each operation and every refused one compared with
 * a copy of all memory; the command that does so is printed. `replay` is that
 * command. CORPUS holds lines `SEED INDEX` of traces that once failed; they
 * are replayed first. A change of choose.c makes other traces of them.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "choose.h"
#include "compare.h"
#include "kernel_abi.h"
#include "kernel_check.h"
#include "kernel_host.h"
#include "tap.h"

#define TRACE 16384u /* operations of a trace */
#define HANGS 60     /* seconds of CPU time for one */

struct host host; /* of the invariants in tests/unit/kernel_check.c */
static sigjmp_buf failed;
static char why[512];
static uint64_t trace_seed, operations, successes, opened;
static uint32_t trace_index;
static struct operation op;
static uint64_t seen[SYS_COUNT + 1][ERR_COUNT];
static unsigned char before[1u << 20];
static struct kernel before_kernel;

static void fail(const char *format, va_list list)
{
    vsnprintf(why, sizeof(why), format, list);
    siglongjmp(failed, 1);
}

void diverge(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    fail(format, list);
    abort();
}

void host_fail(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    fail(format, list);
    abort();
}

static void on_signal(int number)
{
    diverge("signal %d", number);
}

static void watch(time_t seconds)
{
    struct itimerval limit = {.it_value.tv_sec = seconds};
    setitimer(ITIMER_VIRTUAL, &limit, NULL);
}

/* ---- one operation ------------------------------------------------------- */

static void remember(void)
{
    memcpy(before, ram_host, machine.end);
    before_kernel = kernel;
}

/* Nothing but the registers of the caller may have changed. */
static void check_unchanged(void)
{
    ref_t d = kernel.core[0].current;
    memcpy(before + ref_address(d), ram_at(d), sizeof(struct saved_context));
    if (memcmp(before, ram_host, machine.end) != 0 ||
        memcmp(&before_kernel, &kernel, sizeof(kernel)) != 0) {
        diverge("system call %u was refused and changed the state", op.nr);
    }
}

/* Memory that was made an object is zero; its user then writes to it. */
static void use_frame(const struct object *o)
{
    uint64_t *p = ram_at(ref_of(o->at));
    uint64_t words = (1ull << o->log2) / 8, step = words / 16;
    for (uint64_t i = choose_number(64); i < words; i += step) {
        if (p[i] != 0) {
            diverge("frame %" PRIx64 ": not zero at +%" PRIx64, o->at, 8 * i);
        }
        p[i] = i + 1;
    }
}

static void check_made(uint64_t cptr, uint64_t count)
{
    struct where p;
    struct cap *c;
    if (cap_at(cptr, &p, &c) != ERR_OK) {
        diverge("the place of new capabilities is gone");
    }
    for (uint64_t i = 0; i < count; i++) {
        c = model_slot(p.node, p.index + (uint32_t)i);
        compare_slot(p.node, p.index + (uint32_t)i);
        if (c->type != TYPE_RANGE) {
            tlb_check_memory(c->object->at, 1ull << c->object->log2);
        }
        if (c->type == TYPE_FRAME && !c->object->device) {
            use_frame(c->object);
        }
    }
}

/* The model's answer to what the core has done; stopped: an interrupt may have
 * made it do fewer of a row of frames. */
static enum abi_error answer(enum abi_error core, const uint64_t *x,
                             uint64_t *own, bool stopped)
{
    model.most = stopped && core == ERR_OK ? x[1] : ~0ull;
    if (core != ERR_AGAIN) {
        return model_call(op.nr, own);
    }
    own[4] -= x[4]; /* given up: what was made so far stays */
    if (own[4] == 0) {
        model_retype_nothing(own);
        return core;
    }
    return model_call(op.nr, own) == ERR_OK ? core : ERR_OK;
}

static void compare_results(enum abi_error e, const uint64_t *x,
                            const uint64_t *own, uint32_t asked)
{
    if (op.nr == SYS_CAP_IDENTIFY && e == ERR_OK &&
        memcmp(x + 1, own + 1, 3 * sizeof(*x)) != 0) {
        diverge("cap_identify: %" PRIx64 " %" PRIx64 " %" PRIx64
                ", in the model %" PRIx64 " %" PRIx64 " %" PRIx64,
                x[1], x[2], x[3], own[1], own[2], own[3]);
    }
    if (is_row(op.nr) && e == ERR_OK && (x[1] != own[1] || x[2] != own[2])) {
        diverge("%" PRIu64 " frames up to %" PRIx64 ", in the model %" PRIu64
                " up to %" PRIx64,
                x[1], x[2], own[1], own[2]);
    }
    if (e != ERR_OK && e != ERR_AGAIN && asked != machine.asked) {
        diverge("system call %u was refused and did something", op.nr);
    }
    compare_named(op.x[0]);
    compare_named(op.x[1]);
    compare_named(op.x[2]);
    for (uint64_t i = 1; is_row(op.nr) && e == ERR_OK && i < own[1]; i++) {
        compare_named(CPTR_NEXT(op.x[0], i));
    }
    if (op.nr == SYS_UNTYPED_RETYPE && (e == ERR_OK || e == ERR_AGAIN)) {
        check_made(op.x[1], own[4]);
    } else if (op.nr == SYS_STRETCH_CREATE && e == ERR_OK) {
        check_made(op.x[0], 1);
    }
}

static void count(enum abi_error e)
{
    uint32_t nr = op.nr < SYS_COUNT ? op.nr : SYS_COUNT;
    operations++;
    if (e == ERR_AGAIN) {
        return;
    }
    successes += e == ERR_OK;
    if (seen[nr][e]++ == 0) {
        abi_note(nr, e);
    }
}

/* An address where something is or was mapped, new ones above all. */
static uint64_t mapped_somewhere(enum abi_error e)
{
    if (e == ERR_OK && (op.nr == SYS_FRAME_MAP || op.nr == SYS_FRAME_REMAP)) {
        return op.x[2];
    }
    if (e == ERR_OK && op.nr == SYS_DISPATCHER_BIND) {
        return op.x[4];
    }
    uint32_t type = choose_number(8) == 0 ? TYPE_DISPATCHER : TYPE_FRAME;
    uint32_t n = model.count[type];
    if (n == 0) {
        return 0;
    }
    const struct cap *c = model.of_type[type][choose_number(n)];
    if (is_huge(c) && c->word != 0) {
        return c->word + choose_number(STRETCH_PAGES) * PAGE_BYTES;
    }
    return type == TYPE_FRAME ? c->word : c->object->pages;
}

/* The CPU uses translations. */
static void use_tlb(enum abi_error e)
{
    uint64_t va = mapped_somewhere(e);
    if (va != 0) {
        uint32_t n = model.count[TYPE_DOMAIN];
        const struct cap *d = model.of_type[TYPE_DOMAIN][choose_number(n)];
        tlb_load(ref_of(d->object->at), va, choose_number(TLB_ENTRIES));
    }
    tlb_check(choose_number(TLB_ENTRIES));
}

static void step(bool exact)
{
    choose(&op);
    uint32_t old = choose_number(16 * MODEL_WINDOW);
    if (old < MODEL_WINDOW) {
        machine_age(old);
    }
    uint64_t x[8], own[8];
    memcpy(x, op.x, sizeof(x));
    memcpy(own, op.x, sizeof(own));
    uint32_t asked = machine.asked;
    if (exact) {
        remember();
    }
    bool stopped = machine.interrupts != 0;
    enum abi_error e = machine_call(op.nr, x, op.patience);
    enum abi_error m = answer(e, x, own, stopped);
    if (model.open) {
        count(e);
        return;
    }
    if (e != m) {
        diverge("the error is %u, in the model %u", e, m);
    }
    if (exact && e != ERR_OK && e != ERR_AGAIN) {
        check_unchanged();
    }
    compare_results(e, x, own, asked);
    count(e);
    use_tlb(e);
}

/* ---- traces -------------------------------------------------------------- */

static void compare_all(void)
{
    compare_caps();
    compare_space();
}

/* True: no difference up to operation `last`. */
static bool run_trace(uint64_t seed, uint32_t last, uint32_t every)
{
    trace_seed = seed;
    trace_index = 0;
    if (sigsetjmp(failed, 1) != 0) {
        return false;
    }
    watch(HANGS);
    choose_seed(seed);
    machine_boot();
    for (; trace_index <= last; trace_index++) {
        step(every == 1 || trace_index % (8 * every) == 0);
        if (model.open) {
            check_caps(); /* all that can be said */
            check_space();
            opened++;
            return true;
        }
        if (trace_index % every == every - 1) {
            compare_all();
        }
    }
    trace_index = last;
    compare_all();
    return true;
}

static void print_operation(void)
{
    printf("# domain %u: system call %u", op.who, op.nr);
    for (uint32_t i = 0; i < 7; i++) {
        printf(" %" PRIx64, op.x[i]);
    }
    printf("\n");
}

static void print_commit(void)
{
    char line[64] = "unknown";
    FILE *git = popen("git rev-parse --short HEAD 2>/dev/null", "r");
    if (git != NULL) {
        if (fgets(line, sizeof(line), git) != NULL) {
            line[strcspn(line, "\n")] = 0;
        }
        pclose(git);
    }
    printf("# commit %s\n", line);
}

/* Look for the first operation of the failing trace that goes wrong. */
static void explain(const char *program)
{
    uint32_t late = trace_index;
    uint64_t seed = trace_seed;
    bool again = !run_trace(seed, late, 1);
    printf("not ok 1 - seed 0x%" PRIx64 " operation %u: %s\n", seed,
           trace_index, why);
    if (!again) {
        printf("# which a check after each operation does not find\n");
    }
    print_operation();
    print_commit();
    printf("# again: %s replay 0x%" PRIx64 " %u\n", program, seed, trace_index);
    printf("# line for tests/model/corpus.txt: 0x%" PRIx64 " %u\n", seed,
           trace_index);
}

static bool replay_corpus(const char *path)
{
    FILE *file = fopen(path, "r");
    char line[128];
    uint64_t seed;
    uint32_t index, n = 0;
    bool good = file != NULL;
    while (good && fgets(line, sizeof(line), file) != NULL) {
        if (sscanf(line, "%" SCNx64 " %u", &seed, &index) == 2) {
            good = run_trace(seed, index, 1);
            n++;
        }
    }
    if (file == NULL) {
        snprintf(why, sizeof(why), "no corpus %s", path);
    } else {
        fclose(file);
    }
    printf("# %u traces of the corpus\n", n);
    return good;
}

/* ---- the table of what was seen ------------------------------------------ */

static void print_seen(void)
{
    for (uint32_t nr = 0; nr <= SYS_COUNT; nr++) {
        uint64_t all = 0;
        for (uint32_t e = 0; e < ERR_COUNT; e++) {
            all += seen[nr][e];
        }
        if (all == 0) {
            continue;
        }
        printf("# %s:", abi_call_name(nr));
        for (uint32_t e = 0; e < ERR_COUNT; e++) {
            if (seen[nr][e] != 0) {
                printf(" %s %" PRIu64, abi_error_name(e), seen[nr][e]);
            }
        }
        printf("\n");
    }
}

/* Promised errors of the calls of the model that no run can leave out. STATE
 * of cap_move and cap_rotate is that of a CNode half deleted, which is not
 * modelled. */
static uint32_t missing(void)
{
    uint32_t n = abi_unseen(SYS_NULL, SYS_DISPATCHER_BIND) +
                 abi_unseen(SYS_ENDPOINT_BIND, SYS_ENDPOINT_BIND) +
                 abi_unseen(SYS_EVENT_MINT, SYS_EVENT_MINT) +
                 abi_unseen(SYS_CAP_ROTATE, SYS_FRAME_REMAP);
    return n - (seen[SYS_CAP_MOVE][ERR_STATE] == 0) -
           (seen[SYS_CAP_ROTATE][ERR_STATE] == 0);
}

int main(int argc, char **argv)
{
    uint64_t wanted = argc > 1 ? strtoull(argv[1], NULL, 0) : 1000000;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
    uint32_t every = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 0) : 2048;
    signal(SIGSEGV, on_signal);
    signal(SIGFPE, on_signal);
    signal(SIGVTALRM, on_signal);
    if (argc > 3 && strcmp(argv[1], "replay") == 0) {
        bool good = run_trace(seed, every, 1);
        printf("%sok 1 - seed 0x%" PRIx64 " operation %u%s%s\n",
               good ? "" : "not ", seed, trace_index, good ? "" : ": ",
               good ? "" : why);
        print_operation();
        return !good;
    }
    printf("# operations %" PRIu64 ", seed 0x%" PRIx64 ", all compared every "
           "%u\n",
           wanted, seed, every);
    fflush(stdout);
    bool good = argc <= 4 || replay_corpus(argv[4]);
    operations = successes = 0;
    for (uint64_t i = 0; good && operations < wanted; i++) {
        good = run_trace((seed << 32) + i, TRACE - 1, every);
    }
    watch(0);
    if (!good) {
        explain(argv[0]);
        return 1;
    }
    uint64_t percent = 100 * successes / operations;
    printf("# operations %" PRIu64 ", successful %" PRIu64 " (%" PRIu64
           " %%), seed 0x%" PRIx64 ", ends left open %" PRIu64 "\n",
           operations, successes, percent, seed, opened);
    print_commit();
    print_seen();
    CHECK(good, "the core does what the model says");
    CHECK(percent >= 40, "at least 40 % of the calls succeeded");
    CHECK(missing() == 0, "every promised error was seen");
    return tap_end();
}
