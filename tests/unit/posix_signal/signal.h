/* SPDX-License-Identifier: BSL-1.0 */
/*
 * signal.h - the target's <signal.h> as far as libos/posix/signal.c needs it,
 * for a test on the build machine, whose own has another sigset_t. Functions
 * get other names, so that the machine's libc keeps its own.
 */
#pragma once

#include <sys/types.h>

#define kill        host_kill
#define pause       host_pause
#define raise       host_raise
#define sigaction   host_sigaction
#define signal      host_signal
#define sigpending  host_sigpending
#define sigprocmask host_sigprocmask
#define sigsuspend  host_sigsuspend

typedef void (*_sig_func_ptr)(int);
typedef unsigned long host_sigset;
#define sigset_t host_sigset

struct sigaction {
    _sig_func_ptr sa_handler;
    sigset_t sa_mask;
    int sa_flags;
};

#define SIG_DFL      ((_sig_func_ptr)0)
#define SIG_IGN      ((_sig_func_ptr)1)
#define SIG_ERR      ((_sig_func_ptr)-1)
#define SA_RESTART   0x10000000
#define SA_NODEFER   0x40000000
#define SA_RESETHAND 0x20000000

enum { SIG_SETMASK, SIG_BLOCK, SIG_UNBLOCK };
enum {
    SIGINT = 2,
    SIGKILL = 9,
    SIGPIPE = 13,
    SIGTERM = 15,
    SIGURG,
    SIGSTOP,
    SIGTSTP,
    SIGCONT,
    SIGCHLD,
    SIGTTIN,
    SIGTTOU,
    SIGWINCH = 28,
    SIGUSR1 = 30,
    SIGUSR2,
    NSIG
};

int kill(pid_t pid, int number);
int raise(int number);
int sigaction(int number, const struct sigaction *wanted,
              struct sigaction *old);
_sig_func_ptr signal(int number, _sig_func_ptr handler);
int sigpending(sigset_t *set);
int sigprocmask(int how, const sigset_t *set, sigset_t *old);
int sigsuspend(const sigset_t *set);
