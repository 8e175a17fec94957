/* SPDX-License-Identifier: BSL-1.0 */
/*
 * hostile_test.c - calls to the root server that no libos would make: each is
 * answered with an errno that says what is wrong, costs nothing, and the system
 * lives. Prints TAP.
 */
#include "tests/unit/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <abi/abi.h>
#include <vesper/memory.h>
#include <vesper/root.h>
#include <vesper/root_call.h>
#include <vesper/start.h>
#include <vesper/trace.h>

enum { REPEATS = 100, NOISE_ROUNDS = 1000, LOGS = 400 };

#define STRETCH  0x200000ull
#define SLOT_FAR 100u /* libos has not come so far */

static struct memory_run run; /* where requests are made */
static struct spawn_request *request;

extern char **environ;

static bool answers(int got, int wanted)
{
    if (got != wanted) {
        printf("# answered %d (%s), not %d\n", got, strerror(got), wanted);
    }
    return got == wanted;
}

static int call(uint64_t op, uint64_t a, uint64_t b)
{
    uint64_t w[8] = {op, a, b};

    return root_call(w, 0);
}

static uint64_t used_bytes(void)
{
    uint64_t w[8] = {ROOT_USAGE};

    return root_call(w, 0) == 0 ? w[3] : 0;
}

static uint32_t domain_count(void)
{
    uint32_t n = 0;

    while (call(ROOT_DOMAINS, n, 0) == 0) {
        n++;
    }
    return n;
}

/* ---- spawning ----------------------------------------------------------- */

/* A request that is right, for others to spoil: starts `true`. */
static void request_fill(void)
{
    static const char text[] = "/boot/tools\0true";

    memset(run.address, 0, 65536);
    *request = (struct spawn_request){.magic = SPAWN_MAGIC,
                                      .argc = 1,
                                      .strings = sizeof(*request),
                                      .strings_bytes = sizeof(text),
                                      .cwd = "/"};
    memcpy(request + 1, text, sizeof(text));
}

static int spawn_at(uint64_t at, uint64_t bytes, uint64_t loan)
{
    uint64_t w[8] = {ROOT_SPAWN, at, bytes};
    int error = root_call(w, loan);
    int status;

    if (error == 0 && waitpid((pid_t)w[1], &status, 0) < 0) {
        return ECHILD;
    }
    return error;
}

static uint64_t lent(void)
{
    return LOAN(run.address, RIGHT_READ);
}

static int spawn(void)
{
    return spawn_at((uintptr_t)request, run.bytes, lent());
}

static void spawn_place_test(void)
{
    uint64_t at = (uintptr_t)request;

    request_fill();
    CHECK(answers(spawn(), 0), "a sound request starts a program");
    CHECK(answers(spawn_at(at, run.bytes, 0), EINVAL), "nothing lent");
    uint64_t end = start_self->range_base + start_self->range_bytes;
    CHECK(answers(spawn_at(at, run.bytes, LOAN(end - 1, RIGHT_READ)), EFAULT) &&
              answers(spawn_at(at, run.bytes, lent() | RIGHT_EXEC), EFAULT),
          "what one does not have cannot be lent");
    CHECK(answers(spawn_at(at - 8, 4096, lent()), EINVAL),
          "a request before the stretch");
    CHECK(answers(spawn_at(at + STRETCH, 4096, lent()), EINVAL),
          "one behind it");
    CHECK(answers(spawn_at(at, STRETCH + 8, lent()), EINVAL),
          "one that runs out of it");
    CHECK(answers(spawn_at(at, ~0ull, lent()), EINVAL),
          "one that wraps around");
    CHECK(answers(spawn_at(at + 4, 4096, lent()), EINVAL),
          "one at an odd address");
    CHECK(answers(spawn_at(at, 8, lent()), EINVAL), "one too short");
    CHECK(answers(spawn_at(at + STRETCH - 8192, 4096, lent()), EFAULT),
          "one where no memory is");
}

