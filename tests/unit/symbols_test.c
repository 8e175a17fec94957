/* SPDX-License-Identifier: BSL-1.0 */
/*
 * symbols_test.c - the symbols that the loader copies and a crash report reads.
 */
#include "tests/unit/elf_image.h"
#include "tests/unit/symbols_copy.h"
#include "tests/unit/tap.h"

static void test_symbols(void)
{
    struct symbol_table *table;

    image_make();
    table = table_make(image, sizeof(image));
    if (!CHECK(table != NULL && table->count == 7, "all symbols are copied")) {
        free(table);
        return;
    }
    CHECK(found_is(table, TEXT, "start", 0), "first byte");
    CHECK(found_is(table, TEXT + 0x1f, "start", 0x1f), "last byte");
    CHECK(found_is(table, TEXT + 0x40, "main", 0), "in no order");
    CHECK(found_is(table, UINT64_MAX, "main", UINT64_MAX - TEXT - 0x40),
          "past the last");
    CHECK(found_is(table, TEXT - 1, NULL, 0), "nothing before the first");
    table->count = 0;
    CHECK(found_is(table, TEXT, NULL, 0), "an empty table has none");
    free(table);
}

/* Symbol 5, at TEXT + 8, has these fields. */
static struct symbol_table *table_with(uint32_t name, uint8_t info,
                                       uint16_t shndx)
{
    image_make();
    symbol_put(5, name, info, shndx, TEXT + 8);
    return table_make(image, sizeof(image));
}

/* Is symbol 5 a function, if its fields are these? */
static bool counts(uint32_t name, uint8_t info, uint16_t shndx)
{
    struct symbol_table *table = table_with(name, info, shndx);
    uint64_t away = 1;
    bool found;

    found = symbol_find(table, TEXT + 8, &away) != NULL && away == 0;
    free(table);
    return found;
}

static void test_what_counts(void)
{
    CHECK(counts(1, 0x12, 1) && counts(1, 0x02, 0xfeff) && counts(1, 0x10, 1),
          "a function or a label of a section");
    CHECK(!counts(1, 0x12, 0) && !counts(1, 0x12, 0xff00) &&
              !counts(1, 0x12, 0xfff1),
          "not what is defined elsewhere, or absolute");
    CHECK(!counts(1, 0x11, 1) && !counts(1, 0x13, 1), "no data, no section");
    CHECK(!counts(0, 0x12, 1) && !counts(18, 0x12, 1), "no name, no marker");
    CHECK(!counts(10000, 0x12, 1) && !counts(UINT32_MAX, 0x12, 1),
          "no name outside the names");
}

/* Is symbol 5, of 8 bytes, the variable at that distance from its begin? */
static bool is_variable(uint32_t name, uint8_t info, uint16_t shndx, int64_t at)
{
    struct symbol_table *table = table_with(name, info, shndx);
    uint64_t away = 99;
    bool found;

    table->symbol[5].size = 8;
    found = symbol_variable(table, TEXT + 8 + (uint64_t)at, &away) != NULL &&
            away == (uint64_t)at;
    free(table);
    return found;
}

static void test_variables(void)
{
    CHECK(is_variable(1, 0x11, 1, 0) && is_variable(1, 0x01, 0xfeff, 7),
          "a variable, global or not, from its first to its last byte");
    CHECK(!is_variable(1, 0x11, 1, -1) && !is_variable(1, 0x11, 1, 8),
          "and no further");
    CHECK(!is_variable(1, 0x12, 1, 0) && !is_variable(1, 0x10, 1, 0) &&
              !is_variable(1, 0x16, 1, 0),
          "no function, label, or one of a thread");
    CHECK(!is_variable(1, 0x11, 0, 0) && !is_variable(1, 0x11, 0xfff1, 0) &&
              !is_variable(0, 0x11, 1, 0) && !is_variable(10000, 0x11, 1, 0),
          "defined here, and with a name that is there");
}

/* The names may end without a NUL. */
static void test_last_name(void)
{
    struct symbol_table *table;

    image_make();
    put(image, SECTIONS + 128 + 32, 24, 8); /* names end within "bad" */
    table = table_make(image, sizeof(image));
    CHECK(table != NULL && found_is(table, TEXT + 0x20, "bad", 0),
          "a name ends with the table of names");
    free(table);
    put(image, SECTIONS + 128 + 32, 0, 8);
    table = table_make(image, sizeof(image));
    CHECK(table != NULL && found_is(table, TEXT + 0x20, NULL, 0),
          "without names there are no functions");
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
        {"names of 4 GiB", SECTIONS + 128 + 32, UINT32_MAX, 8, NULL},
        {"half a symbol", SECTIONS + 64 + 32, 23, 8, NULL},
    };
    char what[100];
    size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        image_make();
        put(image, bad[i].at, bad[i].value, bad[i].bytes);
        snprintf(what, sizeof(what), "no symbols: %s", bad[i].what);
        CHECK(table_make(image, sizeof(image)) == NULL, what);
    }
}

/* Is a file with so many symbols one with symbols? */
static bool many(uint32_t count)
{
    uint64_t bytes = FILE_BYTES + count * 24ull;
    uint8_t *file = calloc(1, bytes);
    struct symbol_table *table;
    bool good;

    image_make();
    memcpy(file, image, sizeof(image));
    put(file, SECTIONS + 64 + 24, FILE_BYTES, 8);
    put(file, SECTIONS + 64 + 32, count * 24ull, 8);
    table = table_make(file, bytes);
    good = table != NULL && table->count == count;
    free(table);
    free(file);
    return good;
}

int main(void)
{
    test_symbols();
    test_what_counts();
    test_variables();
    test_last_name();
    test_no_symbols();
    CHECK(many(SYMBOLS_MAX) && !many(SYMBOLS_MAX + 1),
          "a file with too many has none");
    return tap_end();
}
