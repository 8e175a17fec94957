/* SPDX-License-Identifier: BSL-1.0 */
/*
 * manifest_test.c - the manifest reader: what it reads, what it refuses and
 * with which words, and that no damage to a text makes it fall over.
 *
 * With paths as arguments it checks those manifests instead.
 */
#include "rootserver/manifest.h"
#include "tests/unit/manifest_refusals.h"
#include "tests/unit/tap.h"

#include <stdlib.h>
#include <string.h>

static struct manifest manifest;
static struct manifest_error error;

static const char good_text[] = "# a comment\n"
                                "epoch 1767225600   # another\n"
                                "pins 48-53 alt0\n"
                                "\tpins 14 alt5\r\n"
                                "\n"
                                "domain shell\n"
                                "    file bin/shell\n"
                                "    needs console files\n"
                                "    stdio console\n"
                                "    args one \"two words\" \"\" #none\n"
                                "    restart always\n"
                                "domain uart\n"
                                "    file drivers/uart\n"
                                "    device 0x3f201000 4096\n"
                                "    device 0x3F215000 0x1000\n"
                                "    irq 57\n"
                                "    irq 29\n"
                                "    memory 512K\n"
                                "    priority 200\n"
                                "    weight 300\n"
                                "    budget 2500 10000\n"
                                "    slack yes\n"
                                "    provides console\n"
                                "    restart 3\n"
                                "    critical yes\n"
                                "domain fat\n"
                                "    file fs/fat\n"
                                "    provides files\n"
                                "    needs sd\n"
                                "    memory 8M\n"
                                "domain sd\n"
                                "    file drivers/sd\n"
                                "    provides sd\n"
                                "    restart never\n"
                                "    critical no\n"
                                "    optimistic 12K";

/* Parses a copy of exactly n bytes, so that a read past them is seen. */
static int parse_bytes(const char *text, size_t n)
{
    char *copy = malloc(n + (n == 0));
    int result;

    memcpy(copy, text, n);
    memset(&error, 0x5a, sizeof(error));
    result = manifest_parse(copy, n, &manifest, &error);
    free(copy);
    return result;
}

static int parse(const char *text)
{
    return parse_bytes(text, strlen(text));
}

static bool word_is(struct manifest_word word, const char *text)
{
    return strcmp(manifest_string(&manifest, word), text) == 0;
}

/* ------------------------------------------------------------------ */
/* A good manifest                                                    */
/* ------------------------------------------------------------------ */

static void test_system_keys(void)
{
    CHECK(manifest.epoch_seconds == 1767225600, "epoch");
    CHECK(manifest.pins_count == 2 && manifest.pins[0].first == 48 &&
              manifest.pins[0].last == 53 &&
              manifest.pins[0].function == MANIFEST_PIN_ALT0,
          "pins FIRST-LAST");
    CHECK(manifest.pins[1].first == 14 && manifest.pins[1].last == 14 &&
              manifest.pins[1].function == MANIFEST_PIN_ALT5,
          "a single pin");
}

static void test_shell(void)
{
    const struct manifest_domain *d = &manifest.domains[0];

    CHECK(word_is(d->name, "shell") && word_is(d->file, "bin/shell"),
          "name and file");
    CHECK(d->file.line == 7 && d->file.column == 10, "place of a word");
    CHECK(d->need_count == 2 && word_is(d->needs[1].service, "files") &&
              d->needs[0].provider == 1 && d->needs[1].provider == 2,
          "needs");
    CHECK(word_is(d->stdio.service, "console") && d->stdio.provider == 1,
          "stdio");
    CHECK(d->arg_count == 3 && word_is(d->args[0], "one") &&
              word_is(d->args[1], "two words") && word_is(d->args[2], ""),
          "args with quotes");
    CHECK(d->restarts == MANIFEST_RESTART_ALWAYS, "restart always");
    CHECK(d->weight == 100 && d->period_us == 0 && d->budget_us == 0 &&
              !d->slack,
          "no promise of CPU time");
    CHECK(d->memory_bytes == 1048576 && d->priority == 100 && !d->critical &&
              d->device_count == 0 && d->irq_count == 0,
          "defaults");
}

