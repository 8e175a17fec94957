/* SPDX-License-Identifier: BSL-1.0
 *
 * The trace on the bare board: the kernel's own start, MMU tables, vectors and
 * console, then trace.c instead of a root server. The machine of the tests
 * (kernel_host.c) keeps its place: what of the kernel's arch has the same name
 * is linked weak. The arguments are text behind the image.
 */
#include <stdio.h>
#include <string.h>

#include "../../kernel/plat/plat.h"
#include "arch.h"
#include "asm.h"
#include "kernel_abi.h"
#include "sysreg.h"

#define ARGS_MAX 8
/* Level 2 entries of the image window for the arrays of kernel_host.c, which
 * the link places at block FIRST (run.py). */
#define FIRST 2u
#define LAST  7u
#define ALIAS 0xffffff8000000000ull /* of all RAM but the image */
#define BLOCK (1ull | 1ull << 2 | 3ull << 8 | 1ull << 10 | 3ull << 53)

extern char __image_end[];
int main(int argc, char **argv);
struct dispatcher *boot(uint64_t first_ticks);

static int put(char c, FILE *file)
{
    char text[2] = {c, 0};
    (void)file;
    kprint(text);
    return (unsigned char)c;
}

static FILE console = FDEV_SETUP_STREAM(put, NULL, NULL, _FDEV_SETUP_WRITE);
FILE *const stdout = &console;

/* There is no abi.toml to compare with. */
void abi_note(uint32_t nr, uint32_t error)
{
    (void)nr;
    (void)error;
}

void abort(void)
{
    plat_power_off();
}

static uint64_t *table_at(uint64_t physical)
{
    return (uint64_t *)((physical & 0xfffffffff000ull) + IMAGE_WINDOW);
}

static void map_arrays(void)
{
    uint64_t *top = table_at(READ_SYSREG(ttbr1_el1));
    uint64_t *window = table_at(top[256]);
    for (uint64_t i = FIRST; i <= LAST; i++) {
        window[i] = i << 21 | BLOCK;
    }
    arch_publish();
}

struct dispatcher *boot(uint64_t first_ticks)
{
    char *argv[ARGS_MAX] = {0};
    int argc = 0;
    (void)first_ticks;
    WRITE_SYSREG(cpacr_el1, CPACR_FP); /* the C library's */
    barrier_isb();
    map_arrays();
    char *text = (char *)(ALIAS + ((uint64_t)__image_end - IMAGE_WINDOW));
    for (char *p = strtok(text, " "); p != NULL && argc < ARGS_MAX;
         p = strtok(NULL, " ")) {
        argv[argc++] = p;
    }
    (void)main(argc, argv);
    plat_power_off();
}
