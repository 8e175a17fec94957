/* SPDX-License-Identifier: BSL-1.0
 *
 * Exception classes of ESR_EL1 that EL0 can cause (DDI 0487, D17.2.37).
 */
#include "cause.h"

#include <signal.h>

enum {
    CLASS_UNKNOWN = 0x00,
    CLASS_FP = 0x07,
    CLASS_STATE = 0x0e,
    CLASS_SVC = 0x15,
    CLASS_SYSREG = 0x18,
    CLASS_FETCH = 0x20,
    CLASS_PC = 0x22,
    CLASS_DATA = 0x24,
    CLASS_SP = 0x26,
    CLASS_STEP = 0x32,
    CLASS_BRK = 0x3c,
};

/* Fault status code, ESR bits 5-0. */
static const char *fault_why(uint64_t esr)
{
    switch (esr & 0x3c) {
    case 0x04:
        return "nothing is mapped there";
    case 0x0c:
        return "this domain may not";
    case 0x20:
        return (esr & 0x3f) == 0x21 ? "the address is not aligned"
                                    : "a bus error";
    default:
        return "the access failed";
    }
}

static struct cause memory_cause(uint64_t esr, const char *text)
{
    bool aligned = (esr & 0x3f) != 0x21;
    return (struct cause){text, aligned ? SIGSEGV : SIGBUS, true,
                          fault_why(esr)};
}

struct cause cause_of(uint64_t esr)
{
    switch (esr >> 26 & 0x3f) {
    case CLASS_FETCH:
        return memory_cause(esr, "cannot execute");
    case CLASS_DATA:
        return memory_cause(esr, esr & 1 << 6 ? "cannot write" : "cannot read");
    case CLASS_PC:
        return (struct cause){"branch to an unaligned address", SIGBUS, true,
                              "instructions are 4 bytes"};
    case CLASS_SP:
        return (struct cause){"unaligned stack pointer", SIGBUS, false, 0};
    case CLASS_BRK:
    case CLASS_STEP:
        return (struct cause){"breakpoint or trap", SIGTRAP, false, 0};
    case CLASS_UNKNOWN:
    case CLASS_SYSREG:
    case CLASS_STATE:
        return (struct cause){"undefined instruction", SIGILL, false, 0};
    case CLASS_SVC:
        return (struct cause){"bad system call", SIGSYS, false, 0};
    case CLASS_FP:
        return (struct cause){"floating point is off", SIGILL, false, 0};
    default:
        return (struct cause){"unexpected exception", SIGILL, false, 0};
    }
}
