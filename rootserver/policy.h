/* SPDX-License-Identifier: BSL-1.0 */
/*
 * policy.h - rules that a manifest must keep, checked when the system is built.
 *
 * Why: a manifest says who has what, and anybody who edits it can give the SD
 * controller to the shell. The policy says what must stay true whatever else
 * changes; a broken rule names its own line and the line that breaks it.
 *
 * One rule a line, words split by blanks, `#` before a comment:
 *
 *     only sd holds device 0x3f202000     the 4096 bytes there, or [BYTES]
 *     only sd holds irq 56
 *     only uart timer provides console    one of several
 *     only files needs block              `stdio` is a need too
 *     nobody holds device 0x3f100000      the same, for no domain at all
 *     shell has no device                 or: irq, service, need
 *     sd runs drivers/sd                  the name stands for that program
 *
 * A domain that the manifest does not have is a mistake in the rule.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "manifest.h"

struct policy_fault {
    uint32_t line;          /* of the policy */
    uint32_t manifest_line; /* that breaks the rule; 0: the rule is wrong */
    char message[192];
};

/*
 * policy_check - does the manifest keep all rules?
 * text    [in]  n bytes, of any content
 * report  [in]  called for each fault, in the order of the rules
 * Returns the number of faults; those of rules that cannot be read count too.
 */
uint32_t policy_check(const char *text, size_t n,
                      const struct manifest *manifest,
                      void (*report)(void *context,
                                     const struct policy_fault *fault),
                      void *context);
