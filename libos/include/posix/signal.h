/* SPDX-License-Identifier: BSL-1.0
 *
 * Overlay of picolibc's <signal.h>: the flags of sigaction that Vesper honours
 * and picolibc does not name.
 */
#pragma once

#include_next <signal.h>

#define SA_RESTART   0x10000000 /* interrupted read, write and waitpid go on */
#define SA_NODEFER   0x40000000 /* the handler may interrupt itself */
#define SA_RESETHAND 0x20000000 /* back to SIG_DFL when the handler starts */
