/* SPDX-License-Identifier: BSL-1.0
 *
 * posix_spawn's attributes. There are no users, process groups and sessions
 * here, and a new program starts with default signals, none blocked; so what
 * could be asked for is so anyway, and the rest (scheduling) is refused with
 * ENOTSUP. On whose time it runs is a choice: the handle holds the flags.
 */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdint.h>
#include <vesper/nested.h>

#include "spawn_request.h"

#define GRANTED                                                                \
    (POSIX_SPAWN_RESETIDS | POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF |    \
     POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_NESTED_NP)

int posix_spawnattr_init(posix_spawnattr_t *attributes)
{
    *attributes = NULL;
    return 0;
}

int posix_spawnattr_destroy(posix_spawnattr_t *attributes)
{
    *attributes = NULL;
    return 0;
}

int posix_spawnattr_setflags(posix_spawnattr_t *attributes, short flags)
{
    if ((flags & ~GRANTED) != 0) {
        return ENOTSUP;
    }
    *attributes = (posix_spawnattr_t)(intptr_t)flags;
    return 0;
}

uint32_t posix_spawn_flags(const posix_spawnattr_t *attributes)
{
    intptr_t flags = attributes == NULL ? 0 : (intptr_t)*attributes;

    return (flags & POSIX_SPAWN_NESTED_NP) != 0 ? SPAWN_NESTED : 0;
}

int posix_spawnattr_setpgroup(posix_spawnattr_t *attributes, pid_t group)
{
    (void)attributes;
    (void)group;
    return 0;
}

int posix_spawnattr_setsigdefault(posix_spawnattr_t *restrict attributes,
                                  const sigset_t *restrict signals)
{
    (void)attributes;
    (void)signals;
    return 0;
}

/* Only the empty mask can be had. */
int posix_spawnattr_setsigmask(posix_spawnattr_t *restrict attributes,
                               const sigset_t *restrict mask)
{
    (void)attributes;
    return *mask == 0 ? 0 : ENOTSUP;
}
