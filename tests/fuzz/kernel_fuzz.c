/* SPDX-License-Identifier: BSL-1.0
 *
 * libFuzzer: any bytes as the choices of random users of the kernel.
 */
#include "kernel_random.h"

#include <stddef.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *at, *end;

/* Two bytes a choice: enough for all that is chosen among. */
static uint32_t next(void)
{
    uint32_t value = 0;
    for (uint32_t i = 0; i < 2 && at < end; i++) {
        value = value << 8 | *at++;
    }
    return value * 0x10001u;
}

static bool more(void)
{
    return at < end;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    at = data;
    end = data + size;
    random_run(&(struct random_source){next, more, NULL}, 500);
    return 0;
}
