/* SPDX-License-Identifier: BSL-1.0
 *
 * The FAT volume on the card: mounted when first asked for, given up when the
 * card goes away, mounted anew when there is one again. Errors are positive
 * errno values. Context: the server's only thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <fat.h>

/* The volume, mounted now if need be. ENOMEDIUM: no card; EMEDIUMTYPE: no
 * FAT16 or FAT32 on it (the reason is told once on the console); ENOTSUP,
 * EIO, ETIMEDOUT: the card. */
int volume_get(struct fat_volume **out);

/* Changes whenever the volume is given up: files opened before are dead. */
uint32_t volume_generation(void);

/* What became of an operation: turns a result of fat.h (negative: error) into a
 * positive errno or 0, and gives the volume up if the card is gone. */
int volume_result(int64_t result);

/* Bring everything to the card, which is then marked as complete. 0 if nothing
 * is mounted. */
int volume_sync(void);
/* Were there changes since then? If this server, or the power, ends now, the
 * next mount has to read the whole FAT (fat_repair). */
bool volume_in_use(void);
