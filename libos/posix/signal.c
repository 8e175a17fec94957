/* SPDX-License-Identifier: BSL-1.0
 *
 * Signals: which handler, which are blocked, which wait. Replaces picolibc's
 * signal() and raise(), which know no other domain and keep a table per thread.
 *
 * A signal comes either through signals_post (core, in the upcall handler,
 * masked) or from a thread of this domain. Its default action happens at once,
 * wherever that is, so that a program that never calls libos ends all the same.
 * A handler runs on the main thread: when the outermost posix_signal_release
 * finds it pending, or when core makes the main thread call signals_run; that
 * of a fault runs at once on the thread that faulted (<vesper/fault.h>).
 *
 * There is no job control: the stop signals and SIGCONT are ignored by default,
 * and SIGCHLD is never sent (waitpid waits by event). signal() does not restart
 * interrupted calls and does not reset the handler.
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <unistd.h>
#include <vesper/root.h>
#include <vesper/root_call.h>
#include <vesper/signals.h>
#include <vesper/start.h>
#include <vesper/thread.h>

#include "result.h"
#include "signal_state.h"

#define BIT(number)  (UINT32_C(1) << (number))
#define NEVER_CAUGHT (BIT(SIGKILL) | BIT(SIGSTOP))
#define IGNORED_BY_DEFAULT                                                     \
    (BIT(SIGCHLD) | BIT(SIGURG) | BIT(SIGWINCH) | BIT(SIGCONT) |               \
     BIT(SIGSTOP) | BIT(SIGTSTP) | BIT(SIGTTIN) | BIT(SIGTTOU))

static struct sigaction action[NSIG]; /* all zero: SIG_DFL */
static uint32_t pending; /* atomic: also the upcall handler writes it */
static uint32_t blocked; /* written by the main thread and sigprocmask */

/* Touched by the main thread only: */
static struct thread *main_thread;
static unsigned held;
static bool restarts;

void posix_signal_start(void)
{
    main_thread = thread_self();
}

static bool on_main(void)
{
    return thread_self() == main_thread;
}

static bool is_signal(int number)
{
    return number > 0 && number < NSIG;
}

static _Noreturn void end_by(int number)
{
    for (;;) {
        uint64_t w[8] = {ROOT_EXIT, (uint64_t)number};

        root_call(w, 0);
    }
}

/* What is to happen to a signal that is not blocked. */
static bool is_ignored(int number)
{
    _sig_func_ptr handler = action[number].sa_handler;

    return handler == SIG_IGN ||
           (handler == SIG_DFL && (IGNORED_BY_DEFAULT & BIT(number)) != 0);
}

static bool is_deadly(int number)
{
    return action[number].sa_handler == SIG_DFL &&
           (IGNORED_BY_DEFAULT & BIT(number)) == 0;
}

/* Note a signal, or let it have its default effect. */
static void post(int number)
{
    if (is_ignored(number)) {
        return;
    }
    if (is_deadly(number) && (blocked & BIT(number)) == 0) {
        end_by(number);
    }
    __atomic_fetch_or(&pending, BIT(number), __ATOMIC_RELAXED);
}

static uint32_t deliverable(void)
{
    return __atomic_load_n(&pending, __ATOMIC_RELAXED) & ~blocked;
}

bool signals_waiting(void)
{
    return deliverable() != 0;
}

bool signals_post(uint32_t came)
{
    for (int number = 1; number < NSIG; number++) {
        if ((came & BIT(number)) != 0) {
            post(number);
        }
    }
    return signals_waiting();
}

/* Run one handler, with its signal and its sa_mask blocked meanwhile. What the
 * handler itself calls says nothing about the call that was interrupted. */
static void handle(int number)
{
    struct sigaction a = action[number];
    uint32_t before = blocked;
    bool restarted = restarts;

    if ((a.sa_flags & SA_RESETHAND) != 0) {
        action[number].sa_handler = SIG_DFL;
    }
    blocked |= (uint32_t)a.sa_mask;
    if ((a.sa_flags & SA_NODEFER) == 0) {
        blocked |= BIT(number);
    }
    a.sa_handler(number);
    blocked = before;
    restarts = restarted && (a.sa_flags & SA_RESTART) != 0;
}

/* Take a pending signal; false: an upcall in between has run its handler. */
static bool take(int number)
{
    uint32_t was = __atomic_fetch_and(&pending, ~BIT(number), __ATOMIC_RELAXED);

    return (was & BIT(number)) != 0;
}

