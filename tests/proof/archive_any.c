/* SPDX-License-Identifier: BSL-1.0
 *
 * Any bytes, up to ARCHIVE_MAX of them, as a boot archive.
 */
#include <__fc_builtin.h>

#include "rootserver/archive.c"

#if PLANT /* the planted bug: one byte more than there is */
enum { ARCHIVE_MAX = 65536, BYTES_MAX = ARCHIVE_MAX + 1 };
#else
enum { ARCHIVE_MAX = 65536, BYTES_MAX = ARCHIVE_MAX };
#endif

static uint8_t archive[ARCHIVE_MAX];

int main(void)
{
    uint64_t bytes = Frama_C_unsigned_long_interval(0, BYTES_MAX);
    struct archive_fault fault;
    struct archive_entry entry;

    Frama_C_make_unknown((char *)archive, sizeof(archive));
    (void)archive_check(archive, bytes, &fault);
    (void)archive_find(archive, bytes, "drivers/uart", &entry);
    return 0;
}
