/* SPDX-License-Identifier: BSL-1.0
 *
 * vesper/cpu.h: the threads of a domain. What a domain says of itself is made
 * printable here.
 */
#include <string.h>
#include <vesper/accounts.h>
#include <vesper/cpu.h>
#include <vesper/root.h>
#include <vesper/root_call.h>

#include "result.h"

_Static_assert(CPU_THREADS_MAX == THREAD_ACCOUNTS, "a row for each account");
_Static_assert(sizeof(((struct cpu_thread *)0)->name) == THREAD_NAME_BYTES + 1,
               "a name and its NUL");

static const char all_ended[THREAD_NAME_BYTES] = "(ended)";

static void name_copy(char *to, const char *from)
{
    memcpy(to, from, THREAD_NAME_BYTES);
    to[THREAD_NAME_BYTES] = '\0';
    for (; *to != '\0'; to++) {
        *to = *to >= ' ' && *to <= '~' ? *to : '?';
    }
}

/* From where the snapshot begins. */
static int rows_read(uint64_t at, struct cpu_thread *rows, size_t *count)
{
    for (*count = 0; *count < CPU_THREADS_MAX; ++*count) {
        uint64_t w[8] = {ROOT_THREADS, 0, at};
        int error = root_call(w, 0);

        if (error != 0) {
            return error == ENOENT ? 0 : error;
        }
        at = w[2];
        rows[*count] = (struct cpu_thread){(uint32_t)w[4], w[3], ""};
        name_copy(rows[*count].name,
                  w[4] != 0 ? (const char *)&w[5] : all_ended);
    }
    return 0;
}

int cpu_threads(uint32_t domain, uint64_t *ticks, struct cpu_thread *rows,
                size_t *count)
{
    int error;

    do { /* again if somebody else took a snapshot meanwhile */
        uint64_t w[8] = {ROOT_THREADS, domain, 0};

        error = root_call(w, 0);
        if (error == 0) {
            *ticks = w[3];
            error = rows_read(w[2], rows, count);
        }
    } while (error == ESTALE);
    return result(error);
}
