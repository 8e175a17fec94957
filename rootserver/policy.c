/* SPDX-License-Identifier: BSL-1.0 */
/* The rules of a policy against the facts of a manifest; see policy.h. */
#include "policy.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authority.h"

enum { LINE_MAX_BYTES = 256, WORDS_MAX = 40 };

struct check {
    const struct manifest *manifest;
    void (*report)(void *context, const struct policy_fault *fault);
    void *context;
    uint32_t faults, line;
    char *words[WORDS_MAX];
    uint32_t count;
};

/* What a rule is about. */
struct right {
    enum fact_kind kind;
    uint64_t value, bytes;
    const char *text;
};

__attribute__((format(printf, 3, 4))) static void fault(struct check *c,
                                                        uint32_t manifest_line,
                                                        const char *format, ...)
{
    struct policy_fault f = {.line = c->line, .manifest_line = manifest_line};
    va_list list;

    va_start(list, format);
    (void)vsnprintf(f.message, sizeof(f.message), format, list);
    va_end(list);
    c->faults++;
    c->report(c->context, &f);
}

static const char *domain_name(const struct check *c, uint32_t domain)
{
    return manifest_string(c->manifest, c->manifest->domains[domain].name);
}

/* The index of the domain; -1 and a fault if there is none. */
static int domain_find(struct check *c, const char *name)
{
    for (uint32_t i = 0; i < c->manifest->domain_count; i++) {
        if (strcmp(domain_name(c, i), name) == 0) {
            return (int)i;
        }
    }
    fault(c, 0, "the manifest has no domain %s", name);
    return -1;
}

/* ---- only, nobody ------------------------------------------------------ */

static bool read_number(const char *word, uint64_t *out)
{
    char *end;

    if (word[0] < '0' || word[0] > '9') {
        return false;
    }
    *out = strtoull(word, &end, 0);
    return *end == '\0';
}

/* words[at] and on: `holds device N [BYTES]`, `holds irq N`, `needs S`... */
static bool read_right(const struct check *c, uint32_t at, struct right *r)
{
    uint32_t left = c->count - at;
    char *const *w = &c->words[at];

    *r = (struct right){.text = "", .bytes = 1};
    if (left == 2 && strcmp(w[0], "provides") == 0) {
        r->kind = FACT_PROVIDES;
        r->text = w[1];
        return true;
    }
    if (left == 2 && strcmp(w[0], "needs") == 0) {
        r->kind = FACT_NEEDS;
        r->text = w[1];
        return true;
    }
    if (left < 3 || left > 4 || strcmp(w[0], "holds") != 0 ||
        !read_number(w[2], &r->value)) {
        return false;
    }
    if (left == 3 && strcmp(w[1], "irq") == 0) {
        r->kind = FACT_IRQ;
        return true;
    }
    r->kind = FACT_DEVICE;
    r->bytes = 4096;
    return strcmp(w[1], "device") == 0 &&
           (left == 3 || (read_number(w[3], &r->bytes) && r->bytes > 0));
}

static bool is_right(const struct authority_fact *f, const struct right *r)
{
    enum fact_kind kind = f->kind == FACT_STDIO ? FACT_NEEDS : f->kind;

    if (kind != r->kind) {
        return false;
    }
    switch (kind) {
    case FACT_DEVICE: /* do they overlap? */
        return f->value < r->value ? r->value - f->value < f->bytes
                                   : f->value - r->value < r->bytes;
    case FACT_IRQ:
        return f->value == r->value;
    default:
        return strcmp(f->text, r->text) == 0;
    }
}

static void describe(const struct authority_fact *f, char out[80])
{
    unsigned long long value = f->value;

    switch (f->kind) {
    case FACT_DEVICE:
        snprintf(out, 80, "holds device 0x%llx", value);
        break;
    case FACT_IRQ:
        snprintf(out, 80, "holds irq %llu", value);
        break;
    default:
        snprintf(out, 80, "%s %s",
                 f->kind == FACT_PROVIDES ? "provides" : "needs", f->text);
    }
}

/* Names stand in words[1..names]. */
static bool is_named(const struct check *c, uint32_t names, uint32_t domain)
{
    for (uint32_t i = 1; i <= names; i++) {
        if (strcmp(c->words[i], domain_name(c, domain)) == 0) {
            return true;
        }
    }
    return false;
}

