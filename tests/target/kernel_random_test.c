/* SPDX-License-Identifier: BSL-1.0
 *
 * Random system calls on the real kernel. First 20,000 from this domain, among
 * objects of its own, which it has to survive; then children that call with
 * whatever they have, their own undoing included, which only the system has to
 * survive. The seed is fixed: a run can be repeated. Prints TAP.
 *
 *   kernel-random [seed]
 */
#include "tests/unit/tap.h"

#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vesper/start.h>
#include <vesper/thread.h>

#include "libos/core/page.h"
#include "tests/target/kernel_objects.h"
#include "tests/target/kernel_probe.h"

#define CALLS       20000u
#define CALLS_CHILD 3000u
#define CHILDREN    20u
#define MS          1000000ull

static uint64_t seed = 88172645463325252ull;

static uint64_t random_next(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static uint64_t below(uint64_t n)
{
    return random_next() % n;
}

static const uint64_t odd[] = {
    0,          1,          2,          3,           4,
    7,          12,         14,         16,          18,
    21,         63,         64,         239,         240,
    255,        256,        4096,       0x7f,        0xffff,
    1u << 16,   1u << 21,   0x7fffffff, 1ull << 32,  0xfffffffc,
    1ull << 39, 1ull << 63, ~0ull,      ~0ull << 12, 0xffffff8000000000,
};

/* A slot of the node, mostly one with something in it. */
static cptr_t own_slot(void)
{
    return N(below(8) != 0 ? below(16) : below(NODE_SLOTS + 2));
}

static uint64_t own_value(void)
{
    switch (below(6)) {
    case 0:
        return odd[below(sizeof(odd) / sizeof(odd[0]))];
    case 1:
        return objects_va() + below(1024) * PAGE_BYTES;
    case 2:
        return random_next() >> below(64);
    default:
        return own_slot();
    }
}

/* A slot of this domain's own CNode, where libos' capabilities are too. */
static bool is_libos(cptr_t slot)
{
    return slot < start_self->slot_count || (uint32_t)slot == CPTR_SELF_CNODE;
}

/* Not what would end this domain: its stop, another context, its own memory
 * taken away or turned read-only. */
static bool harmless(uint32_t nr, const uint64_t *x)
{
    switch (nr) {
    case SYS_DISPATCHER_STOP:
        return x[0] != CPTR_SELF_DISPATCHER;
    case SYS_CAP_DELETE:
    case SYS_CAP_REVOKE:
    case SYS_STRETCH_ATTACH:
    case SYS_STRETCH_DETACH:
    case SYS_FRAME_UNMAP:
    case SYS_FRAME_PROTECT:
    case SYS_FRAME_REMAP:
        return !is_libos(x[0]);
    case SYS_CAP_COPY:
    case SYS_CAP_MOVE:
        return !is_libos(x[1]);
    case SYS_CAP_ROTATE:
        return !is_libos(x[1]) && !is_libos(x[2]);
    case SVC_CALL:
        return (uint32_t)x[8] != SLOT_ROOT;
    default:
        return nr != SYS_RESUME && nr != SYS_BLOCK && nr != SYS_LEAVE;
    }
}

/* What the first two arguments of a call should name; 0: anything. */
static const uint8_t wanted[SYS_COUNT][2] = {
    [SYS_UNTYPED_RETYPE] = {P_UNTYPED, 0},
    [SYS_STRETCH_CREATE] = {0, P_UNTYPED},
    [SYS_STRETCH_ATTACH] = {P_STRETCH, P_DOMAIN},
    [SYS_STRETCH_DETACH] = {P_STRETCH, P_DOMAIN},
    [SYS_FRAME_MAP] = {P_FRAME, P_STRETCH},
    [SYS_FRAME_REMAP] = {P_FRAME, P_STRETCH},
    [SYS_FRAME_UNMAP] = {P_FRAME, 0},
    [SYS_CAP_ROTATE] = {0, P_ENDPOINT},
    [SYS_FRAME_PROTECT] = {P_FRAME, 0},
    [SYS_DOMAIN_SET_CSPACE] = {P_DOMAIN, P_CNODE},
    [SYS_DISPATCHER_BIND] = {P_DISPATCHER, P_DOMAIN},
    [SYS_DISPATCHER_SET_PARENT] = {P_DISPATCHER, 0},
    [SYS_DISPATCHER_START] = {P_DISPATCHER, 0},
    [SYS_DISPATCHER_INSPECT] = {P_DISPATCHER, 0},
    [SYS_ENDPOINT_BIND] = {P_ENDPOINT, P_DISPATCHER},
    [SYS_EVENT_MINT] = {0, P_DISPATCHER},
    [SYS_EVENT_SIGNAL] = {P_EVENT, 0},
    [SYS_SCHED_BIND] = {P_SCHED, P_DISPATCHER},
    [SYS_SCHED_REFILL] = {P_SCHED, 0},
};

static void retype_shape(uint64_t *x)
{
    static const uint8_t type[][2] = {
        {TYPE_UNTYPED, 12},      {TYPE_CNODE, 8},
        {TYPE_FRAME, 12},        {TYPE_DOMAIN, DOMAIN_LOG2_MIN},
        {TYPE_ENDPOINT, 6},      {TYPE_DISPATCHER, DISPATCHER_LOG2},
        {TYPE_SCHED_CONTEXT, 6},
    };
    uint64_t i = below(sizeof(type) / sizeof(type[0]));
    x[2] = type[i][0];
    x[3] = type[i][1];
    x[4] = 1 + below(4);
    x[5] = below(4) != 0 ? 0 : x[5];
    x[6] = below(NODE_RANK);
}

/* Plausible arguments for most calls, so that they get further. */
static void shape(uint32_t nr, uint64_t *x)
{
    static const uint8_t rights[] = {1, 3, 5};
    if (nr >= SYS_COUNT || below(4) == 0) {
        return;
    }
    for (uint32_t i = 0; i < 2; i++) {
        x[i] = wanted[nr][i] != 0 ? N(wanted[nr][i]) : x[i];
    }
    uint64_t self = below(3);
    switch (nr) {
    case SYS_UNTYPED_RETYPE:
        retype_shape(x);
        break;
    case SYS_STRETCH_CREATE:
        x[2] = below(2) != 0 ? N(P_RANGE) : SLOT_RANGE;
        x[3] = objects_va() + below(2) * STRETCH_BYTES;
        x[4] = below(4) != 0 ? 0 : x[4];
        break;
    case SYS_STRETCH_ATTACH:
    case SYS_STRETCH_DETACH:
        x[1] = self != 0 ? CPTR_SELF_DOMAIN : x[1];
        x[2] = rights[below(3)];
        break;
    case SYS_FRAME_MAP:
    case SYS_FRAME_REMAP:
        x[2] = objects_va() + below(1024) * PAGE_BYTES;
        x[3] = rights[below(3)];
        x[4] = 1 + below(3);
        break;
    case SYS_FRAME_UNMAP:
        x[1] = 1 + below(3);
        break;
    case SYS_FRAME_PROTECT:
        x[1] = rights[below(3)];
        x[2] = 1 + below(3);
        break;
    case SYS_CAP_ROTATE:
        x[2] = N(P_FRAME);
        x[0] = below(2) != 0 ? x[2] : x[0];
        break;
    case SYS_ENDPOINT_BIND:
    case SYS_DISPATCHER_SET_PARENT:
        x[1] = self != 0 ? CPTR_SELF_DISPATCHER : x[1];
        x[2] = below(CHILDREN_MAX);
        break;
    case SYS_DISPATCHER_INSPECT:
        x[1] = below(40);
        break;
    case SYS_EVENT_MINT:
        x[2] = below(70);
        break;
    case SYS_CAP_COPY:
        x[3] = below(2) != 0 ? 0 : x[3];
        x[4] = below(3);
        break;
    default:
        break;
    }
}

static uint32_t pick(void)
{
    uint64_t n = below(SYS_COUNT + 2);
    return n == SYS_COUNT       ? SVC_CALL
           : n == SYS_COUNT + 1 ? SVC_REPLY
                                : (uint32_t)n;
}

static uint32_t errors[ERR_COUNT + 1], done_by[SYS_COUNT];

/* Deleting is rarer than in life, or there would be nothing left to do. */
static bool spares(uint32_t nr)
{
    return (nr == SYS_CAP_DELETE || nr == SYS_CAP_REVOKE) && below(8) != 0;
}

/* One call; what it answers must be an error that there is. */
static bool call_once(void)
{
    struct raw_call r = {.nr = pick()};
    for (uint32_t i = 0; i < 12; i++) {
        r.x[i] = own_value();
    }
    shape(r.nr, r.x);
    if (!harmless(r.nr, r.x) || spares(r.nr)) {
        return true;
    }
    upcall_mask();
    enum probe_end end = probe_svc(&r);
    upcall_unmask();
    if (end != PROBE_RETURNED) {
        return end == PROBE_UPCALL && r.nr == SYS_RUN;
    }
    errors[r.error < ERR_COUNT ? r.error : ERR_COUNT]++;
    if (r.error == ERR_OK && r.nr < SYS_COUNT) {
        done_by[r.nr]++;
    }
    return r.error < ERR_COUNT;
}

static void errors_print(void)
{
    printf("#");
    for (uint32_t i = 0; i < ERR_COUNT; i++) {
        if (errors[i] != 0) {
            printf(" %s %u", abi_error_name(i), errors[i]);
        }
    }
    printf("\n");
}

static void own_test(void)
{
    bool right = true;
    uint32_t kinds = 0;
    for (uint32_t i = 0; i < CALLS && right; i++) {
        if (i % 200 == 0) {
            right = objects_renew();
        }
        right = right && call_once();
    }
    errors_print();
    CHECK(right && errors[ERR_COUNT] == 0,
          "random calls answer with errors that exist");
    for (uint32_t i = 0; i < SYS_COUNT; i++) {
        kinds += done_by[i] != 0;
    }
    printf("# %u kinds\n", kinds);
    CHECK(kinds >= 20, "most kinds of calls succeed now and then");
    CHECK(objects_renew(), "then all can be revoked and made anew");
}

/* ---- children ------------------------------------------------------------ */

/* Anything: slots of the domain's own, itself, and its upcall page too. */
static uint64_t any_value(void)
{
    switch (below(8)) {
    case 0:
        return below(24);
    case 1:
        return 0xfffffffd + below(3);
    case 2:
        return start_self->image + below(start_self->image_bytes);
    default:
        return own_value();
    }
}

static void child_play(void)
{
    for (uint32_t i = 0; i < CALLS_CHILD; i++) {
        struct raw_call r = {.nr = pick()};
        for (uint32_t k = 0; k < 12; k++) {
            r.x[k] = any_value();
        }
        shape(r.nr, r.x);
        if (below(500) == 0) {
            ((volatile uint64_t *)upcall_page)[below(32)] = any_value();
        }
        if (r.nr == SYS_BLOCK) {
            r.x[0] = 0;
        }
        if (!harmless(r.nr, r.x) && below(8) != 0) {
            continue; /* not so soon */
        }
        (void)probe_svc(&r);
    }
    _exit(0);
}

/* True if it ended by itself; else it is killed. */
static bool child_ends(const char *text, uint32_t *killed)
{
    char *argv[] = {"/tests/kernel-random", "child", (char *)text, NULL};
    pid_t child;
    if (posix_spawn(&child, argv[0], NULL, NULL, argv, environ) != 0) {
        return false;
    }
    int status = 0;
    for (int i = 0; i < 40; i++) {
        if (waitpid(child, &status, WNOHANG) == child) {
            return true;
        }
        thread_sleep_until(time_ns() + 50 * MS);
    }
    ++*killed; /* it spins or waits for ever, as it may */
    return kill(child, SIGKILL) == 0 && waitpid(child, &status, 0) == child;
}

static void children_test(void)
{
    uint32_t ended = 0, killed = 0;
    for (uint32_t i = 0; i < CHILDREN; i++) {
        char text[16];
        (void)snprintf(text, sizeof(text), "%u", (unsigned)below(1000000));
        ended += child_ends(text, &killed);
    }
    printf("# %u had to be killed\n", killed);
    CHECK(ended == CHILDREN, "hostile children all end, and the system stays");
}

static void after_test(void)
{
    char *argv[] = {"/bin/hello", NULL};
    pid_t child;
    int status = -1;
    CHECK(posix_spawn(&child, argv[0], NULL, NULL, argv, environ) == 0 &&
              waitpid(child, &status, 0) == child && status == 0,
          "hello runs as ever");
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        seed ^= strtoull(argv[argc - 1], NULL, 0) * 0x9e3779b97f4a7c15ull;
    }
    if (!objects_make()) {
        printf("Bail out! no objects\n");
        return 1;
    }
    probe_init();
    if (argc > 2) {
        child_play();
    }
    own_test();
    children_test();
    after_test();
    return tap_end();
}
