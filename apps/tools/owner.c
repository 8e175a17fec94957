/* SPDX-License-Identifier: BSL-1.0 */
/* Names of domains and channels; see owner.h. */
#include "owner.h"
#include "number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vesper/root.h>
#include <vesper/system.h>

enum { DOMAINS_MAX = 128 };

static struct sys_domain *domains; /* not in .bss: all tools would pay */
static int count;

static void domains_read(void)
{
    if (domains == NULL) {
        domains = calloc(DOMAINS_MAX, sizeof(*domains));
    }
    count = domains != NULL ? sys_domains(domains, DOMAINS_MAX) : 0;
}

static const struct sys_domain *find(uint32_t id)
{
    for (int i = 0; i < count; i++) {
        if (domains[i].id == id) {
            return &domains[i];
        }
    }
    return NULL;
}

void domain_name(uint32_t id, char out[OWNER_BYTES])
{
    const struct sys_domain *d = find(id);

    if (id == 0) {
        snprintf(out, OWNER_BYTES, "root");
        return;
    }
    if (d == NULL) {
        domains_read();
        d = find(id);
    }
    snprintf(out, OWNER_BYTES, "%.*s[%u]", d != NULL ? (int)sizeof(d->name) : 0,
             d != NULL ? d->name : "", (unsigned)id);
}

void owner_name(uint32_t owner, uint32_t id, char out[OWNER_BYTES])
{
    switch (owner) {
    case LEDGER_DOMAIN:
        domain_name(id, out);
        break;
    case LEDGER_CHANNEL:
        snprintf(out, OWNER_BYTES, "channel %u", (unsigned)id);
        break;
    case LEDGER_ROOT:
        domain_name(0, out);
        break;
    default:
        snprintf(out, OWNER_BYTES, "-");
    }
}

bool domain_parse(const char *text, uint32_t *id)
{
    long long number;
    bool numeric = number_parse(text, &number);

    domains_read();
    if (strcmp(text, "root") == 0 || (numeric && number == 0)) {
        *id = 0;
        return true;
    }
    for (int i = 0; i < count; i++) {
        const struct sys_domain *d = &domains[i];

        if (d->state != SYS_ZOMBIE &&
            (numeric ? d->id == number
                     : strncmp(d->name, text, sizeof(d->name)) == 0)) {
            *id = d->id;
            return true;
        }
    }
    return false;
}

bool domain_next(int *index, struct sys_domain *out)
{
    if (*index == 0) {
        domains_read();
    }
    while (*index < count) {
        *out = domains[(*index)++];
        if (out->state != SYS_ZOMBIE) {
            return true;
        }
    }
    return false;
}
