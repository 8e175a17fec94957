/* SPDX-License-Identifier: BSL-1.0
 *
 * Memory: malloc, whole pages, what the system has left.
 */
#include "tour.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vesper/memory.h>
#include <vesper/system.h>

/* doc: malloc */
static char *text_twice(const char *text)
{
    size_t n = strlen(text);
    char *twice = malloc(2 * n + 1);

    if (twice == NULL) {
        return NULL; /* errno is ENOMEM: the quota or the machine is used up */
    }
    memcpy(twice, text, n);
    memcpy(twice + n, text, n + 1);
    return twice;
}
/* end */

/* doc: map */
static uint32_t *table_make(size_t entries)
{
    /* Whole pages, zeroed, for as long as the program runs. */
    return memory_map(entries * sizeof(uint32_t));
}
/* end */

/* doc: usage */
static void memory_print(void)
{
    struct sys_memory m;

    if (sys_memory(&m) == 0) {
        printf("# %llu of %llu KiB are free\n",
               (unsigned long long)m.free_bytes / 1024,
               (unsigned long long)m.total_bytes / 1024);
    }
}
/* end */

static bool map_works(void)
{
    size_t entries = 1u << 20; /* 4 MiB: two stretches */
    uint32_t *table = table_make(entries);

    if (table == NULL || table[0] != 0 || table[entries - 1] != 0) {
        return false;
    }
    table[entries - 1] = 7;
    return table[entries - 1] == 7;
}

void tour_memory(void)
{
    char *twice = text_twice("ab");
    size_t too_much = (size_t)1 << 30;
    void *volatile none = malloc(too_much);

    tour_check(twice != NULL && strcmp(twice, "abab") == 0, "malloc");
    tour_check(none == NULL && errno == ENOMEM, "malloc of 1 GiB is refused");
    free(none);
    free(twice);
    tour_check(map_works(), "memory_map");
    memory_print();
}
