/* SPDX-License-Identifier: BSL-1.0 */
/*
 * posix_card.h - the fake services, for posix_fake.c.
 */
#pragma once

#include <stdbool.h>
#include <vesper/channel.h>

/* One request; data: its part of the data area. The errno; v: the values. */
int card_serve(bool console, const struct channel_request *r, void *data,
               uint64_t *v);
/* The server forgets its handles and grants; or everything. */
void card_restart(void);
void card_reset(void);
