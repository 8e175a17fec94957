/* SPDX-License-Identifier: BSL-1.0
 *
 * The manifest's reader from any bytes, in two pieces. A line that is split
 * from every state of the reader; and a whole text, of which each line is
 * whatever such a split may leave, after any other lines before it. What ties
 * them is `holds()`: each piece begins in every state for which it is true
 * (`any_state()`), and leaves one. Then what is asked of a manifest.
 *
 * Messages and numbers are proven apart (manifest_parts.c); here they stand for
 * all that they may do, and ask for what they need: C strings.
 */
#include <__fc_builtin.h>
#include <string.h>

#include "rootserver/manifest_error.h"
#include "rootserver/manifest_line.h"

#define manifest_error_begin      any_error_begin
#define manifest_error_add        any_error_add
#define manifest_error_add_number any_error_add_number
#define manifest_error_set        any_error_set

static int any_error_set(struct manifest_error *to, uint32_t line,
                         uint32_t column, const char *const pieces[]);
static void any_error_begin(struct manifest_error *to, uint32_t line,
                            uint32_t column);
static void any_error_add(struct manifest_error *to, const char *piece);
static void any_error_add_number(struct manifest_error *to, uint64_t number);
static const char *any_number(const char *string, uint64_t limit,
                              uint64_t *number);
static int any_split(struct line *line, const char *from, size_t begin,
                     size_t end, struct manifest_error *to);

#if PLANT /* the planted bug: a line is longer than its buffer */
#define MANIFEST_LINE_MAX_BYTES 258
#endif
#include "rootserver/manifest_line.c"
#undef MANIFEST_LINE_MAX_BYTES

#define number_read any_number
#define line_split  any_split
#include "rootserver/manifest.c"
#include "rootserver/manifest_check.c"
#undef line_split

enum {
    LINE_MAX = MANIFEST_LINE_MAX_BYTES,
    TEXT_MAX = MANIFEST_STRINGS_MAX_BYTES, /* where a word may begin */
};

static char text[MANIFEST_TEXT_MAX_BYTES];
static struct manifest manifest;
static struct manifest_error error;
static char rest[LINE_MAX + 2]; /* what may follow a number */

/* ---- any value --------------------------------------------------------- */

static uint32_t upto(uint32_t max)
{
    return Frama_C_unsigned_int_interval(0, max);
}

static uint64_t any64(void)
{
    return Frama_C_unsigned_long_interval(0, UINT64_MAX);
}

static struct manifest_word any_word(void)
{
    return (struct manifest_word){(uint16_t)upto(TEXT_MAX),
                                  (uint16_t)upto(UINT16_MAX),
                                  (uint16_t)upto(UINT16_MAX)};
}

static struct manifest_need any_need(void)
{
    return (struct manifest_need){any_word(),
                                  (uint16_t)upto(MANIFEST_DOMAINS_MAX - 1)};
}

/* An index that is not known makes it each element's value, or its old one. */
static void any_domain(struct manifest_domain *d)
{
    d->name = any_word();
    d->file = any_word();
    d->memory_bytes = any64();
    d->memory = any_word();
    d->priority = upto(UINT32_MAX);
    d->weight = upto(UINT32_MAX);
    d->budget_us = upto(UINT32_MAX);
    d->period_us = upto(UINT32_MAX);
    d->budget = any_word();
    d->slack = upto(1);
    d->restarts = upto(UINT32_MAX);
    d->critical = upto(1);
    d->device_count = (uint8_t)upto(MANIFEST_DEVICES_MAX);
    d->irq_count = (uint8_t)upto(MANIFEST_IRQS_MAX);
    d->provide_count = (uint8_t)upto(MANIFEST_PROVIDES_MAX);
    d->need_count = (uint8_t)upto(MANIFEST_NEEDS_MAX);
    d->arg_count = (uint8_t)upto(MANIFEST_ARGS_MAX);
    d->devices[upto(MANIFEST_DEVICES_MAX - 1)] =
        (struct manifest_device){any64(), any64(), any_word()};
    d->irqs[upto(MANIFEST_IRQS_MAX - 1)] =
        (struct manifest_irq){upto(UINT32_MAX), any_word()};
    d->provides[upto(MANIFEST_PROVIDES_MAX - 1)] = any_word();
    d->needs[upto(MANIFEST_NEEDS_MAX - 1)] = any_need();
    d->stdio = any_need();
    d->args[upto(MANIFEST_ARGS_MAX - 1)] = any_word();
}

