/* SPDX-License-Identifier: BSL-1.0 */
/* The manifest as facts; see authority.h. */
#include "authority.h"

#include <string.h>

static void set_word(struct authority_fact *f, enum fact_kind kind,
                     const struct manifest *m, struct manifest_word word)
{
    f->kind = kind;
    f->line = word.line;
    f->text = manifest_string(m, word);
}

static void set_number(struct authority_fact *f, enum fact_kind kind,
                       uint64_t value, uint64_t bytes,
                       struct manifest_word word)
{
    f->kind = kind;
    f->line = word.line;
    f->value = value;
    f->bytes = bytes;
}

/* The n-th fact of a domain; if it has fewer, n less their number is left. */
static bool domain_fact(const struct manifest *m,
                        const struct manifest_domain *d, uint32_t *n,
                        struct authority_fact *f)
{
    uint32_t i = *n;
    if (i == 0) {
        set_word(f, FACT_DOMAIN, m, d->name);
    } else if (i == 1) {
        set_word(f, FACT_FILE, m, d->file);
    } else if (i == 2) {
        set_number(f, FACT_MEMORY, d->memory_bytes, 0, d->memory);
    } else if ((i -= 3) < d->device_count) {
        const struct manifest_device *device = &d->devices[i];
        set_number(f, FACT_DEVICE, device->base, device->bytes, device->word);
    } else if ((i -= d->device_count) < d->irq_count) {
        set_number(f, FACT_IRQ, d->irqs[i].number, 0, d->irqs[i].word);
    } else if ((i -= d->irq_count) < d->provide_count) {
        set_word(f, FACT_PROVIDES, m, d->provides[i]);
    } else if ((i -= d->provide_count) < d->need_count) {
        set_word(f, FACT_NEEDS, m, d->needs[i].service);
    } else if ((i -= d->need_count) < (d->stdio.service.text != 0)) {
        set_word(f, FACT_STDIO, m, d->stdio.service);
    } else {
        *n = i - (d->stdio.service.text != 0);
        return false;
    }
    return true;
}

bool authority_fact(const struct manifest *manifest, uint32_t index,
                    struct authority_fact *out)
{
    for (uint32_t d = 0; d < manifest->domain_count; d++) {
        *out = (struct authority_fact){.domain = d, .text = ""};
        if (domain_fact(manifest, &manifest->domains[d], &index, out)) {
            return true;
        }
    }
    return false;
}

bool authority_may_connect(const struct manifest *manifest, uint32_t domain,
                           const char *service)
{
    const struct manifest_domain *d = &manifest->domains[domain];
    for (uint32_t i = 0; i < d->need_count; i++) {
        if (strcmp(manifest_string(manifest, d->needs[i].service), service) ==
            0) {
            return true;
        }
    }
    return d->stdio.service.text != 0 &&
           strcmp(manifest_string(manifest, d->stdio.service), service) == 0;
}
