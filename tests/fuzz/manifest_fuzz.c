/* SPDX-License-Identifier: BSL-1.0 */
/*
 * manifest_fuzz.c - libFuzzer: any bytes as a manifest.
 *
 * A manifest that is accepted must have only what manifest.h allows, and an
 * order in which all needs are met; one that is refused must be empty and have
 * a message.
 */
#include "rootserver/manifest.h"

#include <stdlib.h>
#include <string.h>

#define REQUIRE(condition)                                                     \
    do {                                                                       \
        if (!(condition)) {                                                    \
            abort();                                                           \
        }                                                                      \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct manifest manifest;

static void word_require(struct manifest_word word, bool must)
{
    REQUIRE(word.text != 0 || !must);
    REQUIRE(word.text < manifest.strings_bytes);
    REQUIRE(memchr(manifest.strings + word.text, '\0',
                   manifest.strings_bytes - word.text) != NULL);
    REQUIRE(word.text == 0 || (word.line > 0 && word.column > 0 &&
                               word.column <= MANIFEST_LINE_MAX_BYTES));
}

static void need_require(const struct manifest_need *need, uint32_t started)
{
    const struct manifest_domain *d;
    uint32_t i = 0;

    word_require(need->service, true);
    REQUIRE(need->provider < manifest.domain_count);
    REQUIRE((started >> need->provider & 1) != 0);
    d = &manifest.domains[need->provider];
    while (i < d->provide_count &&
           strcmp(manifest_string(&manifest, d->provides[i]),
                  manifest_string(&manifest, need->service)) != 0) {
        i++;
    }
    REQUIRE(i < d->provide_count);
}

static void resources_require(const struct manifest_domain *d)
{
    uint32_t i;

    REQUIRE(d->device_count <= MANIFEST_DEVICES_MAX);
    for (i = 0; i < d->device_count; i++) {
        word_require(d->devices[i].word, true);
        REQUIRE(d->devices[i].base % 4096 == 0 && d->devices[i].bytes > 0 &&
                d->devices[i].bytes % 4096 == 0 &&
                d->devices[i].base + d->devices[i].bytes > d->devices[i].base);
    }
    REQUIRE(d->irq_count <= MANIFEST_IRQS_MAX);
    for (i = 0; i < d->irq_count; i++) {
        REQUIRE(d->irqs[i].number <= MANIFEST_IRQ_LAST);
    }
    REQUIRE(d->memory_bytes > 0 && d->memory_bytes % 4096 == 0);
    REQUIRE(d->priority >= 1 && d->priority <= 255);
    REQUIRE(d->restarts <= MANIFEST_RESTART_LAST ||
            d->restarts == MANIFEST_RESTART_ALWAYS);
}

static void domain_require(const struct manifest_domain *d, uint32_t started)
{
    uint32_t i;

    word_require(d->name, true);
    word_require(d->file, true);
    REQUIRE(strlen(manifest_string(&manifest, d->name)) <=
            MANIFEST_NAME_MAX_BYTES);
    resources_require(d);
    REQUIRE(d->provide_count <= MANIFEST_PROVIDES_MAX &&
            d->need_count <= MANIFEST_NEEDS_MAX &&
            d->arg_count <= MANIFEST_ARGS_MAX);
    for (i = 0; i < d->provide_count; i++) {
        word_require(d->provides[i], true);
    }
    for (i = 0; i < d->need_count; i++) {
        need_require(&d->needs[i], started);
    }
    for (i = 0; i < d->arg_count; i++) {
        word_require(d->args[i], true);
    }
    if (d->stdio.service.text != 0) {
        need_require(&d->stdio, started);
    }
}

static void manifest_require(void)
{
    uint32_t started = 0;
    uint32_t i;

    REQUIRE(manifest.domain_count >= 1 &&
            manifest.domain_count <= MANIFEST_DOMAINS_MAX);
    REQUIRE(manifest.strings_bytes <= MANIFEST_STRINGS_MAX_BYTES);
    REQUIRE(manifest.pins_count <= MANIFEST_PINS_MAX);
    for (i = 0; i < manifest.pins_count; i++) {
        REQUIRE(manifest.pins[i].first <= manifest.pins[i].last &&
                manifest.pins[i].last <= MANIFEST_PIN_LAST &&
                manifest.pins[i].function < 8);
    }
    for (i = 0; i < manifest.domain_count; i++) {
        REQUIRE(manifest.order[i] < manifest.domain_count);
        REQUIRE((started >> manifest.order[i] & 1) == 0);
        domain_require(&manifest.domains[manifest.order[i]], started);
        started |= UINT32_C(1) << manifest.order[i];
    }
}

static bool exists_not(void *context, const char *name)
{
    return *(const bool *)context && strlen(name) > 1000;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct manifest empty;
    struct manifest_error error;
    bool context = true;

    if (manifest_parse((const char *)data, size, &manifest, &error) != 0) {
        REQUIRE(memcmp(&manifest, &empty, sizeof(empty)) == 0);
        REQUIRE(memchr(error.message, '\0', sizeof(error.message)) != NULL);
        REQUIRE(error.message[0] != '\0' && error.line <= size + 1 &&
                error.column <= MANIFEST_LINE_MAX_BYTES + 1);
        return 0;
    }
    manifest_require();
    REQUIRE(manifest_check_files(&manifest, exists_not, &context, &error) ==
                -1 &&
            error.line > 0);
    REQUIRE(manifest_check_memory(&manifest, 4095, &error) == -1);
    return 0;
}