bool signals_run(void)
{
    int saved = errno;
    uint32_t now;

    if (!on_main() || held != 0) {
        return false;
    }
    while ((now = deliverable()) != 0) {
        int number = __builtin_ctz(now);

        if (!take(number)) {
            continue;
        }
        if (is_deadly(number)) {
            end_by(number);
        }
        if (!is_ignored(number)) {
            handle(number);
        }
    }
    errno = saved;
    return true;
}

bool signals_catches(int number)
{
    _sig_func_ptr handler = action[number].sa_handler;

    return handler != SIG_DFL && handler != SIG_IGN &&
           (blocked & BIT(number)) == 0;
}

void signals_caught(int number)
{
    _sig_func_ptr handler = action[number].sa_handler;
    int saved = errno;

    if ((action[number].sa_flags & SA_RESETHAND) != 0) {
        action[number].sa_handler = SIG_DFL;
    }
    handler(number);
    errno = saved;
}

void posix_signal_hold(void)
{
    if (on_main() && held++ == 0) {
        restarts = true;
    }
}

void posix_signal_release(void)
{
    if (on_main() && --held == 0 && signals_waiting()) {
        signals_run();
    }
}

bool posix_signal_restarts(void)
{
    return on_main() && held == 0 && restarts && !thread_cancelled();
}

void posix_signal_cause(int number)
{
    post(number);
    signals_run();
    if (!on_main() && signals_waiting()) {
        signals_notify();
    }
}

int raise(int number)
{
    if (!is_signal(number)) {
        return result(EINVAL);
    }
    posix_signal_cause(number);
    return 0;
}

int kill(pid_t pid, int number)
{
    uint64_t w[8] = {ROOT_KILL, (uint64_t)pid, (uint64_t)number};

    if (number < 0 || number >= NSIG || pid <= 0) {
        return result(pid <= 0 ? ESRCH : EINVAL);
    }
    if ((uint32_t)pid == start_self->id && number != 0) {
        return raise(number);
    }
    return result(root_call(w, 0));
}

int sigaction(int number, const struct sigaction *wanted, struct sigaction *old)
{
    if (!is_signal(number) ||
        (wanted != NULL && (NEVER_CAUGHT & BIT(number)) != 0)) {
        return result(EINVAL);
    }
    if (old != NULL) {
        *old = action[number];
    }
    if (wanted != NULL) {
        /* The handler last: the upcall handler looks at it at any moment. */
        action[number].sa_flags = wanted->sa_flags;
        action[number].sa_mask = wanted->sa_mask & ~(sigset_t)NEVER_CAUGHT;
        __atomic_store_n(&action[number].sa_handler, wanted->sa_handler,
                         __ATOMIC_RELEASE);
    }
    return 0;
}

_sig_func_ptr signal(int number, _sig_func_ptr handler)
{
    struct sigaction wanted = {.sa_handler = handler}, old;

    return sigaction(number, &wanted, &old) == 0 ? old.sa_handler : SIG_ERR;
}

static bool mask_apply(int how, uint32_t set)
{
    switch (how) {
    case SIG_SETMASK:
        blocked = set;
        return true;
    case SIG_BLOCK:
        blocked |= set;
        return true;
    case SIG_UNBLOCK:
        blocked &= ~set;
        return true;
    default:
        return false;
    }
}

int sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
    uint32_t before = blocked;

    if (set != NULL &&
        !mask_apply(how, (uint32_t)*set & ~(uint32_t)NEVER_CAUGHT)) {
        return result(EINVAL);
    }
    if (old != NULL) {
        *old = before;
    }
    signals_run();
    return 0;
}

int sigpending(sigset_t *set)
{
    *set = __atomic_load_n(&pending, __ATOMIC_RELAXED) & blocked;
    return 0;
}

/* A handler runs when the wait is over: one that ran before it would leave it
 * without an end. */
static int wait_for_handler(void)
{
    bool interrupted = false;

    while (!interrupted && !signals_waiting()) {
        event_wait(0, ~UINT64_C(0), &interrupted);
    }
    posix_signal_release();
    return result(EINTR);
}

int sigsuspend(const sigset_t *set)
{
    uint32_t before = blocked;

    posix_signal_hold();
    blocked = (uint32_t)*set & ~(uint32_t)NEVER_CAUGHT;
    wait_for_handler();
    blocked = before;
    signals_run();
    return result(EINTR);
}

int pause(void)
{
    posix_signal_hold();
    return wait_for_handler();
}
