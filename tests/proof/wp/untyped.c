/* SPDX-License-Identifier: BSL-1.0
 *
 * Carving: what find_room() gives ends within the untyped memory, however many
 * objects there are; an offset that was asked for is kept.
 */
#include "core.h"

static struct slot slots[1 << 20];
#define slot_at(ref) (&slots[(ref)])

/*@ assigns \nothing; */
bool cap_derives(const struct slot *a, const struct slot *b);

#include "kernel/core/untyped.c"

/*@ requires \valid(r) && \valid(r->source) && \separated(r, r->source);
    requires r->order <= 43 && 1 <= r->count <= 256;
    assigns r->at, r->watermark, r->cleaned;
    ensures \result == ERR_OK ==>
      r->at + (1 << r->order) * r->count <= (1 << (r->source->order & 63));
    ensures \result == ERR_OK && \old(r->at) != 0 ==> r->at == \old(r->at);
*/
static enum abi_error find_room(struct retype *r);
