/* SPDX-License-Identifier: BSL-1.0
 *
 * What a program calls its variables, for who has an address of another one's:
 * it was lent a buffer. The table of symbols is the loader's, read-only in the
 * program's image, and attached here for as long as it is looked at.
 */
#include "image.h"

#include <errno.h>
#include <string.h>
#include <vesper/symbols.h>

#include "../libos/core/symbol.h"

struct search {
    const struct domain *d;
    uint64_t *w;
};

static const struct domain *owner_of(uint64_t address)
{
    for (uint32_t i = 0; i < DOMAINS_MAX; i++) {
        const struct domain *d = &domains[i];
        if (d->phase == DOMAIN_LIVE &&
            (address - d->block_address) >> BLOCK_LOG2 == 0) {
            return d;
        }
    }
    return NULL;
}

static int search(void *context)
{
    const struct search *s = context;
    const struct domain *d = s->d;
    char name[6 * sizeof(uint64_t)] = {0};
    uint64_t distance = 0;
    const char *found =
        symbol_variable((const struct symbol_table *)(uintptr_t)d->symbols,
                        s->w[1] - d->block_address, &distance);
    if (found == NULL) {
        return ENOENT;
    }
    strncpy(name, found, sizeof(name) - 1);
    s->w[1] = distance;
    memcpy(&s->w[2], name, sizeof(name));
    return 0;
}

int names_variable(uint64_t w[8])
{
    struct search s = {owner_of(w[1]), w};
    if (s.d == NULL) {
        return ESRCH;
    }
    if (s.d->symbols == 0) {
        return ENOENT;
    }
    uint64_t from = s.d->block_address;
    uint64_t place = (s.d->symbols - from) / STRETCH_BYTES;
    cptr_t stretch =
        domain_object(code_of(s.d), OBJECT_STRETCH + (uint32_t)place);
    if (sys_stretch_attach(stretch, CPTR_SELF_DOMAIN, RIGHT_READ) != ERR_OK) {
        return ENOENT;
    }
    int e = guarded(search, &s, from, from + (1ull << BLOCK_LOG2));
    (void)sys_stretch_detach(stretch, CPTR_SELF_DOMAIN);
    return e == EFAULT ? ENOENT : e; /* a table of more than one stretch */
}
