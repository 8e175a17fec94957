/* SPDX-License-Identifier: BSL-1.0
 *
 * Included before all else in what programs and libos are compiled from. A
 * program is linked statically, as a whole: no name of it can be another's, so
 * its variables are reached directly, not through a table of addresses, of
 * which each would have to be relocated when the program starts.
 */
#pragma once

#pragma GCC visibility push(hidden)
