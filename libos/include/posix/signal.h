/* SPDX-License-Identifier: BSL-1.0
 *
 * Overlay of picolibc's <signal.h>: the flags of sigaction that Vesper honours
 * and picolibc does not name; and struct sigevent, of which it has no more than
 * signals need.
 */
#pragma once

#define sigevent __picolibc_sigevent
#include_next <signal.h>
#undef sigevent

#define SA_RESTART   0x10000000 /* interrupted read, write and waitpid go on */
#define SA_NODEFER   0x40000000 /* the handler may interrupt itself */
#define SA_RESETHAND 0x20000000 /* back to SIG_DFL when the handler starts */

#if __POSIX_VISIBLE >= 199309
struct __pthread_attr; /* pthread_attr_t */

struct sigevent {
    int sigev_notify;         /* SIGEV_NONE, SIGEV_SIGNAL, SIGEV_THREAD */
    int sigev_signo;          /* SIGEV_SIGNAL; its value is not passed on */
    union sigval sigev_value; /* for the function */
    void (*sigev_notify_function)(union sigval);
    struct __pthread_attr *sigev_notify_attributes; /* or NULL */
};
#endif
