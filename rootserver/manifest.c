/* SPDX-License-Identifier: BSL-1.0 */
/*
 * manifest.c - read the system manifest: one function for each key.
 *
 * The text is cut into lines and words (manifest_line.c), a table finds the
 * function of a key, and what concerns several domains is checked at the end
 * (manifest_check.c).
 */
#include "manifest.h"

#include "manifest_check.h"
#include "manifest_error.h"
#include "manifest_line.h"

#include <string.h>

enum {
    DEFAULT_MEMORY_BYTES = 1048576,
    DEFAULT_PRIORITY = 100,
    DEFAULT_WEIGHT = 100,
    PAGE_BYTES = 4096,
};

/* The last second of the year 9999: what a calendar can still print. */
#define EPOCH_LAST UINT64_C(253402300799)

struct parse {
    struct manifest *out;
    struct manifest_error *error;
    struct manifest_domain *domain; /* the last; none if none is counted */
    uint32_t keys_seen;             /* bit i: keys[i], in this block */
    struct line line;
};

struct key {
    const char *name;
    int (*read)(struct parse *p);
    uint8_t values_min;
    uint8_t values_max;
    bool of_domain; /* belongs into a domain */
    bool once;      /* in the text, or in the domain */
};

/* ---- words --------------------------------------------------------- */

/* Fails at word i of the line. */
static int fail(const struct parse *p, uint32_t i, const char *const pieces[])
{
    return manifest_error_set(p->error, p->line.number, p->line.words[i].column,
                              pieces);
}

static const char *word_text(const struct parse *p, uint32_t i)
{
    return p->line.buffer + p->line.words[i].begin;
}

/* Fails at value i: PROBLEM, the key, and the value itself. */
static int fail_value(const struct parse *p, uint32_t i, const char *problem)
{
    return fail(p, i,
                PIECES(word_text(p, 0), " \"", word_text(p, i), "\" ",
                       problem));
}

/* Fails at value i, which is one too many for its list. */
static int fail_list(const struct parse *p, uint32_t i, const char *limit)
{
    return fail(p, i,
                PIECES("domain \"", manifest_string(p->out, p->domain->name),
                       "\" has more than ", limit, " of \"", word_text(p, 0),
                       "\""));
}

/* Keeps word i of the line, with its place, in the manifest. */
static int word_keep(const struct parse *p, uint32_t i,
                     struct manifest_word *word)
{
    struct manifest *m = p->out;
    const char *buffer = p->line.buffer;
    uint32_t from = p->line.words[i].begin;
    uint32_t to = m->strings_bytes;

    while (to < MANIFEST_STRINGS_MAX_BYTES && from < MANIFEST_LINE_MAX_BYTES &&
           buffer[from] != '\0') {
        m->strings[to++] = buffer[from++];
    }
    if (to == MANIFEST_STRINGS_MAX_BYTES) {
        return fail(p, i,
                    PIECES("manifest is too big: its words exceed "
                           "16384 bytes"));
    }
    word->text = (uint16_t)m->strings_bytes;
    word->line = p->line.number;
    word->column = p->line.words[i].column;
    m->strings_bytes = to + 1; /* behind a byte that is NUL already */
    return 0;
}

/* Keeps word i, which must be the name of a domain or a service. */
static int name_keep(const struct parse *p, uint32_t i,
                     struct manifest_word *word)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
    const char *text = word_text(p, i);
    size_t n = strlen(text);

    if (n == 0 || n > MANIFEST_NAME_MAX_BYTES) {
        return fail_value(p, i, "is not 1 to 31 characters long");
    }
    if (strspn(text, allowed) != n) {
        return fail_value(p, i, "has characters other than a-z 0-9 _ -");
    }
    return word_keep(p, i, word);
}

/* Reads word i, which must be all number, min..max. */
static int number_take(const struct parse *p, uint32_t i, uint64_t min,
                       uint64_t max, uint64_t *number)
{
    const char *end = number_read(word_text(p, i), UINT64_MAX, number);

    if (end == NULL || *end != '\0') {
        return fail_value(p, i, "is not a number");
    }
    if (*number < min || *number > max) {
        fail_value(p, i, "is out of range ");
        manifest_error_add_number(p->error, min);
        manifest_error_add(p->error, "..");
        manifest_error_add_number(p->error, max);
        return -1;
    }
    return 0;
}

/* ------------------------------------------------------------------ */
/* Keys of the system                                                 */
/* ------------------------------------------------------------------ */

static int epoch_read(struct parse *p)
{
    return number_take(p, 1, 0, EPOCH_LAST, &p->out->epoch_seconds);
}

static int schedule_read(struct parse *p)
{
    return word_keep(p, 1, &p->out->schedule);
}

