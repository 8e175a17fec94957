/* SPDX-License-Identifier: BSL-1.0
 *
 * One entry into the kernel from user mode, or the way back, from every state:
 * any content of RAM, any capabilities, any registers, any answer of hardware.
 * No invariant of the objects is assumed. What is assumed of `struct kernel`:
 * - depth <= CHAIN_MAX: it is asserted again at the end, so it stays true;
 * - the directory lies in RAM as a whole: only the boot sets it.
 */
#include "kernel_machine.h"

#include "kernel/arch/sysreg.h"
#undef READ_SYSREG
#define READ_SYSREG(name) any64()
#undef WRITE_SYSREG
#define WRITE_SYSREG(name, value) ((void)(value))

#include "kernel/arch/trap.c"

static void any_state(void)
{
    Frama_C_make_unknown((char *)ram_host, sizeof(ram_host));
    Frama_C_make_unknown((char *)&kernel, sizeof(kernel));
    kernel.core[0].depth = Frama_C_unsigned_int_interval(0, CHAIN_MAX);
    kernel.directory =
        Frama_C_unsigned_int_interval(0, RAM_CELLS - USER_SLOTS * 4 / 32);
}

int main(void)
{
    any_state();
    struct dispatcher *d = dispatcher_at(any32());
    switch (Frama_C_interval(0, 6)) {
    case 0:
        trap_sync(d);
        break;
    case 1:
        trap_error(d);
        break;
    case 2:
        trap_irq(d);
        break;
    case 3:
        (void)syscall_dispatch(d, any32());
        break;
    case 4:
        d = call_enter_fast(d);
        if (d != NULL) {
            (void)trap_load(d);
        }
        break;
    case 5:
        d = call_reply_fast(d);
        if (d != NULL) {
            (void)trap_load(d);
        }
        break;
    default:
        trap_next();
        break;
    }
    /*@ assert kernel.core[0].depth <= CHAIN_MAX; */
    return 0;
}
