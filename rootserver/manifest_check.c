/* SPDX-License-Identifier: BSL-1.0 */
/*
 * manifest_check.c - what must hold between the domains of a manifest.
 *
 * manifest.c has checked each line by itself. Here: nothing is given to two
 * domains, each service has one provider, the needs have no cycle. The lists
 * are short (32 domains), so all searches are linear.
 */
#include "manifest_check.h"

#include "manifest_error.h"

#include <stddef.h>
#include <string.h>

enum { NO_DOMAIN = MANIFEST_DOMAINS_MAX };

static const char *domain_name(const struct manifest *m, uint32_t i)
{
    return manifest_string(m, m->domains[i].name);
}

/* ------------------------------------------------------------------ */
/* Nothing is given twice                                             */
/* ------------------------------------------------------------------ */

static int given_twice(const struct manifest *m, const char *what,
                       struct manifest_word word, const uint32_t owners[2],
                       struct manifest_error *error)
{
    if (owners[0] == owners[1]) {
        return manifest_error_set(error, word.line, word.column,
                                  PIECES(what, manifest_string(m, word),
                                         " given twice to \"",
                                         domain_name(m, owners[0]), "\""));
    }
    return manifest_error_set(error, word.line, word.column,
                              PIECES(what, manifest_string(m, word),
                                     " given to both \"",
                                     domain_name(m, owners[0]), "\" and \"",
                                     domain_name(m, owners[1]), "\""));
}

static bool devices_overlap(const struct manifest_device *a,
                            const struct manifest_device *b)
{
    return a->base < b->base + b->bytes && b->base < a->base + a->bytes;
}

/* Compares one domain's devices with those of domain `first`, before it. */
static int devices_check(const struct manifest *m, uint32_t first,
                         uint32_t second, struct manifest_error *error)
{
    const struct manifest_domain *a = &m->domains[first];
    const struct manifest_domain *b = &m->domains[second];
    uint32_t i;
    uint32_t j;

    for (j = 0; j < b->device_count; j++) {
        for (i = 0; i < (first == second ? j : a->device_count); i++) {
            if (devices_overlap(&a->devices[i], &b->devices[j])) {
                return given_twice(m, "device ", b->devices[j].word,
                                   (const uint32_t[]){first, second}, error);
            }
        }
    }
    return 0;
}

static int irqs_check(const struct manifest *m, uint32_t first, uint32_t second,
                      struct manifest_error *error)
{
    const struct manifest_domain *a = &m->domains[first];
    const struct manifest_domain *b = &m->domains[second];
    uint32_t i;
    uint32_t j;

    for (j = 0; j < b->irq_count; j++) {
        for (i = 0; i < (first == second ? j : a->irq_count); i++) {
            if (a->irqs[i].number == b->irqs[j].number) {
                return given_twice(m, "irq ", b->irqs[j].word,
                                   (const uint32_t[]){first, second}, error);
            }
        }
    }
    return 0;
}

static int provided_twice(const struct manifest *m, struct manifest_word word,
                          uint32_t first, uint32_t second,
                          struct manifest_error *error)
{
    const char *service = manifest_string(m, word);

    if (first == second) {
        return manifest_error_set(error, word.line, word.column,
                                  PIECES("service \"", service,
                                         "\" is provided twice by \"",
                                         domain_name(m, first), "\""));
    }
    return manifest_error_set(error, word.line, word.column,
                              PIECES("service \"", service,
                                     "\" is provided by both \"",
                                     domain_name(m, first), "\" and \"",
                                     domain_name(m, second), "\""));
}

static int provides_check(const struct manifest *m, uint32_t first,
                          uint32_t second, struct manifest_error *error)
{
    const struct manifest_domain *a = &m->domains[first];
    const struct manifest_domain *b = &m->domains[second];
    const char *service;
    uint32_t i;
    uint32_t j;

    for (j = 0; j < b->provide_count; j++) {
        service = manifest_string(m, b->provides[j]);
        for (i = 0; i < (first == second ? j : a->provide_count); i++) {
            if (strcmp(manifest_string(m, a->provides[i]), service) == 0) {
                return provided_twice(m, b->provides[j], first, second, error);
            }
        }
    }
    return 0;
}

static int names_check(const struct manifest *m, uint32_t first,
                       uint32_t second, struct manifest_error *error)
{
    struct manifest_word name = m->domains[second].name;

    if (first == second ||
        strcmp(domain_name(m, first), domain_name(m, second)) != 0) {
        return 0;
    }
    manifest_error_set(error, name.line, name.column,
                       PIECES("domain \"", domain_name(m, second),
                              "\" is there twice, first on line "));
    manifest_error_add_number(error, m->domains[first].name.line);
    return -1;
}

