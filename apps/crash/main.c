/* SPDX-License-Identifier: BSL-1.0 */
/*
 * crash: does wrong on purpose, one kind at a time, to show that the system
 * names the fault, ends only this program and goes on.
 */
#include <vesper/thread.h>

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The optimiser must not see that these accesses are wrong. */
static volatile uintptr_t null_address;
static volatile int zero;
static uint32_t data_word = 0xd65f03c0; /* the AArch64 instruction RET */

static void say(const char *text)
{
    printf("crash: %s\n", text);
    fflush(stdout); /* the buffer would die with the program */
}

static int crash_null(const char *argument)
{
    (void)argument;
    say("reading from address 0");
    return *(volatile int *)null_address;
}

static int crash_at(const char *argument)
{
    uintptr_t address =
        argument != NULL ? strtoull(argument, NULL, 0) : null_address;

    printf("crash: reading from address %#llx\n", (unsigned long long)address);
    fflush(stdout);
    return *(volatile int *)address;
}

static int crash_exec(const char *argument)
{
    (void)argument;
    say("calling a data word as a function");
    ((void (*)(void))(uintptr_t)&data_word)();
    say("the data word was executed: data is executable here");
    return 1;
}

__attribute__((noinline)) static int stack_use(volatile char *caller)
{
    volatile char frame[4096];

    frame[0] = *caller;
    frame[sizeof(frame) - 1] = (char)zero;
    /* The addition after the call keeps this from becoming a loop. */
    return zero != 0 ? 0 : stack_use(frame) + frame[0];
}

static int crash_stack(const char *argument)
{
    volatile char start = 0;

    (void)argument;
    say("calling without end until the stack overflows");
    return stack_use(&start);
}

/*
 * An integer division by zero is no fault on Arm: SDIV gives 0. The compiler
 * does promise a trap where it sees one coming, and so does this: a program
 * that checks its divisor and stops by BRK.
 */
static int crash_div(const char *argument)
{
    (void)argument;
    say("dividing by zero: Arm gives 0 without a fault, so this traps "
        "itself");
    if (zero == 0) {
        __builtin_trap();
    }
    return 1 / zero;
}

static int crash_spin(const char *argument)
{
    (void)argument;
    say("running without end (Ctrl-C ends it)");
    while (zero == 0) {
    }
    return 0;
}

static int thread_spin(void *argument)
{
    (void)argument;
    while (zero == 0) {
    }
    return 0;
}

static int crash_threads(const char *argument)
{
    static const char *const names[] = {"spin-1", "spin-2", "spin-3"};

    (void)argument;
    for (int i = 0; i < 3; i++) {
        struct thread *thread;
        int error = thread_create(&thread, thread_spin, NULL, names[i]);

        if (error != 0) {
            printf("crash: thread_create: %s\n", strerror(abs(error)));
            return 1;
        }
    }
    say("leaving with 3 threads running");
    return 0;
}

static int thread_overflow(void *argument)
{
    volatile char start = 0;

    (void)argument;
    return stack_use(&start);
}

static int crash_overflow(const char *argument)
{
    struct thread *thread;

    (void)argument;
    say("overflowing the stack of thread `digger`");
    if (thread_create(&thread, thread_overflow, NULL, "digger") != 0) {
        return 1;
    }
    pause();
    return 1;
}

static int crash_stdin(const char *argument)
{
    char byte;

    (void)argument;
    say("closing stdin and reading from it");
    close(STDIN_FILENO);
    if (read(STDIN_FILENO, &byte, 1) >= 0) {
        say("read did not fail");
        return 1;
    }
    printf("crash: read from the closed stdin: %s\n", strerror(errno));
    return 0;
}

static int crash_abort(const char *argument)
{
    (void)argument;
    say("calling abort()");
    abort();
}

static int crash_exit(const char *argument)
{
    int status = argument != NULL ? atoi(argument) : 1;

    printf("crash: exiting with status %d\n", status);
    return status;
}

static const struct {
    const char *name;
    int (*run)(const char *argument);
} crashes[] = {
    {"null", crash_null},   {"exec", crash_exec},
    {"stack", crash_stack}, {"div", crash_div},
    {"spin", crash_spin},   {"threads", crash_threads},
    {"stdin", crash_stdin}, {"abort", crash_abort},
    {"exit", crash_exit},   {"overflow", crash_overflow},
    {"at", crash_at},
};

int main(int argc, char **argv)
{
    const char *argument = argc > 2 ? argv[2] : NULL;

    for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++) {
        if (argc > 1 && strcmp(argv[1], crashes[i].name) == 0) {
            return crashes[i].run(argument);
        }
    }
    fputs("usage: crash null | exec | stack | div | spin | threads | stdin "
          "| abort | exit [STATUS] | overflow | at ADDRESS\n",
          stderr);
    return 2;
}