/* A field of a sound request is spoiled. */
#define SPOILED(error, what, ...)                                              \
    do {                                                                       \
        request_fill();                                                        \
        __VA_ARGS__;                                                           \
        CHECK(answers(spawn(), (error)), what);                                \
    } while (0)

static void spawn_fields_test(void)
{
    SPOILED(EINVAL, "no magic", request->magic++);
    SPOILED(EINVAL, "too many descriptors", request->fd_count = SPAWN_FDS + 1);
    SPOILED(EINVAL, "more arguments than strings", request->argc = 2);
    SPOILED(EINVAL, "arguments that wrap", request->argc = 0xffffffff,
            request->envc = 2);
    SPOILED(EINVAL, "no strings", request->strings_bytes = 0);
    SPOILED(EINVAL, "strings behind the request",
            request->strings = (uint32_t)run.bytes);
    SPOILED(EINVAL, "strings that wrap", request->strings = 0xfffffff0);
    SPOILED(EINVAL, "strings without an end",
            memset(request + 1, 'x', request->strings_bytes));
    SPOILED(EINVAL, "the last string without an end",
            request->strings_bytes -= 1);
    SPOILED(E2BIG, "strings too long", request->strings_bytes = 9000);
    SPOILED(EINVAL, "a program behind the request", request->image = run.bytes,
            request->image_bytes = 8);
    SPOILED(EINVAL, "a program that wraps", request->image = 4096,
            request->image_bytes = ~0ull - 4095);
    SPOILED(ENOEXEC, "a program of zeros", request->image = 4096,
            request->image_bytes = 8192);
    SPOILED(ENOENT, "a program that is not there",
            memcpy(request + 1, "/boot/TOOLS", 11));
    SPOILED(0, "names of services without an end", request->fd_count = 1,
            memset(request->fd[0].service, 'x', 16));
}

/* A real program whose end is in pages that are not there: the root server
 * faults while it copies, with half a domain made. */
static void spawn_fault_test(void)
{
    int fd = open("/bin/hello", O_RDONLY);
    uint64_t begin = run.bytes - 24576, used = 0;
    uint32_t domains = 0;
    int wrong = 0;

    request_fill();
    CHECK(read(fd, (char *)run.address + begin, 24576) == 24576,
          "the start of a program");
    request->image = begin;
    request->image_bytes = (uint64_t)lseek(fd, 0, SEEK_END);
    close(fd);
    for (int i = 0; i <= REPEATS; i++) {
        wrong += spawn_at((uintptr_t)request, STRETCH, lent()) != EFAULT;
        used = i == 0 ? used_bytes() : used;
        domains = i == 0 ? domain_count() : domains;
    }
    CHECK(wrong == 0, "a program with pages missing: EFAULT");
    CHECK(used_bytes() == used && domain_count() == domains,
          "and nothing stays behind");
}

/* Noise in the words of a request; what starts nevertheless has to end. */
static void spawn_noise_test(void)
{
    uint32_t *words = run.address;
    uint32_t domains = domain_count();
    int refused = 0;

    srand(7);
    for (int i = 0; i < NOISE_ROUNDS; i++) {
        request_fill();
        for (int n = rand() % 4; n >= 0; n--) {
            words[(size_t)rand() % (sizeof(*request) / 4)] =
                (uint32_t)rand() >> rand() % 32;
        }
        refused += spawn() != 0;
    }
    CHECK(refused > 0 && domain_count() == domains, "noise does no harm");
}

/* ---- the other calls ----------------------------------------------------- */

