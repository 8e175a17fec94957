/* SPDX-License-Identifier: BSL-1.0
 *
 * libFuzzer: any bytes as the choices of random users of the kernel.
 */
#include "kernel_random.h"

#include <stddef.h>

#include "kernel_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One in so many inputs is checked */
#define AT_THE_END    4u
#define AT_EVERY_CALL 64u

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
    uint32_t sum = 0;
    for (size_t i = 0; i < size; i++) {
        sum = sum * 31 + data[i];
    }
    at = data;
    end = data + size;
    bool fast = sum % AT_EVERY_CALL != 0;
    random_run(&(struct random_source){next, more, NULL, fast, true}, 500);
    if (sum % AT_THE_END == 0) {
        check_all();
    }
    return 0;
}
