/* SPDX-License-Identifier: BSL-1.0 */
/*
 * fault_test.c - a program's own handlers of faults: they mend, they leave by
 * siglongjmp, on any thread and at any depth of its stack; and what ends the
 * program all the same. Prints TAP. Started with a word, it is one of those.
 */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "tests/unit/tap.h"

#include <alloca.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vesper/fault.h>
#include <vesper/policy.h>
#include <vesper/start.h>

#define PAGE 4096u

static sigjmp_buf out;
static char *shut; /* a page that nobody may access */
static struct fault_info seen;
static pthread_t seen_on;
static volatile unsigned came;

static void catch_with(int number, void (*handler)(int), int flags)
{
    struct sigaction a = {.sa_handler = handler, .sa_flags = flags};
    (void)sigaction(number, &a, NULL);
}

static void note(int number)
{
    came += number == fault_info()->signal;
    seen = *fault_info();
    seen_on = pthread_self();
}

static void mend(int number)
{
    note(number);
    (void)mprotect(shut, PAGE, PROT_READ | PROT_WRITE);
}

static void leave(int number)
{
    note(number);
    siglongjmp(out, number);
}

static void shut_page(void)
{
    (void)mprotect(shut, PAGE, PROT_NONE);
    came = 0;
}

/* ---- what a handler can do ---------------------------------------------- */

static void test_mending(void)
{
    catch_with(SIGSEGV, mend, 0);
    shut[8] = 7;
    shut_page();
    CHECK(*(volatile char *)(shut + 8) == 7 && came == 1,
          "a handler returns: the access is tried again");
    CHECK(seen.address == shut + 8 && !seen.write && seen.signal == SIGSEGV,
          "it is told where, and that it was a read");
    shut_page();
    *(volatile char *)(shut + 9) = 1;
    CHECK(came == 1 && seen.address == shut + 9 && seen.write, "or a write");
}

/* Sets registers, faults, and counts those that changed. */
static uint64_t registers_lost(const void *at)
{
    uint64_t lost;
    __asm__ volatile("mov x9, #9\n\tmov x19, #19\n\tfmov d0, x9\n\t"
                     "fmov d8, x19\n\tdup v31.2d, x9\n\tcmp x9, #9\n\t"
                     "ldr x10, [%1]\n\t"
                     "cset %0, ne\n\t"
                     "sub x9, x9, #9\n\torr %0, %0, x9\n\t"
                     "sub x19, x19, #19\n\torr %0, %0, x19\n\t"
                     "fmov x9, d0\n\tsub x9, x9, #9\n\torr %0, %0, x9\n\t"
                     "fmov x9, d8\n\tsub x9, x9, #19\n\torr %0, %0, x9\n\t"
                     "mov x9, v31.d[1]\n\tsub x9, x9, #9\n\torr %0, %0, x9"
                     : "=&r"(lost)
                     : "r"(at)
                     : "x9", "x10", "x19", "d0", "d8", "v31", "cc", "memory");
    return lost;
}

static void mend_and_spoil(int number)
{
    __asm__ volatile("movi v0.2d, #0\n\tmovi v31.2d, #0\n\tcmp sp, #1" ::
                         : "v0", "v31", "cc");
    mend(number);
}

static void test_registers(void)
{
    catch_with(SIGSEGV, mend_and_spoil, 0);
    shut_page();
    CHECK(registers_lost(shut) == 0 && came == 1,
          "all registers are as they were");
}

static __attribute__((noinline)) void fault_deeper(unsigned bytes)
{
    volatile char *room = alloca(bytes);
    room[0] = *(volatile char *)shut;
}

static void test_leaving(void)
{
    catch_with(SIGSEGV, leave, 0);
    shut_page();
    for (volatile unsigned i = 0; i < 200; i++) {
        if (sigsetjmp(out, 1) == 0) {
            fault_deeper((i * 7919) % 8192 + 16);
        }
    }
    CHECK(came == 200, "a handler leaves by siglongjmp, at any depth, again");
    came = 0;
    catch_with(SIGILL, leave, 0);
    if (sigsetjmp(out, 1) == 0) {
        __asm__ volatile("udf #0");
    }
    CHECK(came == 1 && seen.signal == SIGILL && seen.address == NULL,
          "an undefined instruction is SIGILL");
    catch_with(SIGBUS, leave, 0);
    if (sigsetjmp(out, 1) == 0) {
        __asm__ volatile("ldxr x9, [%0]" ::"r"(&came + 1) : "x9");
        __asm__ volatile("ldxr x9, [%0]" ::"r"((char *)&came + 1) : "x9");
    }
    CHECK(came == 2 && seen.signal == SIGBUS, "a misaligned access is SIGBUS");
}

#define THREADS 128u
static sem_t faulted, go;

static void *fault_on_thread(void *bytes)
{
    fault_deeper((unsigned)(uintptr_t)bytes);
    (void)sem_post(&faulted);
    (void)sem_wait(&go);
    return NULL;
}

/* A thread's stack is mapped on touch: the frame may need a page that is not
 * there, at any distance. All threads live until the end, so each stack is a
 * new one. */