static int pairs_check(const struct manifest *m, struct manifest_error *error)
{
    uint32_t first;
    uint32_t second;

    for (second = 0; second < m->domain_count; second++) {
        for (first = 0; first <= second; first++) {
            if (names_check(m, first, second, error) != 0 ||
                devices_check(m, first, second, error) != 0 ||
                irqs_check(m, first, second, error) != 0 ||
                provides_check(m, first, second, error) != 0) {
                return -1;
            }
        }
    }
    return 0;
}

static int pins_check(const struct manifest *m, struct manifest_error *error)
{
    const struct manifest_pins *a;
    const struct manifest_pins *b;

    for (b = m->pins; b < m->pins + m->pins_count; b++) {
        for (a = m->pins; a < b; a++) {
            if (a->first <= b->last && b->first <= a->last) {
                manifest_error_set(error, b->word.line, b->word.column,
                                   PIECES("pins ", manifest_string(m, b->word),
                                          " are set already on line "));
                manifest_error_add_number(error, a->word.line);
                return -1;
            }
        }
    }
    return 0;
}

/* ------------------------------------------------------------------ */
/* Services                                                           */
/* ------------------------------------------------------------------ */

static uint32_t provider_find(const struct manifest *m, const char *service)
{
    const struct manifest_domain *d;
    uint32_t i;
    uint32_t j;

    for (i = 0; i < m->domain_count; i++) {
        d = &m->domains[i];
        for (j = 0; j < d->provide_count; j++) {
            if (strcmp(manifest_string(m, d->provides[j]), service) == 0) {
                return i;
            }
        }
    }
    return NO_DOMAIN;
}

/* Domain `domain` asks for WORD, and there is a problem with that. */
static int unmet(const struct manifest *m, const char *what,
                 struct manifest_word word, const char *problem,
                 uint32_t domain, struct manifest_error *error)
{
    return manifest_error_set(error, word.line, word.column,
                              PIECES(what, manifest_string(m, word), problem,
                                     " (needed by \"", domain_name(m, domain),
                                     "\")"));
}

static int need_resolve(const struct manifest *m, uint32_t domain,
                        struct manifest_need *need,
                        struct manifest_error *error)
{
    uint32_t provider = provider_find(m, manifest_string(m, need->service));

    if (provider == NO_DOMAIN) {
        return unmet(m, "service \"", need->service,
                     "\" is provided by no domain", domain, error);
    }
    need->provider = (uint16_t)provider;
    return 0;
}

static int needs_resolve(struct manifest *m, struct manifest_error *error)
{
    struct manifest_domain *d;
    uint32_t i;
    uint32_t j;

    for (i = 0; i < m->domain_count; i++) {
        d = &m->domains[i];
        for (j = 0; j < d->need_count; j++) {
            if (need_resolve(m, i, &d->needs[j], error) != 0) {
                return -1;
            }
        }
        if (d->stdio.service.text != 0 &&
            need_resolve(m, i, &d->stdio, error) != 0) {
            return -1;
        }
    }
    return 0;
}

/* ------------------------------------------------------------------ */
/* Order                                                              */
/* ------------------------------------------------------------------ */

static bool need_met(const struct manifest_need *need, uint32_t started)
{
    return need->service.text == 0 || (started >> need->provider & 1) != 0;
}

/* The need that domain `i` waits for; if all are met, the last one. */
static const struct manifest_need *need_next(const struct manifest *m,
                                             uint32_t i, uint32_t started)
{
    const struct manifest_domain *d = &m->domains[i];
    uint32_t j;

    for (j = 0; j < d->need_count; j++) {
        if (!need_met(&d->needs[j], started)) {
            return &d->needs[j];
        }
    }
    return &d->stdio;
}

/* The first domain of the text that may start next, or NO_DOMAIN. */
static uint32_t domain_ready(const struct manifest *m, uint32_t started)
{
    uint32_t i;

    for (i = 0; i < m->domain_count; i++) {
        if ((started >> i & 1) == 0 &&
            need_met(need_next(m, i, started), started)) {
            return i;
        }
    }
    return NO_DOMAIN;
}

/*
 * No domain outside `started` can start, so each has a need among them, and
 * following those needs must come back to a domain of the path.
 */
static int cycle_report(const struct manifest *m, uint32_t started,
                        struct manifest_error *error)
{
    const struct manifest_need *need;
    uint32_t seen = 0;
    uint32_t first = 0;
    uint32_t i;

