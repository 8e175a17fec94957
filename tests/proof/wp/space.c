/* SPDX-License-Identifier: BSL-1.0
 *
 * An address that a range gives away lies in it, at a multiple of 2 MiB.
 */
#include "core.h"

/*@ assigns \nothing; */
uint32_t space_entry(uint64_t va);

/*@ requires \valid_read(range);
    assigns \nothing;
    ensures \result == ERR_OK ==>
      (range->obj << PAGE_LOG2) <= va <
      (range->obj << PAGE_LOG2) +
        (1 << ((range->order & 31) + PAGE_LOG2));
    ensures \result == ERR_OK ==> va % (1 << STRETCH_LOG2) == 0;
*/
static enum abi_error check_address(uint64_t va, const struct slot *range);

/*@ assigns \nothing;
    ensures \result == ERR_OK ==>
      rights == RIGHT_READ || rights == (RIGHT_READ | RIGHT_WRITE) ||
      rights == (RIGHT_READ | RIGHT_EXEC);
*/
enum abi_error space_check_rights(uint64_t rights);

#include "kernel/core/space.c"
