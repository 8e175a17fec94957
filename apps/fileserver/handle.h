/* SPDX-License-Identifier: BSL-1.0
 *
 * Handles: the numbers by which clients name open files. A number belongs to
 * one client, is never 0 and never used again. A grant is a handle that waits
 * for its owner: the domain named, or the next one that the granting domain
 * starts, which takes it by its first use. A grant that can no longer be taken,
 * because that domain has ended, is dropped by handles_update. Rests on the
 * root server giving out domain ids in rising order. Errors are positive errno
 * values.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <vesper/channel.h>

#include "open_file.h"

#define HANDLES_MAX  512u
#define HANDLES_EACH 96u /* of one client, its waiting grants included */

/* Once, before the first: `domain` is the server's own id. It makes the numbers
 * other ones than those of the server that died before this one was started, so
 * that a client's old number never names another file. */
void handles_start(uint32_t domain);

/* Give the client a handle for a reference that the caller holds: the handle
 * has it now. 0, EMFILE (HANDLES_EACH) or ENFILE. */
int handle_create(struct server_client *c, struct open_file *file,
                  uint64_t *number);

/* NULL: not the client's. */
struct open_file *handle_find(struct server_client *c, uint64_t number);

/* EBADF, or what open_release says. */
int handle_close(struct server_client *c, uint64_t number);

/* domain 0: the next one that c's domain starts. EBADF, EMFILE, ENFILE. */
int handle_grant(struct server_client *c, uint64_t number, uint32_t domain,
                 uint64_t *granted);

/* The client's grants so far for the next domain that it starts are this one's.
 */
void handles_granted(const struct server_client *c, uint32_t domain);

/* EBADF: no such grant of the client's waits. */
int handle_ungrant(struct server_client *c, uint64_t number);

/* The client is gone: close its handles. Its grants wait on for their
 * takers. */
void handles_drop(struct server_client *c);

/* Look which domains live and drop grants of the others. To be called now and
 * then while handles_waiting(). */
void handles_update(void);
bool handles_waiting(void);