static int pin_function(const char *name, uint8_t *function)
{
    static const char *const names[] = {
        [MANIFEST_PIN_INPUT] = "input", [MANIFEST_PIN_OUTPUT] = "output",
        [MANIFEST_PIN_ALT0] = "alt0",   [MANIFEST_PIN_ALT1] = "alt1",
        [MANIFEST_PIN_ALT2] = "alt2",   [MANIFEST_PIN_ALT3] = "alt3",
        [MANIFEST_PIN_ALT4] = "alt4",   [MANIFEST_PIN_ALT5] = "alt5",
    };
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i], name) == 0) {
            *function = (uint8_t)i;
            return 0;
        }
    }
    return -1;
}

/* FIRST-LAST or just one. */
static int pins_range(const struct parse *p, struct manifest_pins *pins)
{
    uint64_t first = 0;
    uint64_t last;
    const char *end = number_read(word_text(p, 1), MANIFEST_PIN_LAST, &first);

    last = first;
    if (end != NULL && *end == '-') {
        end = number_read(end + 1, MANIFEST_PIN_LAST, &last);
    }
    if (end == NULL || *end != '\0' || first > last) {
        return fail_value(p, 1, "is not FIRST-LAST within 0..53");
    }
    pins->first = (uint8_t)first;
    pins->last = (uint8_t)last;
    return 0;
}

static int pins_read(struct parse *p)
{
    uint32_t n = p->out->pins_count;
    struct manifest_pins *pins;

    if (n >= MANIFEST_PINS_MAX) {
        return fail(p, 0, PIECES("more than 16 lines of \"pins\""));
    }
    pins = &p->out->pins[n];
    if (pins_range(p, pins) != 0) {
        return -1;
    }
    if (pin_function(word_text(p, 2), &pins->function) != 0) {
        return fail_value(p, 2, "is none of input output alt0..alt5");
    }
    p->out->pins_count = n + 1;
    return word_keep(p, 1, &pins->word);
}

/* ------------------------------------------------------------------ */
/* Keys of a domain                                                   */
/* ------------------------------------------------------------------ */

static int file_read(struct parse *p)
{
    if (word_text(p, 1)[0] == '\0') {
        return fail_value(p, 1, "is empty");
    }
    return word_keep(p, 1, &p->domain->file);
}

static int device_read(struct parse *p)
{
    struct manifest_domain *d = p->domain;
    uint8_t n = d->device_count;
    struct manifest_device *device;

    if (n >= MANIFEST_DEVICES_MAX) {
        return fail_list(p, 1, "4");
    }
    device = &d->devices[n];
    if (number_take(p, 1, 0, UINT64_MAX, &device->base) != 0 ||
        number_take(p, 2, 0, UINT64_MAX, &device->bytes) != 0) {
        return -1;
    }
    if (device->base % PAGE_BYTES != 0) {
        return fail_value(p, 1, "is no multiple of 4096");
    }
    if (device->bytes % PAGE_BYTES != 0 || device->bytes == 0) {
        return fail_value(p, 2, "is not 4096 bytes or a multiple");
    }
    if (device->bytes > UINT64_MAX - device->base) {
        return fail_value(p, 2, "ends past the last address");
    }
    d->device_count = n + 1;
    return word_keep(p, 1, &device->word);
}

static int irq_read(struct parse *p)
{
    struct manifest_domain *d = p->domain;
    uint8_t n = d->irq_count;
    uint64_t number;

    if (n >= MANIFEST_IRQS_MAX) {
        return fail_list(p, 1, "4");
    }
    if (number_take(p, 1, 0, MANIFEST_IRQ_LAST, &number) != 0) {
        return -1;
    }
    d->irq_count = n + 1;
    d->irqs[n].number = (uint32_t)number;
    return word_keep(p, 1, &d->irqs[n].word);
}

static int size_read(struct parse *p, uint64_t *bytes)
{
    uint64_t number = 0;
    const char *end = number_read(word_text(p, 1), UINT32_MAX, &number);
    uint32_t shift;

    if (end == NULL || (strcmp(end, "K") != 0 && strcmp(end, "M") != 0)) {
        return fail_value(p, 1, "is not a size such as 512K or 2M");
    }
    shift = *end == 'K' ? 10 : 20;
    if (number == 0 || (number << shift) % PAGE_BYTES != 0) {
        return fail_value(p, 1, "is not 4K or a multiple");
    }
    *bytes = number << shift;
    return 0;
}

static int memory_read(struct parse *p)
{
    if (size_read(p, &p->domain->memory_bytes) != 0) {
        return -1;
    }
    return word_keep(p, 1, &p->domain->memory);
}

static int optimistic_read(struct parse *p)
{
    return size_read(p, &p->domain->optimistic_bytes);
}