static void words_test(void)
{
    CHECK(answers(call(0, 0, 0), ENOSYS), "there is no call 0");
    CHECK(answers(call(~0ull, 0, 0), ENOSYS), "nor the last one");
    CHECK(answers(call(ROOT_WAIT, (uint64_t)-1, 0), ECHILD),
          "nobody waits for no child");
    CHECK(answers(call(ROOT_KILL, 0, SIGKILL), ESRCH), "there is no domain 0");
    CHECK(answers(call(ROOT_KILL, 1ull << 32 | 2, SIGTERM), ESRCH),
          "numbers of domains have 32 bits");
    CHECK(answers(call(ROOT_KILL, (uint64_t)getpid(), 32), EINVAL),
          "signals end at 31");
    CHECK(answers(call(ROOT_DOMAINS, ~0ull, 0), ENOENT), "no last domain");
    CHECK(answers(call(ROOT_LOG, 49, 0), EINVAL), "a text longer than a call");
    CHECK(answers(call(ROOT_ACCEPT, SLOT_FAR, 0), 0) &&
              answers(call(ROOT_CLOSED, 0, 0), 0),
          "no channels for who is no server");
}

static void look_test(void)
{
    CHECK(answers(call(ROOT_LEDGER, ~0ull, 0), ENOENT) &&
              answers(call(ROOT_LEDGER, 1ull << 32, 0), ENOENT) &&
              answers(call(ROOT_CHANNELS, ~0ull, 0), ENOENT) &&
              answers(call(ROOT_SERVICES, ~0ull, 0), ENOENT) &&
              answers(call(ROOT_DECLARED, 1ull << 32, 0), ENOENT),
          "lists have an end");
    CHECK(answers(call(ROOT_CAPS, 1ull << 32, 0), ESRCH) &&
              answers(call(ROOT_CAPS, 1u << 20, 0), ESRCH) &&
              answers(call(ROOT_ORIGIN, 0, 0), ESRCH) &&
              answers(call(ROOT_ORIGIN, ~0ull, 0), ESRCH),
          "capabilities of nobody");
    CHECK(answers(call(ROOT_VARIABLE, 0, 0), ESRCH) &&
              answers(call(ROOT_VARIABLE, ~0ull, 0), ESRCH) &&
              answers(call(ROOT_VARIABLE, (uintptr_t)malloc(8000), 0),
                      ENOENT) &&
              answers(call(ROOT_VARIABLE, (uintptr_t)&environ, 0), 0),
          "variables of nobody, and what is none");
    CHECK(answers(call(ROOT_CAPS, (uint64_t)getpid(), 2ull << 32), EINVAL) &&
              answers(call(ROOT_CAPS, (uint64_t)getpid(), ~0ull), EINVAL) &&
              answers(call(ROOT_CAPS, 0, 1ull << 32), ESRCH) &&
              answers(call(ROOT_CAPS, 0, 1u << 13), EINVAL) &&
              answers(call(ROOT_CAPS, 0, UINT32_MAX), EINVAL) &&
              answers(call(ROOT_CAPS, (uint64_t)getpid(),
                           start_self->slot_count),
                      EINVAL),
          "tables and slots that are not there");
}

static void slots_test(void)
{
    uint64_t w[8] = {ROOT_SLOTS};
    uint64_t slots = start_self->slot_count;
    bool doubles = true;

    while (root_call(w, 0) == 0) {
        slots *= 2;
        doubles &= w[1] == slots;
        w[0] = ROOT_SLOTS;
    }
    CHECK(doubles && slots == 4096 && answers((int)w[0], ENOMEM),
          "nobody gets more than 4,096 slots");
}

static void broker_test(void)
{
    int wrong = 0;

    for (uint64_t slot = 0; slot < 1100; slot++) {
        wrong += call(ROOT_RETURN, slot, 0) != EINVAL;
    }
    CHECK(wrong == 0 && answers(call(ROOT_RETURN, 1ull << 32, 0), EINVAL) &&
              answers(call(ROOT_RETURN, ~0ull, 0), EINVAL),
          "nothing is given back that was not lent");
    CHECK(answers(call(ROOT_CONTRACT, 0, 0), ESRCH) &&
              answers(call(ROOT_CONTRACT, ~0ull, 0), ESRCH) &&
              answers(call(ROOT_RECLAIM, 0, 0), ESRCH) &&
              answers(call(ROOT_RECLAIM, 1ull << 32, 0), ESRCH),
          "contracts of nobody");
    CHECK(answers(call(ROOT_RECLAIM, (uint64_t)getpid(), ~0ull), 0) &&
              answers(call(ROOT_DEMAND, 0, 0), 0),
          "who has nothing lent owes nothing");
}

