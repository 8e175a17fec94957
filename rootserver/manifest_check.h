/* SPDX-License-Identifier: BSL-1.0 */
/*
 * manifest_check.h - what must hold between the domains of a manifest.
 *
 * Private to manifest.c, which calls it when all lines have been read.
 */
#pragma once

#include "manifest.h"

/*
 * manifest_resolve - check a manifest as a whole and make its start order
 * manifest  [in]   all lines read, each good by itself
 *           [out]  providers of all needs, and `order`
 * Returns 0, or -1 and *error: something is given to two domains, a service is
 * missing, or the needs go in a circle.
 */
int manifest_resolve(struct manifest *manifest, struct manifest_error *error);
