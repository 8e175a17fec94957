/* SPDX-License-Identifier: BSL-1.0 */
/*
 * manifest.h - the system manifest: which domains start, and what each may do.
 *
 * Why: the root server owns everything and gives it away by this list, a text
 * that a user edits. A mistake in it is an error message with its place,
 * never a crash; the root server then starts a built-in smaller manifest.
 *
 * The text: printable ASCII, lines of at most 256 bytes, words split by blanks,
 * "double quotes" around a word with blanks, `#` before a comment.
 *
 *     epoch 1767225600        wall clock at boot, unix seconds       once
 *     pins 48-53 alt0         GPIO function: input output alt0..alt5
 *     schedule edf            priority, round-robin, edf, stride priority
 *     domain uart             begins a domain: all below is its own
 *         file drivers/uart   program in the boot archive            required
 *         device 0x3f201000 4096   device memory, multiples of 4096  <= 4
 *         irq 57              interrupt, 0..95                       <= 4
 *         memory 512K         quota; K or M                          1M
 *         optimistic 4M       beyond it, may be taken back; K or M    none
 *         priority 200        1..255, greater is more urgent         100
 *         weight 300          1..1000, share by stride               100
 *         budget 3000 10000   us of CPU in each period of us, by edf none
 *         slack yes           beyond its budget, what is left        no
 *         provides console    service that it offers                 <= 4
 *         needs console sd    services it may connect to             <= 8
 *         restart always      always, never, or how many times       never
 *         critical yes        when it ends for good: reboot          no
 *         args one "two words"     argv[1] and so on                 <= 8
 *         stdio console       service behind descriptors 0, 1, 2
 *
 * Names of domains and services: 1..31 characters of a-z 0-9 _ -
 * A domain starts after all that provide what it needs, `stdio` included.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum manifest_limits {
    MANIFEST_TEXT_MAX_BYTES = 65535,
    MANIFEST_LINE_MAX_BYTES = 256,
    MANIFEST_NAME_MAX_BYTES = 31,
    MANIFEST_STRINGS_MAX_BYTES = 16384, /* all words kept, with their NULs */
    MANIFEST_DOMAINS_MAX = 32,
    MANIFEST_DEVICES_MAX = 4,
    MANIFEST_IRQS_MAX = 4,
    MANIFEST_PROVIDES_MAX = 4,
    MANIFEST_NEEDS_MAX = 8,
    MANIFEST_ARGS_MAX = 8,
    MANIFEST_PINS_MAX = 16,
    MANIFEST_PIN_LAST = 53,
    MANIFEST_IRQ_LAST = 95,
    MANIFEST_RESTART_LAST = 1000,
    MANIFEST_WEIGHT_LAST = 1000,
    MANIFEST_PERIOD_FIRST_US = 1000,
    MANIFEST_PERIOD_LAST_US = 10000000,
    MANIFEST_MESSAGE_BYTES = 192,
};

/* `restarts` of a domain that is always started again. */
#define MANIFEST_RESTART_ALWAYS UINT32_MAX

/* Codes of the BCM2837 function select registers. */
enum manifest_pin_function {
    MANIFEST_PIN_INPUT = 0,
    MANIFEST_PIN_OUTPUT = 1,
    MANIFEST_PIN_ALT5 = 2,
    MANIFEST_PIN_ALT4 = 3,
    MANIFEST_PIN_ALT0 = 4,
    MANIFEST_PIN_ALT1 = 5,
    MANIFEST_PIN_ALT2 = 6,
    MANIFEST_PIN_ALT3 = 7,
};

/* A word of the text and its place; text 0 = there is none. */
struct manifest_word {
    uint16_t text;   /* see manifest_string() */
    uint16_t line;   /* from 1 */
    uint16_t column; /* from 1 */
};

struct manifest_pins {
    uint8_t first; /* first..last, both included */
    uint8_t last;
    uint8_t function; /* enum manifest_pin_function */
    struct manifest_word word;
};

struct manifest_device {
    uint64_t base;  /* ARM physical address, multiple of 4096 */
    uint64_t bytes; /* multiple of 4096, > 0; base + bytes fits */
    struct manifest_word word;
};

struct manifest_irq {
    uint32_t number;
    struct manifest_word word;
};

