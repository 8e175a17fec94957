/* SPDX-License-Identifier: BSL-1.0
 *
 * Stamps: a number for what is in a file. As long as a file has the same one,
 * its bytes are the same. No number is given twice, nor by another instance of
 * this server.
 */
#pragma once

#include <stdint.h>

/* Once, before the first: `domain` is the server's own id. */
void stamps_start(uint32_t domain);

/* Of the file with that fat_info.id, which nobody has open for writing. */
uint64_t stamp_of(uint64_t id);

/* What is in that file, or in any, may change, or may be another file's. */
void stamp_forget(uint64_t id);
void stamps_forget(void);
