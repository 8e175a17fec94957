/* SPDX-License-Identifier: BSL-1.0 */
/*
 * symbols_test.c - the compact table of function names, on the build machine.
 */
#include "tests/unit/elf_image.h"
#include "tests/unit/tap.h"

static void test_symbols(void)
{
    struct symbols_table *table;
    uint64_t bytes = 0;
    uint32_t away;

    image_make();
    table = table_make(image, sizeof(image), &bytes);
    if (!CHECK(table != NULL && table->count == 3, "three functions")) {
        free(table);
        return;
    }
    CHECK(found_is(table, bytes, TEXT, "start", 0), "first byte");
    CHECK(found_is(table, bytes, TEXT + 0x1f, "start", 0x1f), "last byte");
    CHECK(found_is(table, bytes, TEXT + 0x40, "main", 0), "sorted");
    CHECK(found_is(table, bytes, UINT32_MAX, "main", UINT32_MAX - TEXT - 0x40),
          "past the last");
    CHECK(found_is(table, bytes, TEXT + 0x24, "bad?[2J", 4),
          "escape sequences are defused");
    CHECK(symbols_find(table, bytes, TEXT - 1, &away) == NULL,
          "nothing before the first");
    CHECK(symbols_find(table, bytes - 1, TEXT, &away) == NULL,
          "refuses a table that is cut");
    table->count = UINT32_MAX;
    CHECK(symbols_find(table, bytes, TEXT, &away) == NULL,
          "refuses a table with a wrong count");
    free(table);
}

/* How many functions the table has if symbol 5 has this value. */
static uint32_t count_with(uint64_t value)
{
    struct symbols_table *table;
    uint64_t bytes;
    uint32_t count = 0;

    image_make();
    symbol_put(5, 1, 0x12, 1, value);
    table = table_make(image, sizeof(image), &bytes);
    if (table != NULL) {
        count = table->count;
    }
    free(table);
    return count;
}

static void test_symbols_edges(void)
{
    struct symbols_table *table;
    uint64_t bytes = 0;
    uint32_t away;

    CHECK(count_with(0) == 4 && count_with(RELA - 1) == 4,
          "code from its first to its last byte");
    CHECK(count_with(RELA) == 3 && count_with(RO_VADDR + RELA) == 3 &&
              count_with(DATA_VADDR + DATA) == 3 && count_with(UINT64_MAX) == 3,
          "what is not in code is no function");
    image_make();
    put(image, SECTIONS + 128 + 32, 256, 8);
    memset(image + NAMES + 21, 'n', 200);
    memcpy(image + NAMES + 21, " ~\x7f!", 4);
    table = table_make(image, sizeof(image), &bytes);
    if (CHECK(table != NULL, "a long name")) {
        const char *name = symbols_find(table, bytes, TEXT + 0x20, &away);

        CHECK(strlen(name) == SYMBOLS_NAME_MAX_BYTES &&
                  strncmp(name, "?~?!nnn", 7) == 0,
              "... is cut and defused");
        ((char *)table)[bytes - 1] = 'x';
        CHECK(symbols_find(table, bytes, TEXT, &away) == NULL,
              "refuses a pool without an end");
        table->entries[0].name = table->pool_bytes;
        ((char *)table)[bytes - 1] = '\0';
        CHECK(symbols_find(table, bytes, TEXT, &away) == NULL,
              "refuses a name outside the pool");
        CHECK(symbols_find(table, 7, TEXT, &away) == NULL,
              "refuses half a table header");
    }
    free(table);
}

