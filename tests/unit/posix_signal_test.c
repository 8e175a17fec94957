/* SPDX-License-Identifier: BSL-1.0 */
/*
 * posix_signal_test.c - when a signal ends the program, when its handler runs,
 * and when it waits. The upcall handler is a plain call of signals_post here.
 */
#include <signal.h>

#include "libos/posix/signal_state.h"
#include "tests/unit/tap.h"

#include <errno.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <vesper/root.h>
#include <vesper/root_call.h>
#include <vesper/signals.h>
#include <vesper/start.h>
#include <vesper/thread.h>

static struct start_info start = {.id = 5};
struct start_info *start_self = &start;

/* ---- what signal.c stands on ---- */

static int main_is_running = 1, other_is_running = 2;
static void *running = &main_is_running;
static jmp_buf end;
static uint64_t ended_with, killed, killed_by;

struct thread *thread_self(void)
{
    return running;
}

int root_call(uint64_t w[8], uint64_t loan)
{
    (void)loan;
    if (w[0] == ROOT_EXIT) {
        ended_with = w[1];
        longjmp(end, 1);
    }
    killed = w[1];
    killed_by = w[2];
    return 0;
}

static uint32_t arrives_while_waiting;

uint64_t event_wait(uint64_t mask, uint64_t until_ns, bool *interrupted)
{
    (void)mask;
    (void)until_ns;
    *interrupted = signals_post(arrives_while_waiting);
    return 0;
}

bool thread_cancelled(void)
{
    return false;
}

static int notified;

void signals_notify(void)
{
    notified++;
}

/* ---- helpers ---- */

static char order[64]; /* what handlers ran, a letter each */

static void note(char c)
{
    size_t used = strlen(order);

    order[used] = c;
    order[used + 1] = '\0';
}

static void handle_int(int number)
{
    note(number == SIGINT ? 'i' : '?');
    errno = 77;
}

static void handle_term(int number)
{
    note(number == SIGTERM ? 't' : '?');
}

/* While it runs, the upcall handler brings the other signal, and its own again.
 */
static void handle_interrupted(int number)
{
    static bool again;

    (void)number;
    note('(');
    if (!again) {
        again = true;
        signals_post(1u << SIGTERM | 1u << SIGUSR1);
        signals_run(); /* as core would, on top of this handler */
    }
    note(')');
}

/* Was that all that ran, in this order? */
static bool ran(const char *expected)
{
    bool good = strcmp(order, expected) == 0;

    if (!good) {
        printf("# ran \"%s\", not \"%s\"\n", order, expected);
    }
    order[0] = '\0';
    return good;
}

/* Does the signal, brought by core, end the program? */
static bool ends(int number)
{
    ended_with = 0;
    if (setjmp(end) == 0) {
        signals_post(1u << number);
        signals_run();
    }
    return ended_with == (uint64_t)number;
}

static void install(int number, _sig_func_ptr handler, int flags)
{
    struct sigaction a = {.sa_handler = handler, .sa_flags = flags};

    sigaction(number, &a, NULL);
}

/* ---- tests ---- */

static void default_test(void)
{
    CHECK(ends(SIGINT) && ends(SIGTERM) && ends(SIGPIPE) && ends(SIGUSR1),
          "a signal at its default ends the program");
    CHECK(!ends(SIGCHLD) && !ends(SIGCONT) && !ends(SIGTSTP) && !ends(SIGWINCH),
          "but for those that are ignored");
    signal(SIGINT, SIG_IGN);
    CHECK(!ends(SIGINT) && !signals_waiting(), "SIG_IGN");
    CHECK(signal(SIGINT, SIG_DFL) == SIG_IGN && ends(SIGINT), "and back");
    CHECK(signal(SIGKILL, SIG_IGN) == SIG_ERR && errno == EINVAL &&
              ends(SIGKILL),
          "SIGKILL cannot be ignored");
    CHECK(signal(0, SIG_IGN) == SIG_ERR && signal(NSIG, SIG_IGN) == SIG_ERR,
          "no such signal");
}

