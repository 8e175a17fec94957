/* SPDX-License-Identifier: BSL-1.0
 *
 * From the first instruction to main: upcalls, the main thread, memory, the
 * constructors, POSIX if the program uses it, arguments.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vesper/root.h>
#include <vesper/root_call.h>
#include <vesper/start.h>

#include "lock.h"
#include "memory.h"
#include "page.h"
#include "slots.h"
#include "threads.h"

struct start_info *start_self;

_Noreturn void start_main(struct start_info *info);

/* posix/ defines it; a program that uses nothing of posix has none. */
__attribute__((weak)) void posix_init(void);

int main(int argc, char **argv, char **envp);

extern char **environ;
extern void (*const __preinit_array_start[])(void);
extern void (*const __preinit_array_end[])(void);
extern void (*const __init_array_start[])(void);
extern void (*const __init_array_end[])(void);

static void constructors_run(void)
{
    size_t n = (size_t)(__preinit_array_end - __preinit_array_start);
    for (size_t i = 0; i < n; i++) {
        __preinit_array_start[i]();
    }
    n = (size_t)(__init_array_end - __init_array_start);
    for (size_t i = 0; i < n; i++) {
        __init_array_start[i]();
    }
}

/* Point `count` pointers at consecutive strings and end them with NULL. */
static char *strings_split(char *text, const char *end, uint32_t count,
                           char **out)
{
    uint32_t n = 0;
    while (n < count && text < end) {
        out[n++] = text;
        text += strlen(text) + 1;
    }
    out[n] = NULL;
    return text;
}

/* On the first stack, whose life is the domain's. */
static _Noreturn void start_call(struct start_info *info)
{
    char **argv = __builtin_alloca((info->argc + 1) * sizeof(char *));
    char **envp = __builtin_alloca((info->envc + 1) * sizeof(char *));
    char *text = (char *)info + info->strings;
    const char *end = text + info->strings_bytes;
    text = strings_split(text, end, info->argc, argv);
    (void)strings_split(text, end, info->envc, envp);
    environ = envp;
    if (posix_init != NULL) {
        posix_init();
    }
    constructors_run();
    exit(main((int)info->argc, argv, envp));
}

_Noreturn void start_main(struct start_info *info)
{
    start_self = info;
    upcall_init((struct upcall_page *)(info->dispatcher + PAGE_BYTES));
    if (info->magic != START_MAGIC || info->abi_version != ABI_VERSION) {
        __builtin_trap(); /* reported as a crash in a critical section */
    }
    lock_keep();
    thread_init(info->stack, info->stack_bytes);
    upcall_unmask();
    slots_add(SLOT_FREE, info->slot_count);
    memory_init(info->range_base, info->range_bytes);
    start_call(info);
}

/* What posix does better, if it is there. */
__attribute__((weak)) void _exit(int status)
{
    uint64_t w[8] = {ROOT_EXIT, (uint64_t)(status & 0xff) << 8};
    (void)root_call(w, 0);
    for (;;) {
        __builtin_trap();
    }
}