static void test_no_symbols(void)
{
    static const struct change bad[] = {
        {"no sections", 60, 0, 2, NULL},
        {"section size", 58, 40, 2, NULL},
        {"sections past the file", 40, FILE_BYTES - 64, 8, NULL},
        {"sections wrap", 40, UINT64_MAX - 63, 8, NULL},
        {"no symbol section", SECTIONS + 64 + 4, 1, 4, NULL},
        {"link too great", SECTIONS + 64 + 40, 3, 4, NULL},
        {"link 2^32-1", SECTIONS + 64 + 40, UINT32_MAX, 4, NULL},
        {"link to itself", SECTIONS + 64 + 40, 1, 4, NULL},
        {"entry size", SECTIONS + 64 + 56, 16, 8, NULL},
        {"symbols past the file", SECTIONS + 64 + 32, 1 << 20, 8, NULL},
        {"symbols wrap", SECTIONS + 64 + 24, UINT64_MAX - 23, 8, NULL},
        {"names past the file", SECTIONS + 128 + 32, 1 << 20, 8, NULL},
        {"names empty", SECTIONS + 128 + 32, 0, 8, NULL},
    };
    char what[100];
    uint64_t bytes;
    size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        image_make();
        put(image, bad[i].at, bad[i].value, bad[i].bytes);
        snprintf(what, sizeof(what), "no symbols: %s", bad[i].what);
        CHECK(table_make(image, sizeof(image), &bytes) == NULL, what);
    }
}

/* A file with `count` functions named main, at offsets in disorder. */
static uint8_t *many_make(uint32_t count, uint64_t *file_bytes)
{
    uint8_t *file = calloc(1, FILE_BYTES + count * 24ul);
    uint32_t random = 1;
    uint32_t i;

    image_make();
    memcpy(file, image, sizeof(image));
    put(file, SECTIONS + 64 + 24, FILE_BYTES, 8);
    put(file, SECTIONS + 64 + 32, count * 24ul, 8);
    for (i = 0; i < count; i++) {
        random = random * 1664525 + 1013904223;
        put(file, FILE_BYTES + i * 24ul, 1 | UINT64_C(0x10012) << 32, 8);
        put(file, FILE_BYTES + i * 24ul + 8, (random >> 8) % RELA, 8);
    }
    *file_bytes = FILE_BYTES + count * 24ul;
    return file;
}

static void test_symbols_sorted(void)
{
    uint64_t file_bytes;
    uint64_t bytes = 0;
    uint8_t *file = many_make(SYMBOLS_MAX, &file_bytes);
    struct symbols_table *table = table_make(file, file_bytes, &bytes);
    bool sorted = true;
    uint32_t i;

    for (i = 1; table != NULL && i < table->count; i++) {
        sorted &= table->entries[i - 1].offset <= table->entries[i].offset;
    }
    CHECK(table != NULL && table->count == SYMBOLS_MAX,
          "65535 functions are kept");
    CHECK(sorted, "... and ascend");
    free(table);
    free(file);
    file = many_make(SYMBOLS_MAX + 1, &file_bytes);
    CHECK(table_make(file, file_bytes, &bytes) == NULL,
          "a file with 65536 has none");
    free(file);
}

/* The names may change between the two passes, and end without a NUL. */
static void test_symbols_changed(void)
{
    struct symbols_source source;
    struct symbols_table *table;
    struct elf_plan plan;
    struct elf_fault fault;
    uint64_t bytes;

    image_make();
    put(image, SECTIONS + 128 + 32, 24, 8); /* names end within "bad" */
    elf_plan(image, sizeof(image), &plan, &fault);
    bytes = symbols_measure(image, sizeof(image), &plan, &source);
    table = malloc(bytes);
    CHECK(symbols_fill(&source, table, bytes) == 0 &&
              found_is(table, bytes, TEXT + 0x20, "bad", 0),
          "a name ends with the table of names");
    image[NAMES + 5] = 'x'; /* "main" has no end now */
    CHECK(symbols_fill(&source, table, bytes) == -1, "a name that grew");
    image[NAMES + 5] = '\0';
    symbol_put(5, 1, 0x12, 1, TEXT + 8);
    CHECK(symbols_fill(&source, table, bytes) == -1, "a function more");
    symbol_put(5, 1, 0x12, 0, TEXT + 8);
    symbol_put(1, 1, 0x12, 0, TEXT);
    CHECK(symbols_fill(&source, table, bytes) == -1, "a function less");
    free(table);
}

int main(void)
{
    test_symbols();
    test_symbols_edges();
    test_no_symbols();
    test_symbols_sorted();
    test_symbols_changed();
    return tap_end();
}