static int priority_read(struct parse *p)
{
    uint64_t number;

    if (number_take(p, 1, 1, 255, &number) != 0) {
        return -1;
    }
    p->domain->priority = (uint32_t)number;
    return 0;
}

static int weight_read(struct parse *p)
{
    uint64_t number;

    if (number_take(p, 1, 1, MANIFEST_WEIGHT_LAST, &number) != 0) {
        return -1;
    }
    p->domain->weight = (uint32_t)number;
    return 0;
}

static int budget_read(struct parse *p)
{
    uint64_t budget;
    uint64_t period;

    if (number_take(p, 2, MANIFEST_PERIOD_FIRST_US, MANIFEST_PERIOD_LAST_US,
                    &period) != 0 ||
        number_take(p, 1, 1, period, &budget) != 0) {
        return -1;
    }
    p->domain->budget_us = (uint32_t)budget;
    p->domain->period_us = (uint32_t)period;
    return word_keep(p, 1, &p->domain->budget);
}

static int provides_read(struct parse *p)
{
    struct manifest_domain *d = p->domain;
    uint8_t n = d->provide_count;

    if (n >= MANIFEST_PROVIDES_MAX) {
        return fail_list(p, 1, "4");
    }
    d->provide_count = n + 1;
    return name_keep(p, 1, &d->provides[n]);
}

static int need_add(struct parse *p, uint32_t word)
{
    struct manifest_domain *d = p->domain;
    uint8_t n = d->need_count;
    uint32_t i;

    for (i = 0; i < n; i++) {
        if (strcmp(manifest_string(p->out, d->needs[i].service),
                   word_text(p, word)) == 0) {
            return fail_value(p, word, "is there twice");
        }
    }
    if (n >= MANIFEST_NEEDS_MAX) {
        return fail_list(p, word, "8");
    }
    d->need_count = n + 1;
    return name_keep(p, word, &d->needs[n].service);
}

static int needs_read(struct parse *p)
{
    uint32_t i;

    for (i = 1; i < p->line.word_count; i++) {
        if (need_add(p, i) != 0) {
            return -1;
        }
    }
    return 0;
}

static int restart_read(struct parse *p)
{
    uint64_t number;

    if (strcmp(word_text(p, 1), "always") == 0) {
        p->domain->restarts = MANIFEST_RESTART_ALWAYS;
        return 0;
    }
    if (strcmp(word_text(p, 1), "never") == 0) {
        p->domain->restarts = 0;
        return 0;
    }
    if (number_read(word_text(p, 1), UINT64_MAX, &number) == NULL) {
        return fail_value(p, 1, "is none of always, never or a number");
    }
    if (number_take(p, 1, 0, MANIFEST_RESTART_LAST, &number) != 0) {
        return -1;
    }
    p->domain->restarts = (uint32_t)number;
    return 0;
}

static int yes_read(const struct parse *p, bool *yes)
{
    *yes = strcmp(word_text(p, 1), "yes") == 0;
    if (!*yes && strcmp(word_text(p, 1), "no") != 0) {
        return fail_value(p, 1, "is neither yes nor no");
    }
    return 0;
}

static int critical_read(struct parse *p)
{
    return yes_read(p, &p->domain->critical);
}

static int slack_read(struct parse *p)
{
    return yes_read(p, &p->domain->slack);
}

static int args_read(struct parse *p)
{
    struct manifest_domain *d = p->domain;
    uint32_t i;

    for (i = 1; i < p->line.word_count; i++) {
        if (word_keep(p, i, &d->args[i - 1]) != 0) {
            return -1;
        }
    }
    d->arg_count = (uint8_t)(i - 1);
    return 0;
}

static int stdio_read(struct parse *p)
{
    return name_keep(p, 1, &p->domain->stdio.service);
}

/* ------------------------------------------------------------------ */
/* Domains and lines                                                  */
/* ------------------------------------------------------------------ */

/* The domain that was read so far is complete. */
static int domain_end(const struct parse *p)
{
    const struct manifest_domain *d = p->domain;

    if (p->out->domain_count != 0 && d->file.text == 0) {
        return manifest_error_set(p->error, d->name.line, d->name.column,
                                  PIECES("domain \"",
                                         manifest_string(p->out, d->name),
                                         "\" has no \"file\""));
    }
    return 0;
}

static int domain_read(struct parse *p)
{
    struct manifest *m = p->out;

    if (domain_end(p) != 0) {
        return -1;
    }
    if (m->domain_count >= MANIFEST_DOMAINS_MAX) {
        return fail(p, 0, PIECES("more than 32 domains"));
    }
    p->domain = &m->domains[m->domain_count++];
    p->domain->memory_bytes = DEFAULT_MEMORY_BYTES;
    p->domain->priority = DEFAULT_PRIORITY;
    p->domain->weight = DEFAULT_WEIGHT;
    return name_keep(p, 1, &p->domain->name);
}