static void test_drivers(void)
{
    const struct manifest_domain *d = &manifest.domains[1];

    CHECK(d->device_count == 2 && d->devices[0].base == 0x3f201000 &&
              d->devices[0].bytes == 4096 && d->devices[1].base == 0x3f215000 &&
              d->devices[1].bytes == 4096,
          "devices");
    CHECK(d->irq_count == 2 && d->irqs[0].number == 57 &&
              d->irqs[1].number == 29,
          "irqs");
    CHECK(d->memory_bytes == 524288 && d->priority == 200 && d->critical &&
              d->restarts == 3,
          "memory, priority, critical, restart");
    CHECK(d->weight == 300 && d->budget_us == 2500 && d->period_us == 10000 &&
              d->slack,
          "weight, budget, slack");
    CHECK(d->provide_count == 1 && word_is(d->provides[0], "console"),
          "provides");
    CHECK(manifest.domains[2].memory_bytes == 8388608, "memory in M");
    CHECK(d->optimistic_bytes == 0 &&
              manifest.domains[3].optimistic_bytes == 12288,
          "optimistic memory, none unless said");
    CHECK(manifest.domains[3].restarts == 0 && !manifest.domains[3].critical &&
              manifest.domains[3].stdio.service.text == 0,
          "never, no, none");
}

static void test_good(void)
{
    static const uint8_t order[] = {1, 3, 2, 0};

    if (!CHECK(parse(good_text) == 0, "accepts a good manifest")) {
        printf("# %u:%u: %s\n", error.line, error.column, error.message);
    }
    CHECK(manifest.domain_count == 4, "four domains");
    test_system_keys();
    test_shell();
    test_drivers();
    CHECK(memcmp(manifest.order, order, sizeof(order)) == 0, "start order");
}

/* ------------------------------------------------------------------ */
/* Refusals                                                           */
/* ------------------------------------------------------------------ */

static bool error_is(unsigned line, unsigned column, const char *message)
{
    if (error.line == line && error.column == column &&
        strcmp(error.message, message) == 0) {
        return true;
    }
    printf("# %u:%u: %s\n", error.line, error.column, error.message);
    return false;
}

static bool is_empty(const struct manifest *m)
{
    const uint8_t *bytes = (const uint8_t *)m;
    size_t i;

    for (i = 0; i < sizeof(*m); i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

static void test_refusals(void)
{
    const struct refusal *r;
    size_t i;

    for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        r = &refusals[i];
        CHECK(parse(r->text) == -1 &&
                  error_is(r->line, r->column, r->message) &&
                  is_empty(&manifest),
              r->message);
    }
    CHECK(parse_bytes("domain a\0b", 10) == -1 &&
              error_is(1, 9, "byte 0x00 is not printable ASCII"),
          "NUL is refused");
}

/* ------------------------------------------------------------------ */
/* Limits                                                             */
/* ------------------------------------------------------------------ */

static char big[70000];

/* The greatest and least that is allowed, and neighbours that only touch. */
static void test_edges(void)
{
    static const char *const texts[] = {
        "domain abcdefghijklmnopqrstuvwxyz01234\nfile a",
        "domain _-09az\nfile a ~ ",
        "epoch 253402300799\n" A,
        "epoch 0\n" A,
        "pins 0-10 input\npins 11-20 output\npins 53 alt1\npins 21-52 alt2\n" A,
        A "irq 0\n" B "irq 95",
        A "priority 1\nmemory 4K\n" B "priority 255\nmemory 4095M",
        A "weight 1\nbudget 1 1000\n" B "weight 1000\nbudget 9990000 10000000",
        A "restart 1000\n" B "restart 0",
        A "device 0xffffffffffffe000 0x1000\ndevice 0xaBcDeF000 4096",
        A "device 0x2000 4096\n" B "device 0x3000 4096\ndevice 0x1000 4096",
        A "args \"#\" \"\" a#b\n",
        A "needs x x2\n" B "provides x\nprovides x2",
        A "#\r\n\t \r\n",
    };
    size_t i;

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        bool good = parse(texts[i]) == 0;

        /* The second has a word too many; it is here for its "~". */
        CHECK(good == (i != 1) &&
                  (good || strcmp(error.message,
                                  "\"~\" is one "
                                  "value too many for key \"file\"") == 0),
              "what is just allowed");
    }
    CHECK(parse("pins 9-10 input\npins 0-9 output\n" A) == -1 &&
              error_is(2, 6, "pins 0-9 are set already on line 1"),
          "pins that overlap in one");
    CHECK(parse("pins 0-9 input\npins 9-10 output\n" A) == -1 &&
              error_is(2, 6, "pins 9-10 are set already on line 1"),
          "... at the other end");
    CHECK(parse("epoch 18446744073709551615") == -1 &&
              error_is(1, 7,
                       "epoch \"18446744073709551615\" is out of range "
                       "0..253402300799"),
          "2^64-1 is a number");
    CHECK(parse(A "device 0x3f201000 4g96") == -1 &&
              error_is(3, 19, "device \"4g96\" is not a number"),
          "a letter in a number");
    CHECK(parse(A "device 0xfg 4096") == -1 &&
              error_is(3, 8, "device \"0xfg\" is not a number"),
          "... and no hexadecimal one");
}