static void test_threads(void)
{
    static pthread_t thread[THREADS];
    unsigned n = 0;
    bool good = sem_init(&faulted, 0, 0) == 0 && sem_init(&go, 0, 0) == 0;
    catch_with(SIGSEGV, mend, 0);
    for (; n < THREADS && good; n++) {
        shut_page();
        good = pthread_create(&thread[n], NULL, fault_on_thread,
                              (void *)(uintptr_t)(16 + 64 * n)) == 0 &&
               sem_wait(&faulted) == 0 && came == 1 &&
               pthread_equal(seen_on, thread[n]);
    }
    CHECK(good, "it runs on the thread that faulted, wherever its stack ends");
    for (unsigned i = 0; i < n; i++) {
        (void)sem_post(&go);
    }
    for (unsigned i = 0; i < n; i++) {
        (void)pthread_join(thread[i], NULL);
    }
}

static void other(int number)
{
    came += number == SIGUSR1;
}

static void test_after_it(void)
{
    came = 0;
    catch_with(SIGUSR1, other, 0);
    (void)kill(getpid(), SIGUSR1);
    CHECK(came == 1, "other signals come as before");
}

/* ---- what ends the program all the same --------------------------------- */

static void fault_again(int number)
{
    if (came++ == 1 || number != SIGSEGV) {
        _exit(3); /* it was let in again */
    }
    shut[1] = 1;
}

static void come_back(int number)
{
    (void)number; /* nothing is mended */
}

POLICY_CODE static unsigned overflow(unsigned n)
{
    volatile char frame[1000];
    frame[0] = (char)n;
    return came != 0 ? n : overflow(n + 1) + (unsigned char)frame[0];
}

/* In the upcall handler, which takes in a thread whose sleep is over. */
static enum { HANDLER_WORKS, HANDLER_FAULTS, HANDLER_OVERFLOWS } handler;

POLICY_CODE void __real_policy_put(struct runnable *r, enum policy_why why);
POLICY_CODE void __wrap_policy_put(struct runnable *r, enum policy_why why);
POLICY_CODE void __wrap_policy_put(struct runnable *r, enum policy_why why)
{
    uint64_t below = (uintptr_t)start_self - (uintptr_t)&r;
    if (handler == HANDLER_FAULTS && below < START_UPCALL_BYTES) {
        shut[0] = 1;
    } else if (handler == HANDLER_OVERFLOWS && below < START_UPCALL_BYTES) {
        (void)overflow(0);
    }
    __real_policy_put(r, why);
}

static int play_handler(const char *what)
{
    if (strcmp(what, "guard") == 0) {
        return *((volatile char *)start_self - START_UPCALL_BYTES - 1);
    }
    handler = strcmp(what, "handler") == 0 ? HANDLER_FAULTS : HANDLER_OVERFLOWS;
    (void)usleep(100000); /* long: it must not be over before we are idle */
    return 0;
}

static int play(const char *what)
{
    sigset_t set;
    catch_with(SIGSEGV, leave, 0);
    if (strcmp(what, "twice") == 0) {
        catch_with(SIGSEGV, fault_again, 0);
    } else if (strcmp(what, "reset") == 0) {
        catch_with(SIGSEGV, come_back, SA_RESETHAND);
    } else if (strcmp(what, "blocked") == 0) {
        (void)sigemptyset(&set);
        (void)sigaddset(&set, SIGSEGV);
        (void)sigprocmask(SIG_BLOCK, &set, NULL);
    } else if (strcmp(what, "ignored") == 0) {
        catch_with(SIGSEGV, SIG_IGN, 0);
    } else if (strcmp(what, "default") == 0) {
        catch_with(SIGSEGV, SIG_DFL, 0);
    } else if (strcmp(what, "overflow") != 0) {
        catch_with(SIGSEGV, SIG_DFL, 0);
        return play_handler(what);
    } else if (sigsetjmp(out, 1) == 0) {
        return (int)overflow(0);
    }
    if (sigsetjmp(out, 1) == 0) {
        shut[0] = 1;
    }
    return 0;
}

static void test_ends(const char *program)
{
    static const char *const ways[][2] = {
        {"twice", "a fault in the handler ends the program"},
        {"reset", "with SA_RESETHAND, the second one does"},
        {"blocked", "so does one that is blocked"},
        {"ignored", "one that is ignored"},
        {"default", "one without a handler"},
        {"overflow", "and one without stack for the handler"},
        {"guard", "and what lies below the stack of upcalls"},
        {"handler", "and a fault in the upcall handler"},
        {"deep", "and one that needs more stack than it has"},
    };
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        char *argv[] = {(char *)program, (char *)ways[i][0], NULL};
        pid_t child;
        int status = 0;
        bool good = posix_spawn(&child, program, NULL, NULL, argv, NULL) == 0 &&
                    waitpid(child, &status, 0) == child &&
                    WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
        CHECK(good, ways[i][1]);
    }
}

int main(int argc, char **argv)
{
    shut = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                -1, 0);
    if (shut == MAP_FAILED) {
        return 1;
    }
    if (argc > 1) {
        shut_page();
        return play(argv[1]);
    }
    test_mending();
    test_registers();
    test_leaving();
    test_threads();
    test_after_it();
    test_ends(argv[0]);
    return tap_end();
}
