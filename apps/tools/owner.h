/* SPDX-License-Identifier: BSL-1.0 */
/* Names of domains and channels, for ledger and caps. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <vesper/system.h>

enum { OWNER_BYTES = 48 };

/* "files[5]", "channel 7", "root": enum ledger_owner and the id with it. */
void owner_name(uint32_t owner, uint32_t id, char out[OWNER_BYTES]);

/* "files[5]"; "root" for 0; "[9]" for a domain that is gone. */
void domain_name(uint32_t id, char out[OWNER_BYTES]);

/* The living domain of that name or id ("root", "0": the root server). */
bool domain_parse(const char *text, uint32_t *id);

/* The living domains, one after the other; *index: 0 to begin with. */
bool domain_next(int *index, struct sys_domain *out);