static void test_line_length(void)
{
    memset(big, 'x', sizeof(big));
    memcpy(big, A "#", sizeof(A "#") - 1);
    CHECK(parse_bytes(big, sizeof(A) - 1 + 256) == 0,
          "a line of 256 bytes is read");
    CHECK(parse_bytes(big, sizeof(A) - 1 + 257) == -1 &&
              error_is(3, 257, "line is longer than 256 bytes"),
          "a line of 257 bytes is refused");
    memcpy(big, A "args ", sizeof(A "args ") - 1);
    CHECK(parse_bytes(big, sizeof(A) - 1 + 256) == 0 &&
              strlen(manifest_string(&manifest, manifest.domains[0].args[0])) ==
                  251,
          "a long word is kept");
    memcpy(big, A "xxxxx", sizeof(A "xxxxx") - 1);
    CHECK(parse_bytes(big, sizeof(A) - 1 + 256) == -1 &&
              strlen(error.message) == strlen("unknown key \"\"") + 64 &&
              strstr(error.message, "x...\"") != NULL,
          "a long word is cut in a message");
}

static void test_text_length(void)
{
    memset(big, '\n', sizeof(big));
    memcpy(big + 65535 - sizeof(A) + 1, A, sizeof(A) - 1);
    CHECK(parse_bytes(big, 65535) == 0 &&
              manifest.domains[0].name.line == 65535 - sizeof(A) + 2,
          "65535 bytes are read");
    CHECK(parse_bytes(big, 65536) == -1 &&
              error_is(0, 0, "manifest is longer than 65535 bytes"),
          "65536 bytes are refused");
}

/* `count` domains with `args` lines of `words` words each. */
static size_t domains_make(unsigned count, unsigned words, unsigned letters)
{
    size_t n = 0;
    unsigned i;
    unsigned j;

    for (i = 0; i < count; i++) {
        n += (size_t)sprintf(big + n, "domain d%u\nfile f\nargs", i);
        for (j = 0; j < words; j++) {
            n += (size_t)sprintf(big + n, " %0*u", (int)letters, j);
        }
        n += (size_t)sprintf(big + n, "\n");
    }
    return n;
}

static void test_counts(void)
{
    size_t n = domains_make(32, 8, 30);

    CHECK(parse_bytes(big, n) == 0 && manifest.domain_count == 32 &&
              manifest.order[31] == 31,
          "32 domains are read");
    n = domains_make(33, 1, 1);
    CHECK(parse_bytes(big, n) == -1 && error_is(97, 1, "more than 32 domains"),
          "33 are refused");
    n = domains_make(32, 2, 122);
    CHECK(parse_bytes(big, n) == 0, "8 KB of words are kept");
    n = domains_make(32, 2, 124);
    CHECK(parse_bytes(big, n) == 0, "... and a little more");
    n = domains_make(32, 8, 29);
    CHECK(parse_bytes(big, n) == 0, "... and 8 KB of short ones");
}

static void test_strings_full(void)
{
    size_t n = 0;
    unsigned i;

    memset(big, 'x', sizeof(big));
    for (i = 0; i < 32; i++) {
        n += (size_t)sprintf(big + n, "domain d%u\nfile ", i);
        memset(big + n, 'f', 251);
        n += 251;
        n += (size_t)sprintf(big + n, "\nargs ");
        memset(big + n, 'a', 251);
        n += 251;
        n += (size_t)sprintf(big + n, "\nprovides service-%u\n", i);
    }
    CHECK(parse_bytes(big, n) == -1 && error.line > 100 &&
              strcmp(error.message, "manifest is too big: its words exceed "
                                    "16384 bytes") == 0,
          "more than 16 KiB are refused");
}

static void test_pins_full(void)
{
    size_t n = 0;
    unsigned i;

    for (i = 0; i < 17; i++) {
        n += (size_t)sprintf(big + n, "pins %u output\n", i);
    }
    CHECK(parse_bytes(big, n) == -1 &&
              error_is(17, 1, "more than 16 lines of \"pins\""),
          "17 lines of pins are refused");
}