static void trace_test(void)
{
    CHECK(answers(call(ROOT_TRACE, 4, 0), EINVAL) &&
              answers(call(ROOT_TRACE, ~0ull, 0), EINVAL) &&
              answers(call(ROOT_TRACE, TRACE_READ, ~0ull), ENOENT),
          "traces that there are not");
}

/* Also while the caller lends what is looked at: nobody loses it by that. */
static void threads_test(void)
{
    uint64_t w[8] = {ROOT_THREADS, (uint64_t)getpid()};

    CHECK(answers(call(ROOT_THREADS, 0, 0), ESRCH) &&
              answers(call(ROOT_THREADS, ~0ull, 0), ESRCH) &&
              answers(call(ROOT_THREADS, 1ull << 32, 0), ESRCH) &&
              answers(call(ROOT_THREADS, 0, ~0ull), ESTALE),
          "threads of nobody");
    CHECK(answers(root_call(w, LOAN(start_self->dispatcher, RIGHT_READ)), 0) &&
              answers(call(ROOT_THREADS, 0, w[2] | 63ull << 32), ENOENT) &&
              answers(call(ROOT_THREADS, 0, w[2] | ~0ull << 32), ENOENT),
          "one's own, lent; and past the last");
}

static void memory_test(void)
{
    uint64_t used = used_bytes();
    int wrong = 0;

    CHECK(answers(call(ROOT_MEMORY, 15, SLOT_FAR), EINVAL) &&
              answers(call(ROOT_MEMORY, 19, SLOT_FAR), EINVAL) &&
              answers(call(ROOT_MEMORY, ~0ull, SLOT_FAR), EINVAL),
          "memory comes in three sizes");
    for (int i = 0; i < REPEATS; i++) {
        wrong += call(ROOT_MEMORY, 18, SLOT_ROOT) != EINVAL;
        wrong += call(ROOT_MEMORY, 16, 1u << 20) != EINVAL;
        wrong += call(ROOT_MEMORY, 16, 1ull << 33) != EINVAL;
    }
    CHECK(wrong == 0, "a slot that is in use, or that is none");
    CHECK(used_bytes() == used, "costs no memory");
}

static int connect_ringing(const char *name, uint64_t pages, uint64_t bit,
                           uint64_t slot, uint64_t bell)
{
    uint64_t w[8] = {ROOT_CONNECT, 0, 0, pages, bit, slot, bell};

    memcpy(&w[1], name, strlen(name));
    return root_call(w, 0);
}

static int connect_to(const char *name, uint64_t pages, uint64_t bit,
                      uint64_t slot)
{
    return connect_ringing(name, pages, bit, slot, 0);
}

static void connect_test(void)
{
    uint64_t used;
    int wrong = 0, n = 0;

    CHECK(answers(connect_to("nobody", 2, 60, SLOT_FAR), ENOENT), "no service");
    CHECK(answers(connect_to("block", 2, 60, SLOT_FAR), EACCES),
          "one that the shell may not use");
    CHECK(answers(connect_to("files", 1, 60, SLOT_FAR), EINVAL) &&
              answers(connect_to("files", 57, 60, SLOT_FAR), EINVAL) &&
              answers(connect_to("files", ~0ull, 60, SLOT_FAR), EINVAL),
          "channels too small or too large");
    CHECK(answers(connect_to("files", 2, 64, SLOT_FAR), EINVAL),
          "no such event");
    (void)connect_to("files", 2, 60, SLOT_ROOT);
    used = used_bytes();
    for (int i = 0; i < REPEATS; i++) {
        wrong += connect_to("files", 2, 60, SLOT_ROOT) != EINVAL;
        wrong += connect_to("files", 2, 60, 1ull << 40) != EINVAL;
        wrong += connect_ringing("files", 2, 60, SLOT_FAR, SLOT_ROOT) != EINVAL;
        wrong += connect_ringing("files", 2, 60, SLOT_FAR, SLOT_FAR) != EINVAL;
        wrong +=
            connect_ringing("files", 2, 60, SLOT_FAR, 1ull << 40) != EINVAL;
    }
    CHECK(wrong == 0 && used_bytes() == used,
          "a slot in use, or none, costs no channel");
    while (n < REPEATS &&
           connect_to("files", 2, 60, SLOT_FAR + (uint64_t)n) == 0) {
        n++;
    }
    CHECK(n > 4 && n <= 16 &&
              answers(connect_to("files", 2, 60, SLOT_FAR + (uint64_t)n),
                      EMFILE),
          "nobody gets all the channels");
}