static void any_manifest(struct manifest *m)
{
    m->epoch_seconds = any64();
    m->schedule = any_word();
    m->pins_count = upto(MANIFEST_PINS_MAX);
    m->domain_count = upto(MANIFEST_DOMAINS_MAX);
    m->strings_bytes = upto(TEXT_MAX);
    m->pins[upto(MANIFEST_PINS_MAX - 1)] =
        (struct manifest_pins){(uint8_t)upto(UINT8_MAX),
                               (uint8_t)upto(UINT8_MAX),
                               (uint8_t)upto(UINT8_MAX), any_word()};
    any_domain(&m->domains[upto(MANIFEST_DOMAINS_MAX - 1)]);
    Frama_C_make_unknown((char *)m->order, sizeof(m->order));
    Frama_C_make_unknown(m->strings, sizeof(m->strings) - 1);
}

static void any_line(struct line *line)
{
    line->number = (uint16_t)upto(UINT16_MAX);
    line->word_count = (uint16_t)upto(LINE_WORDS_MAX);
    line->words[upto(LINE_WORDS_MAX - 1)] =
        (struct line_word){(uint16_t)upto(LINE_MAX),
                           (uint16_t)upto(UINT16_MAX)};
    Frama_C_make_unknown(line->buffer, LINE_MAX);
}

static void any_state(struct parse *p)
{
    any_manifest(p->out);
    any_line(&p->line);
    p->keys_seen = upto(UINT32_MAX);
    p->domain = &p->out->domains[upto(MANIFEST_DOMAINS_MAX - 1)];
}

/* ---- what holds -------------------------------------------------------- */

static void word_holds(struct manifest_word word)
{
    /*@ assert word.text <= TEXT_MAX; */
    (void)word;
}

static void need_holds(struct manifest_need need)
{
    word_holds(need.service);
    /*@ assert need.provider < MANIFEST_DOMAINS_MAX; */
}

static void domain_holds(const struct manifest_domain *d)
{
    /*@ assert d->device_count <= MANIFEST_DEVICES_MAX; */
    /*@ assert d->irq_count <= MANIFEST_IRQS_MAX; */
    /*@ assert d->provide_count <= MANIFEST_PROVIDES_MAX; */
    /*@ assert d->need_count <= MANIFEST_NEEDS_MAX; */
    /*@ assert d->arg_count <= MANIFEST_ARGS_MAX; */
    word_holds(d->name);
    word_holds(d->file);
    word_holds(d->memory);
    word_holds(d->budget);
    word_holds(d->devices[upto(MANIFEST_DEVICES_MAX - 1)].word);
    word_holds(d->irqs[upto(MANIFEST_IRQS_MAX - 1)].word);
    word_holds(d->provides[upto(MANIFEST_PROVIDES_MAX - 1)]);
    need_holds(d->needs[upto(MANIFEST_NEEDS_MAX - 1)]);
    need_holds(d->stdio);
    word_holds(d->args[upto(MANIFEST_ARGS_MAX - 1)]);
}

static void manifest_holds(const struct manifest *m)
{
    /*@ assert m->pins_count <= MANIFEST_PINS_MAX; */
    /*@ assert m->domain_count <= MANIFEST_DOMAINS_MAX; */
    /*@ assert m->strings_bytes <= TEXT_MAX; */
    /*@ assert m->strings[TEXT_MAX] == 0; */
    word_holds(m->schedule);
    word_holds(m->pins[upto(MANIFEST_PINS_MAX - 1)].word);
    domain_holds(&m->domains[upto(MANIFEST_DOMAINS_MAX - 1)]);
}