static void handler_test(void)
{
    errno = 1;
    signal(SIGINT, handle_int);
    CHECK(signals_post(1u << SIGINT) && ran(""),
          "in the upcall handler no handler runs");
    signals_run();
    CHECK(ran("i") && errno == 1, "it runs afterwards, and errno is kept");
    signals_run();
    CHECK(ran(""), "once");
    raise(SIGINT);
    CHECK(ran("i"), "raise runs it at once");
    kill(5, SIGINT);
    CHECK(ran("i"), "so does kill of oneself");
    CHECK(kill(9, SIGINT) == 0 && killed == 9 && killed_by == SIGINT,
          "kill of another is the root server's");
    CHECK(kill(9, 0) == 0 && killed_by == 0, "signal 0 only asks");
    CHECK(kill(0, SIGINT) == -1 && errno == ESRCH && kill(9, NSIG) == -1 &&
              errno == EINVAL,
          "no groups, no such signal");
}

static void hold_test(void)
{
    signal(SIGINT, handle_int);
    signal(SIGTERM, handle_term);
    posix_signal_hold();
    posix_signal_hold();
    signals_post(1u << SIGTERM | 1u << SIGINT);
    signals_run();
    CHECK(ran("") && signals_waiting(), "held: handlers wait");
    posix_signal_release();
    CHECK(ran(""), "until the outermost release");
    posix_signal_release();
    CHECK(ran("it") && !signals_waiting(), "then all run");
    running = &other_is_running;
    posix_signal_hold();
    signals_post(1u << SIGINT);
    posix_signal_release();
    signals_run();
    CHECK(ran(""), "on another thread none runs");
    raise(SIGINT);
    CHECK(ran("") && notified == 1, "but it tells the main thread");
    running = &main_is_running;
    posix_signal_hold();
    posix_signal_release();
    CHECK(ran("i"), "the main thread runs it");
    posix_signal_hold();
    signal(SIGTERM, SIG_DFL);
    CHECK(ends(SIGTERM), "a deadly signal does not wait");
    posix_signal_release();
}

static void mask_test(void)
{
    sigset_t set = 1ul << SIGINT | 1ul << SIGTERM, old, waiting;

    signal(SIGINT, handle_int);
    sigprocmask(SIG_BLOCK, &set, NULL);
    CHECK(!signals_post(1u << SIGINT) && !ends(SIGTERM), "blocked: nothing");
    sigpending(&waiting);
    CHECK(waiting == set, "but noted");
    set = 1ul << SIGINT;
    sigprocmask(SIG_UNBLOCK, &set, &old);
    CHECK(ran("i") && old == (1ul << SIGINT | 1ul << SIGTERM),
          "unblocked: the handler runs");
    ended_with = 0;
    set = 0;
    if (setjmp(end) == 0) {
        sigprocmask(SIG_SETMASK, &set, NULL);
    }
    CHECK(ended_with == SIGTERM, "or the program ends");
    CHECK(sigprocmask(99, &set, NULL) == -1 && errno == EINVAL, "bad how");
}

static void nested_test(void)
{
    install(SIGUSR1, handle_interrupted, 0);
    signal(SIGTERM, handle_term);
    raise(SIGUSR1);
    CHECK(ran("(t)()"), "a handler is not interrupted by its own signal");
}

static void flags_test(void)
{
    install(SIGINT, handle_int, SA_RESETHAND);
    raise(SIGINT);
    CHECK(ran("i") && ends(SIGINT), "SA_RESETHAND");
    install(SIGINT, handle_int, SA_RESTART);
    posix_signal_hold();
    signals_post(1u << SIGINT);
    posix_signal_release();
    CHECK(ran("i") && posix_signal_restarts(), "SA_RESTART: calls go on");
    install(SIGTERM, handle_term, 0);
    posix_signal_hold();
    signals_post(1u << SIGINT | 1u << SIGTERM);
    posix_signal_release();
    CHECK(ran("it") && !posix_signal_restarts(), "unless one of them does not");
}

static void wait_test(void)
{
    sigset_t none = 0, both = 1ul << SIGINT | 1ul << SIGTERM, now;

    signal(SIGINT, handle_int);
    arrives_while_waiting = 1u << SIGINT;
    CHECK(pause() == -1 && errno == EINTR && ran("i"), "pause");
    sigprocmask(SIG_BLOCK, &both, NULL);
    raise(SIGINT);
    CHECK(ran(""), "blocked");
    CHECK(sigsuspend(&none) == -1 && errno == EINTR && ran("i"), "sigsuspend");
    sigprocmask(SIG_BLOCK, NULL, &now);
    CHECK(now == both, "restores the mask");
    sigprocmask(SIG_SETMASK, &none, NULL);
}

int main(void)
{
    posix_signal_start();
    default_test();
    handler_test();
    hold_test();
    mask_test();
    nested_test();
    flags_test();
    wait_test();
    return tap_end();
}
