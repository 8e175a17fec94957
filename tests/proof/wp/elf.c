/* SPDX-License-Identifier: BSL-1.0
 *
 * A part of a file lies inside it: in whole numbers, which do not wrap.
 */
#include <stdbool.h>
#include <stdint.h>

/*@ assigns \nothing;
    ensures \result <==> offset + bytes <= file_bytes;
*/
static inline bool elf_inside(uint64_t file_bytes, uint64_t offset,
                              uint64_t bytes);

#include "rootserver/elf_format.h"
