/* SPDX-License-Identifier: BSL-1.0
 *
 * Thread-local storage, local-exec model: TPIDR_EL0 points at 16 bytes of the
 * ABI's own, the variables follow. libos does not use libc's _init_tls: that
 * takes sizes from absolute symbols, which are wrong in a program that is
 * loaded anywhere; differences of addresses are right everywhere.
 */
#include <stddef.h>
#include <string.h>

#include "threads.h"

/* app.ld asserts that no more alignment is needed. */
#define TLS_HEAD_BYTES 16u

/* From app.ld. */
extern const char tls_data_begin[], tls_data_end[];
extern const char tls_zero_end[];
extern char tls_main_begin[];

uint64_t tls_bytes(void)
{
    uint64_t bytes = (uint64_t)(tls_zero_end - tls_data_begin);
    return (TLS_HEAD_BYTES + bytes + 15) & ~15ull;
}

uint64_t tls_init(void *block)
{
    size_t data = (size_t)(tls_data_end - tls_data_begin);
    memset(block, 0, tls_bytes());
    memcpy((char *)block + TLS_HEAD_BYTES, tls_data_begin, data);
    return (uintptr_t)block;
}

void *tls_main_block(void)
{
    return tls_main_begin;
}