/* A chain, each domain needing the next of the text: the order is reversed. */
static void test_long_chain(void)
{
    size_t n = 0;
    bool good = true;
    unsigned i;

    for (i = 0; i < 32; i++) {
        n += (size_t)sprintf(big + n,
                             "domain d%u\nfile f\nprovides s%u\n"
                             "needs s%u\n",
                             i, i, i + 1);
    }
    n += (size_t)sprintf(big + n, "#");
    CHECK(parse_bytes(big, n) == -1 &&
              strstr(error.message, "\"s32\" is provided by no domain") != NULL,
          "the end of a chain is missing");
    memcpy(strstr(big, "needs s32"), "#        ", 9);
    CHECK(parse_bytes(big, n) == 0, "a chain of 32 is read");
    for (i = 0; i < 32; i++) {
        good &= manifest.order[i] == 31 - i;
    }
    CHECK(good, "... in reverse order");
    memcpy(strstr(big, "#        "), "needs s0 ", 9);
    CHECK(parse_bytes(big, n) == -1 && error.line == 4 &&
              strncmp(error.message, "cycle: d0 -> d1 -> d2", 21) == 0 &&
              strlen(error.message) == sizeof(error.message) - 1,
          "a cycle of 32 fills the message and no more");
}

/* ------------------------------------------------------------------ */
/* Against the machine                                                */
/* ------------------------------------------------------------------ */

static bool exists_but(void *context, const char *name)
{
    return strcmp(name, context) != 0;
}

static void test_machine(void)
{
    char missing[] = "fs/fat";
    char none[] = "";

    CHECK(parse(good_text) == 0, "the good manifest again");
    CHECK(manifest_check_files(&manifest, exists_but, none, &error) == 0,
          "all files are there");
    CHECK(manifest_check_files(&manifest, exists_but, missing, &error) == -1 &&
              error_is(27, 10,
                       "file \"fs/fat\" is not in the boot archive "
                       "(needed by \"fat\")"),
          "a file is missing");
    CHECK(manifest_check_schedule(&manifest, exists_but, missing, &error) == 0,
          "no policy is named");
    CHECK(parse("schedule fs/fat\n" A) == 0 &&
              manifest_check_schedule(&manifest, exists_but, none, &error) ==
                  0 &&
              manifest_check_schedule(&manifest, exists_but, missing, &error) ==
                  -1 &&
              error_is(1, 10, "schedule \"fs/fat\" is no policy"),
          "a policy is there, or not");
    CHECK(parse(good_text) == 0, "the good manifest once more");
    CHECK(manifest_check_memory(&manifest, 11010048, &error) == 0,
          "memory is enough");
    CHECK(manifest_check_memory(&manifest, 11010047, &error) == -1 &&
              error_is(31, 8,
                       "memory of \"sd\": it asks for 1024K, left are "
                       "1023K"),
          "memory is not enough, by default");
    CHECK(manifest_check_memory(&manifest, 4 << 20, &error) == -1 &&
              error_is(30, 12,
                       "memory of \"fat\": it asks for 8192K, left are "
                       "2560K"),
          "memory is not enough, as said");
}

/* ------------------------------------------------------------------ */
/* Damage                                                             */
/* ------------------------------------------------------------------ */

/* Each result must be a good manifest or a message with a place in the text. */
static bool parse_is_sound(const char *text, size_t n)
{
    if (parse_bytes(text, n) == 0) {
        return manifest.domain_count > 0 && manifest.domain_count <= 32;
    }
    return is_empty(&manifest) && error.line <= 40 &&
           memchr(error.message, '\0', sizeof(error.message)) != NULL &&
           error.message[0] != '\0';
}

static void test_damage(void)
{
    static const char bytes[] = "\0\n \"#\xff"
                                "0x-az\r\t";
    char text[sizeof(good_text)];
    bool good = true;
    size_t i;
    size_t j;

    for (i = 0; i < sizeof(good_text); i++) {
        good &= parse_is_sound(good_text, i);
        for (j = 0; j < sizeof(bytes); j++) {
            memcpy(text, good_text, sizeof(text));
            text[i] = bytes[j];
            good &= parse_is_sound(text, sizeof(text) - 1);
        }
    }
    CHECK(good, "a text that is cut or damaged anywhere");
}

static void file_check(const char *path)
{
    FILE *file = fopen(path, "rb");
    size_t n = 0;

    if (CHECK(file != NULL, path)) {
        n = fread(big, 1, sizeof(big), file);
        fclose(file);
    }
    if (!CHECK(parse_bytes(big, n) == 0, "... is a good manifest")) {
        printf("# %s:%u:%u: %s\n", path, error.line, error.column,
               error.message);
    }
}

int main(int argc, char **argv)
{
    int i;

    for (i = 1; i < argc; i++) {
        file_check(argv[i]);
    }
    if (argc > 1) {
        return tap_end();
    }
    test_good();
    test_refusals();
    test_edges();
    test_line_length();
    test_text_length();
    test_counts();
    test_strings_full();
    test_pins_full();
    test_long_chain();
    test_machine();
    test_damage();
    return tap_end();
}