/* More text than the console takes: what has no room is lost, nobody waits. */
static void log_test(void)
{
    uint64_t w[8];
    int wrong = 0;

    fflush(stdout);
    for (int i = 0; i < LOGS; i++) {
        memset(w, '.', sizeof(w));
        w[0] = ROOT_LOG;
        w[1] = 8;
        wrong += root_call(w, 0) != 0;
    }
    w[0] = ROOT_LOG;
    w[1] = 1;
    w[2] = '\n';
    sleep(1);
    wrong += root_call(w, 0) != 0;
    CHECK(wrong == 0, "a flood of text");
}

static pid_t start(const char *file, const char *word, const char *number)
{
    char *argv[] = {(char *)word, (char *)number, NULL};
    pid_t child = -1;

    (void)posix_spawn(&child, file, NULL, NULL, argv, NULL);
    return child;
}

static bool ends(pid_t child)
{
    int status = 0;

    return kill(child, SIGKILL) == 0 && waitpid(child, &status, 0) == child &&
           WTERMSIG(status) == SIGKILL;
}

static uint32_t domains(void)
{
    uint32_t n = 0;

    while (call(ROOT_DOMAINS, n, 0) == 0) {
        n++;
    }
    return n;
}

/* Leaves three behind that have ended, and one that has not. */
static int leave_children(void)
{
    for (int i = 0; i < 4; i++) {
        if (start("/boot/tools", i == 1 ? "sleep" : "true", "1") < 0) {
            return 1;
        }
    }
    (void)usleep(100000);
    return 0;
}

static void children_test(const char *program)
{
    static const uint8_t order[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                       {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    uint32_t before = domains();
    bool good = true;
    int status = -1;

    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        pid_t child[3];
        for (int n = 0; n < 3; n++) {
            child[n] = start("/boot/tools", "sleep", "100");
        }
        for (int n = 0; n < 3; n++) {
            good &= ends(child[order[i][n]]);
        }
    }
    CHECK(good && domains() == before, "children end in any order");
    pid_t parent = start(program, program, "leave");
    CHECK(waitpid(parent, &status, 0) == parent && status == 0 &&
              domains() == before + 1,
          "those that ended go with their parent");
    (void)usleep(1500000);
    CHECK(domains() == before, "and the others when they end");
}

static void life_test(void)
{
    char *argv[] = {"hello", NULL};
    pid_t child;
    int status = -1;

    CHECK(posix_spawn(&child, "/bin/hello", NULL, NULL, argv, NULL) == 0 &&
              waitpid(child, &status, 0) == child && status == 0,
          "the system lives");
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        return leave_children();
    }
    if (memory_run_take(65536, &run) != 0) {
        printf("Bail out! no memory\n");
        return 1;
    }
    request = run.address;
    spawn_place_test();
    spawn_fields_test();
    spawn_fault_test();
    spawn_noise_test();
    words_test();
    look_test();
    broker_test();
    trace_test();
    threads_test();
    memory_test();
    connect_test();
    log_test();
    slots_test();
    children_test(argv[0]);
    life_test();
    return tap_end();
}