    for (i = m->domain_count; i > 0; i--) {
        first = (started >> (i - 1) & 1) == 0 ? i - 1 : first;
    }
    while ((seen >> first & 1) == 0) {
        seen |= UINT32_C(1) << first;
        first = need_next(m, first, started)->provider;
    }
    need = need_next(m, first, started);
    manifest_error_set(error, need->service.line, need->service.column,
                       PIECES("cycle: ", domain_name(m, first)));
    i = first;
    do {
        i = need_next(m, i, started)->provider;
        manifest_error_add(error, " -> ");
        manifest_error_add(error, domain_name(m, i));
    } while (i != first);
    return -1;
}

int manifest_order(const struct manifest *manifest,
                   uint8_t order[MANIFEST_DOMAINS_MAX],
                   struct manifest_error *error)
{
    uint8_t made[MANIFEST_DOMAINS_MAX] = {0};
    uint32_t started = 0;
    uint32_t n;
    uint32_t next;

    for (n = 0; n < manifest->domain_count; n++) {
        next = domain_ready(manifest, started);
        if (next == NO_DOMAIN) {
            return cycle_report(manifest, started, error);
        }
        made[n] = (uint8_t)next;
        started |= UINT32_C(1) << next;
    }
    memcpy(order, made, n);
    return 0;
}

/* What is promised together must be there; parts are rounded up. */
static int budgets_check(const struct manifest *m, struct manifest_error *error)
{
    uint64_t left_ppm = 1000000;
    uint64_t ppm;
    uint32_t i;

    for (i = 0; i < m->domain_count; i++) {
        const struct manifest_domain *d = &m->domains[i];

        if (d->period_us == 0) {
            continue;
        }
        ppm = ((uint64_t)d->budget_us * 1000000 + d->period_us - 1) /
              d->period_us;
        if (ppm > left_ppm) {
            manifest_error_set(error, d->budget.line, d->budget.column,
                               PIECES("budget of \"", domain_name(m, i),
                                      "\": left of each period are "));
            manifest_error_add_number(error, d->period_us * left_ppm / 1000000);
            manifest_error_add(error, " us");
            return -1;
        }
        left_ppm -= ppm;
    }
    return 0;
}

int manifest_resolve(struct manifest *manifest, struct manifest_error *error)
{
    if (pins_check(manifest, error) != 0 || pairs_check(manifest, error) != 0 ||
        budgets_check(manifest, error) != 0 ||
        needs_resolve(manifest, error) != 0) {
        return -1;
    }
    return manifest_order(manifest, manifest->order, error);
}

/* ------------------------------------------------------------------ */
/* Against the machine                                                */
/* ------------------------------------------------------------------ */

int manifest_check_files(const struct manifest *manifest,
                         bool (*exists)(void *context, const char *name),
                         void *context, struct manifest_error *error)
{
    struct manifest_word file;
    uint32_t i;

    for (i = 0; i < manifest->domain_count; i++) {
        file = manifest->domains[i].file;
        if (!exists(context, manifest_string(manifest, file))) {
            return unmet(manifest, "file \"", file,
                         "\" is not in the boot archive", i, error);
        }
    }
    return 0;
}

int manifest_check_schedule(const struct manifest *manifest,
                            bool (*exists)(void *context, const char *name),
                            void *context, struct manifest_error *error)
{
    struct manifest_word word = manifest->schedule;
    const char *name = manifest_string(manifest, word);

    if (word.text == 0 || exists(context, name)) {
        return 0;
    }
    return manifest_error_set(error, word.line, word.column,
                              PIECES("schedule \"", name, "\" is no policy"));
}

int manifest_check_memory(const struct manifest *manifest,
                          uint64_t available_bytes,
                          struct manifest_error *error)
{
    const struct manifest_domain *d;
    struct manifest_word word;
    uint64_t left = available_bytes;
    uint32_t i;

    for (i = 0; i < manifest->domain_count; i++) {
        d = &manifest->domains[i];
        if (d->memory_bytes > left) {
            word = d->memory.text != 0 ? d->memory : d->name;
            manifest_error_set(error, word.line, word.column,
                               PIECES("memory of \"", domain_name(manifest, i),
                                      "\": it asks for "));
            manifest_error_add_number(error, d->memory_bytes >> 10);
            manifest_error_add(error, "K, left are ");
            manifest_error_add_number(error, left >> 10);
            manifest_error_add(error, "K");
            return -1;
        }
        left -= d->memory_bytes;
    }
    return 0;
}