static const struct key keys[] = {
    {"epoch", epoch_read, 1, 1, false, true},
    {"pins", pins_read, 2, 2, false, false},
    {"schedule", schedule_read, 1, 1, false, true},
    {"domain", domain_read, 1, 1, false, false},
    {"file", file_read, 1, 1, true, true},
    {"device", device_read, 2, 2, true, false},
    {"irq", irq_read, 1, 1, true, false},
    {"memory", memory_read, 1, 1, true, true},
    {"optimistic", optimistic_read, 1, 1, true, true},
    {"priority", priority_read, 1, 1, true, true},
    {"weight", weight_read, 1, 1, true, true},
    {"budget", budget_read, 2, 2, true, true},
    {"slack", slack_read, 1, 1, true, true},
    {"provides", provides_read, 1, 1, true, false},
    {"needs", needs_read, 1, MANIFEST_NEEDS_MAX, true, false},
    {"restart", restart_read, 1, 1, true, true},
    {"critical", critical_read, 1, 1, true, true},
    {"args", args_read, 1, MANIFEST_ARGS_MAX, true, true},
    {"stdio", stdio_read, 1, 1, true, true},
};

enum { KEY_COUNT = sizeof(keys) / sizeof(keys[0]) };

/* Is the key allowed here, with as many values as the line has? */
static int key_check(const struct parse *p, const struct key *key)
{
    uint32_t values = p->line.word_count - 1u;
    uint32_t most = key->values_max;
    bool in_domain = p->out->domain_count != 0;

    if (key->of_domain && !in_domain) {
        return fail(p, 0,
                    PIECES("key \"", key->name,
                           "\" before the first \"domain\""));
    }
    if (!key->of_domain && in_domain && key->read != domain_read) {
        return fail(p, 0,
                    PIECES("key \"", key->name,
                           "\" must come before "
                           "the first \"domain\""));
    }
    if (key->once && (p->keys_seen >> (key - keys) & 1) != 0) {
        return fail(p, 0, PIECES("key \"", key->name, "\" given twice"));
    }
    if (values < key->values_min) {
        return fail(p, 0, PIECES("key \"", key->name, "\" lacks a value"));
    }
    if (values > most) {
        return fail(p, most + 1,
                    PIECES("\"", word_text(p, most + 1),
                           "\" is one value too many for key \"", key->name,
                           "\""));
    }
    return 0;
}

/* The line is text[begin..end). */
static int line_read(struct parse *p, const char *text, size_t begin,
                     size_t end)
{
    uint32_t i = 0;

    p->line.number++;
    if (line_split(&p->line, text, begin, end, p->error) != 0) {
        return -1;
    }
    if (p->line.word_count == 0) {
        return 0;
    }
    while (i < KEY_COUNT && strcmp(keys[i].name, word_text(p, 0)) != 0) {
        i++;
    }
    if (i == KEY_COUNT) {
        return fail(p, 0, PIECES("unknown key \"", word_text(p, 0), "\""));
    }
    if (key_check(p, &keys[i]) != 0) {
        return -1;
    }
    if (keys[i].read == domain_read) {
        p->keys_seen = 0;
    }
    p->keys_seen |= UINT32_C(1) << i;
    return keys[i].read(p);
}

static int lines_read(struct parse *p, const char *text, size_t n)
{
    size_t begin = 0;
    size_t end;

    for (end = 0; end < n; end++) {
        if (text[end] == '\n') {
            if (line_read(p, text, begin, end) != 0) {
                return -1;
            }
            begin = end + 1;
        }
    }
    return begin < n ? line_read(p, text, begin, n) : 0;
}

int manifest_parse(const char *text, size_t n, struct manifest *out,
                   struct manifest_error *error)
{
    struct parse p;
    int result = -1;

    memset(&p, 0, sizeof(p));
    p.out = out;
    p.error = error;
    p.domain = out->domains;
    memset(out, 0, sizeof(*out));
    out->strings_bytes = 1; /* strings[0] is the word that is not there */
    if (n > MANIFEST_TEXT_MAX_BYTES) {
        manifest_error_set(error, 0, 0,
                           PIECES("manifest is longer than 65535 "
                                  "bytes"));
    } else if (lines_read(&p, text, n) == 0 && domain_end(&p) == 0) {
        if (out->domain_count == 0) {
            manifest_error_set(error, 0, 0, PIECES("manifest has no domain"));
        } else {
            result = manifest_resolve(out, error);
        }
    }
    if (result != 0) {
        memset(out, 0, sizeof(*out));
    }
    return result;
}
