/* SPDX-License-Identifier: BSL-1.0
 *
 * Any bytes, up to FILE_MAX of them, as a program file; and other bytes at each
 * step, since who supplies the file may change it.
 */
#include <__fc_builtin.h>

#include "rootserver/elf_format.h"

#if PLANT /* the planted bug: a sum that wraps */
#define elf_copy(file, size, offset, to, bytes)                                \
    ((offset) + (bytes) <= (size) && (elf_take(file, offset, to, bytes), true))
#endif

#include "rootserver/elf.c"

enum { FILE_MAX = 65536, WORDS = 64 };

static uint8_t file[FILE_MAX];
static uint8_t words[8 * WORDS];

static uint8_t *word_at(void *context, uint64_t offset)
{
    (void)context;
    (void)offset;
    Frama_C_make_unknown((char *)file, sizeof(file));
    return Frama_C_interval(0, 1) ? NULL
                                  : &words[8 * Frama_C_interval(0, WORDS - 1)];
}

int main(void)
{
    uint64_t bytes = Frama_C_unsigned_long_interval(0, FILE_MAX);
    struct elf_target target = {Frama_C_unsigned_long_interval(0, UINT64_MAX),
                                word_at, NULL};
    struct elf_plan plan;
    struct elf_fault fault;

    Frama_C_make_unknown((char *)file, sizeof(file));
    if (elf_plan(file, bytes, &plan, &fault) == 0) {
        Frama_C_make_unknown((char *)file, sizeof(file));
        (void)elf_relocate(file, bytes, &plan, &target, &fault);
    }
    return 0;
}