static void line_holds(const struct line *line)
{
    struct line_word word = line->words[upto(LINE_WORDS_MAX - 1)];

    /*@ assert line->word_count <= LINE_WORDS_MAX; */
    /*@ assert word.begin <= LINE_MAX; */
    /*@ assert line->buffer[LINE_MAX] == 0; */
    /*@ assert line->buffer[LINE_MAX + 1] == 0; */
    (void)word;
}

static void holds(const struct parse *p)
{
    manifest_holds(p->out);
    line_holds(&p->line);
    /*@ assert 0 <= p->domain - &p->out->domains[0] < MANIFEST_DOMAINS_MAX; */
}

/* ---- the rest, as it may be -------------------------------------------- */

static void any_error_begin(struct manifest_error *to, uint32_t line,
                            uint32_t column)
{
    to->line = line;
    to->column = column;
}

static void any_error_add(struct manifest_error *to, const char *piece)
{
    (void)to;
    (void)strlen(piece);
}

static void any_error_add_number(struct manifest_error *to, uint64_t number)
{
    (void)to;
    (void)number;
}

static int any_error_set(struct manifest_error *to, uint32_t line,
                         uint32_t column, const char *const pieces[])
{
    any_error_begin(to, line, column);
    //@ loop unroll 12;
    for (uint32_t i = 0; pieces[i] != NULL; i++) {
        any_error_add(to, pieces[i]);
    }
    return -1;
}

/* There is none, or any string follows it. */
static const char *any_number(const char *string, uint64_t limit,
                              uint64_t *number)
{
    (void)strlen(string);
    if (upto(1)) {
        return NULL;
    }
    *number = Frama_C_unsigned_long_interval(0, limit);
    return &rest[upto(LINE_MAX)];
}

/* Any other lines before this one, too. */
static int any_split(struct line *line, const char *from, size_t begin,
                     size_t end, struct manifest_error *to)
{
    struct parse *p =
        (struct parse *)((char *)line - offsetof(struct parse, line));

    /*@ assert begin <= MANIFEST_TEXT_MAX_BYTES; */
    /*@ assert end <= MANIFEST_TEXT_MAX_BYTES; */
    (void)from;
    (void)begin;
    (void)end;
    holds(p);
    any_state(p);
    return upto(1) ? any_error_set(to, upto(UINT32_MAX), upto(UINT32_MAX),
                                   PIECES("any"))
                   : 0;
}

static bool exists(void *context, const char *name)
{
    (void)context;
    (void)strlen(name);
    return upto(1);
}

/* ---- the pieces -------------------------------------------------------- */

static void one_line(void)
{
    static struct parse p = {.out = &manifest, .error = &error};
    size_t end = Frama_C_unsigned_long_interval(0, sizeof(text));

    any_state(&p);
    (void)line_split(&p.line, text,
                     Frama_C_unsigned_long_interval(0, sizeof(text)), end,
                     &error);
    line_holds(&p.line);
}

static void whole_text(void)
{
    if (manifest_parse(text, any64(), &manifest, &error) == 0) {
        manifest_holds(&manifest);
        (void)manifest_check_files(&manifest, exists, NULL, &error);
        (void)manifest_check_schedule(&manifest, exists, NULL, &error);
        (void)manifest_check_memory(&manifest, any64(), &error);
    }
}

int main(void)
{
    //@ widen_hints global:"all", 4, 8, 9, 16, 31, 32, 255, 256, 257;
    //@ widen_hints global:"all", 16383, 16384, 65535;
    Frama_C_make_unknown(text, sizeof(text));
    Frama_C_make_unknown(rest, LINE_MAX);
    one_line();
#if !PLANT
    whole_text();
#endif
    return 0;
}
