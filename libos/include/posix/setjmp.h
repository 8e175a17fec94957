/* SPDX-License-Identifier: BSL-1.0 */
/*
 * setjmp.h - that of the C library, and with the signal mask (POSIX.1-2017),
 * which is the program's. For leaving the handler of a fault (<vesper/fault.h>)
 * both do: its signal is not in the mask meanwhile.
 */
#pragma once

#include <signal.h>
#include_next <setjmp.h>

typedef struct {
    jmp_buf __jump;
    sigset_t __mask;
    int __masked; /* __mask is to be restored */
} sigjmp_buf[1];

#define sigsetjmp(env, save)                                                   \
    ((env)->__masked = (save),                                                 \
     (void)sigprocmask(SIG_SETMASK, NULL, &(env)->__mask),                     \
     setjmp((env)->__jump))

static inline _Noreturn void siglongjmp(sigjmp_buf env, int value)
{
    if (env->__masked) {
        (void)sigprocmask(SIG_SETMASK, &env->__mask, NULL);
    }
    longjmp(env->__jump, value);
}