/* A service and the domain that provides it (an index into domains). */
struct manifest_need {
    struct manifest_word service;
    uint16_t provider;
};

struct manifest_domain {
    struct manifest_word name;
    struct manifest_word file;
    uint64_t memory_bytes;       /* multiple of 4096, > 0 */
    struct manifest_word memory; /* where it was said, if it was */
    uint64_t optimistic_bytes;   /* multiple of 4096 */
    uint32_t priority;
    uint32_t weight;
    uint32_t budget_us; /* <= period_us; both 0: none */
    uint32_t period_us;
    struct manifest_word budget; /* where it was said, if it was */
    bool slack;
    uint32_t restarts; /* 0 = never, or MANIFEST_RESTART_ALWAYS */
    bool critical;
    uint8_t device_count;
    uint8_t irq_count;
    uint8_t provide_count;
    uint8_t need_count;
    uint8_t arg_count;
    struct manifest_device devices[MANIFEST_DEVICES_MAX];
    struct manifest_irq irqs[MANIFEST_IRQS_MAX];
    struct manifest_word provides[MANIFEST_PROVIDES_MAX];
    struct manifest_need needs[MANIFEST_NEEDS_MAX];
    struct manifest_need stdio; /* service.text == 0: none */
    struct manifest_word args[MANIFEST_ARGS_MAX];
};

/* All of it; holds copies, so the text may go after manifest_parse(). */
struct manifest {
    uint64_t epoch_seconds;        /* unix time at boot; 0 = not said */
    struct manifest_word schedule; /* policy's name; none: the default */
    uint32_t pins_count;
    uint32_t domain_count;
    uint32_t strings_bytes;
    struct manifest_pins pins[MANIFEST_PINS_MAX];
    struct manifest_domain domains[MANIFEST_DOMAINS_MAX];
    uint8_t order[MANIFEST_DOMAINS_MAX]; /* indices, first to start first */
    char strings[MANIFEST_STRINGS_MAX_BYTES + 1]; /* the last stays NUL */
};

_Static_assert(sizeof(struct manifest) <= 65536, "fits a static 64 KiB");

/* Print as "FILE:LINE:COLUMN: MESSAGE". Line 0: the text as a whole. */
struct manifest_error {
    uint32_t line;
    uint32_t column;
    char message[MANIFEST_MESSAGE_BYTES];
};

/*
 * manifest_parse - read and check a manifest
 * text  [in]   n bytes, of any content; need not end in NUL or newline
 * out   [out]  the manifest, its services resolved and its order made; emptied
 *              (no domains) on error
 * Returns 0, or -1 and *error, which is written only then.
 */
int manifest_parse(const char *text, size_t n, struct manifest *out,
                   struct manifest_error *error);

/* The word as a C string; "" if there is none. */
static inline const char *manifest_string(const struct manifest *manifest,
                                          struct manifest_word word)
{
    return manifest->strings + word.text;
}

/*
 * manifest_order - an order in which each domain comes after what it needs
 * order  [out]  domain_count indices; where free, as in the text
 * Returns 0, or -1 and *error naming a cycle. For a manifest whose services
 * are resolved; manifest_parse() has done it and left it in `order`.
 */
int manifest_order(const struct manifest *manifest,
                   uint8_t order[MANIFEST_DOMAINS_MAX],
                   struct manifest_error *error);

/*
 * manifest_check_files - is there a program for each domain?
 * exists  [in]  tells if the boot archive has a file of that name
 * Returns 0, or -1 and *error naming the first missing file and its line.
 */
int manifest_check_files(const struct manifest *manifest,
                         bool (*exists)(void *context, const char *name),
                         void *context, struct manifest_error *error);

/*
 * manifest_check_schedule - is there a policy of that name? Likewise.
 */
int manifest_check_schedule(const struct manifest *manifest,
                            bool (*exists)(void *context, const char *name),
                            void *context, struct manifest_error *error);

/*
 * manifest_check_memory - do the quotas fit into the machine?
 * Returns 0, or -1 and *error naming the first domain, in order of the text,
 * for which nothing is left.
 */
int manifest_check_memory(const struct manifest *manifest,
                          uint64_t available_bytes,
                          struct manifest_error *error);
