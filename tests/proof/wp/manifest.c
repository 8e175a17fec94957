/* SPDX-License-Identifier: BSL-1.0
 *
 * Two devices overlap if there is an address that lies in both.
 */
#include "rootserver/manifest.h"

/*@ predicate in(struct manifest_device *d, integer address) =
      d->base <= address < d->base + d->bytes;
*/

/*@ requires \valid_read(a) && \valid_read(b);
    requires a->bytes > 0 && a->base + a->bytes <= UINT64_MAX;
    requires b->bytes > 0 && b->base + b->bytes <= UINT64_MAX;
    assigns \nothing;
    ensures \result ==> in(a, b->base) || in(b, a->base);
    ensures !\result ==> \forall integer x; !(in(a, x) && in(b, x));
*/
static bool devices_overlap(const struct manifest_device *a,
                            const struct manifest_device *b);

#include "rootserver/manifest_check.c"