static void check_only(struct check *c, uint32_t names)
{
    struct authority_fact f;
    struct right r;

    if (!read_right(c, 1 + names, &r)) {
        fault(c, 0,
              "after the names comes: holds device N, holds irq N, "
              "provides NAME or needs NAME");
        return;
    }
    for (uint32_t i = 1; i <= names; i++) {
        (void)domain_find(c, c->words[i]);
    }
    for (uint32_t i = 0; authority_fact(c->manifest, i, &f); i++) {
        if (is_right(&f, &r) && !is_named(c, names, f.domain)) {
            char what[80];

            describe(&f, what);
            fault(c, f.line, "domain %s %s", domain_name(c, f.domain), what);
        }
    }
}

static uint32_t count_names(const struct check *c)
{
    uint32_t n = 0;

    while (1 + n < c->count && strcmp(c->words[1 + n], "holds") != 0 &&
           strcmp(c->words[1 + n], "provides") != 0 &&
           strcmp(c->words[1 + n], "needs") != 0) {
        n++;
    }
    return n;
}

/* ---- has no, runs ------------------------------------------------------ */

static void check_has_no(struct check *c)
{
    static const struct {
        const char *word;
        enum fact_kind kind;
    } kinds[] = {{"device", FACT_DEVICE},
                 {"irq", FACT_IRQ},
                 {"service", FACT_PROVIDES},
                 {"need", FACT_NEEDS}};
    struct authority_fact f;
    enum fact_kind kind = 0;
    int domain = domain_find(c, c->words[0]);

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        kind = strcmp(kinds[i].word, c->words[3]) == 0 ? kinds[i].kind : kind;
    }
    if (kind == 0) {
        fault(c, 0, "a domain can have no device, irq, service or need, not %s",
              c->words[3]);
    }
    for (uint32_t i = 0; authority_fact(c->manifest, i, &f); i++) {
        if ((int)f.domain == domain &&
            (f.kind == kind || (f.kind == FACT_STDIO && kind == FACT_NEEDS))) {
            char what[80];

            describe(&f, what);
            fault(c, f.line, "domain %s %s", c->words[0], what);
        }
    }
}

static void check_runs(struct check *c)
{
    struct authority_fact f;
    int domain = domain_find(c, c->words[0]);

    for (uint32_t i = 0; authority_fact(c->manifest, i, &f); i++) {
        if ((int)f.domain == domain && f.kind == FACT_FILE &&
            strcmp(f.text, c->words[2]) != 0) {
            fault(c, f.line, "domain %s runs %s", c->words[0], f.text);
        }
    }
}

/* ---- lines ------------------------------------------------------------- */

static void check_words(struct check *c)
{
    if (c->count == 0) {
        return;
    }
    if (strcmp(c->words[0], "only") == 0 && count_names(c) > 0) {
        check_only(c, count_names(c));
    } else if (strcmp(c->words[0], "nobody") == 0 && count_names(c) == 0) {
        check_only(c, 0);
    } else if (c->count == 4 && strcmp(c->words[1], "has") == 0 &&
               strcmp(c->words[2], "no") == 0) {
        check_has_no(c);
    } else if (c->count == 3 && strcmp(c->words[1], "runs") == 0) {
        check_runs(c);
    } else {
        fault(c, 0,
              "a rule is: only NAME... RIGHT, nobody RIGHT, NAME has no "
              "KIND, or NAME runs FILE");
    }
}

static void split(struct check *c, char *line)
{
    char *rest = NULL;

    line[strcspn(line, "#")] = '\0';
    c->count = 0;
    for (char *word = strtok_r(line, " \t\r", &rest); word != NULL;
         word = strtok_r(NULL, " \t\r", &rest)) {
        if (c->count == WORDS_MAX) {
            fault(c, 0, "more than %d words", WORDS_MAX);
            c->count = 0;
            return;
        }
        c->words[c->count++] = word;
    }
}

uint32_t policy_check(const char *text, size_t n,
                      const struct manifest *manifest,
                      void (*report)(void *context,
                                     const struct policy_fault *fault),
                      void *context)
{
    struct check c = {manifest, report, context, 0, 0, {NULL}, 0};
    char line[LINE_MAX_BYTES + 1];

    while (n > 0) {
        const char *end = memchr(text, '\n', n);
        size_t length = end != NULL ? (size_t)(end - text) : n;

        c.line++;
        if (length > LINE_MAX_BYTES || memchr(text, '\0', length) != NULL) {
            fault(&c, 0, "not a line of text of at most %d bytes",
                  LINE_MAX_BYTES);
        } else {
            memcpy(line, text, length);
            line[length] = '\0';
            split(&c, line);
            check_words(&c);
        }
        length += end != NULL;
        text += length;
        n -= length;
    }
    return c.faults;
}
