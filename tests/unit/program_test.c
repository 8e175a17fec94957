/* SPDX-License-Identifier: BSL-1.0 */
/*
 * program_test.c - programs as the cross compiler makes them.
 *
 * With a path as argument it prints the plan of that program instead.
 */
#include "tests/unit/elf_image.h"
#include "tests/unit/symbols_copy.h"
#include "tests/unit/tap.h"

#include <unistd.h>

static uint8_t *file_read(const char *path, uint64_t *bytes)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data;

    if (file == NULL) {
        return NULL;
    }
    fseek(file, 0, SEEK_END);
    *bytes = (uint64_t)ftell(file);
    rewind(file);
    data = malloc(*bytes);
    if (fread(data, 1, *bytes, file) != *bytes) {
        *bytes = 0;
    }
    fclose(file);
    return data;
}

static const char program[] =
    "static int number; int *table[] = { &number, &number + 1 };"
    "const char *const names[] = { \"a\", \"b\" };"
    "void helper(void); void helper(void) { __asm__(\"nop\"); }"
    "void _start(void); void _start(void) { helper(); table[0]++; for (;;); }";

/* Compiles `program` with extra flags to `path`; false if that fails. */
static bool program_build(const char *path, const char *flags)
{
    char command[600];
    char source[80];
    FILE *file;

    snprintf(source, sizeof(source), "%s.c", path);
    file = fopen(source, "w");
    if (file == NULL) {
        return false;
    }
    fputs(program, file);
    fclose(file);
    snprintf(command, sizeof(command),
             "aarch64-linux-gnu-gcc -O1 -nostdlib "
             "-fPIE %s -o %s %s",
             flags, path, source);
    return system(command) == 0;
}

static void real_refused(const char *path, const char *flags,
                         const char *reason)
{
    uint64_t bytes = 0;
    uint8_t *file = NULL;

    if (program_build(path, flags)) {
        file = file_read(path, &bytes);
    }
    CHECK(file != NULL && refused(file, bytes, reason), reason);
    free(file);
}

static void real_accepted(const char *path)
{
    uint64_t bytes = 0;
    struct elf_plan plan = {0};
    struct elf_fault fault = {"", 0};
    struct symbol_table *table;
    uint8_t *file;

    if (!CHECK(program_build(path, "-static-pie -Wl,-z,max-page-size=2097152"),
               "a real program builds")) {
        return;
    }
    file = file_read(path, &bytes);
    if (!CHECK(elf_plan(file, bytes, &plan, &fault) == 0,
               "a real program is accepted")) {
        printf("# %s %llu\n", fault.reason, (unsigned long long)fault.where);
    }
    CHECK(plan_is_sound(&plan, bytes) && plan.rela_count == 4,
          "... with its four pointers");
    table = table_make(file, bytes);
    CHECK(table != NULL && found_is(table, plan.entry, "_start", 0),
          "... and its entry is _start");
    free(table);
    free(file);
}

static void test_real(void)
{
    char folder[] = "/tmp/elf_test.XXXXXX";
    char path[40];
    char command[60];

    if (system("aarch64-linux-gnu-gcc --version >/dev/null 2>&1") != 0) {
        tap_skip("a real program", "no aarch64-linux-gnu-gcc");
        return;
    }
    if (!CHECK(mkdtemp(folder) != NULL, "a folder for the real programs")) {
        return;
    }
    snprintf(path, sizeof(path), "%s/program", folder);
    real_accepted(path);
    real_refused(path, "-static-pie", "Vesper gives rights per slot");
    real_refused(path, "-static", "is linked at fixed addresses");
    real_refused(path, "-c", "is an object file");
    real_refused(path, "-pie -Wl,-z,max-page-size=2097152",
                 "needs a dynamic linker");
    snprintf(command, sizeof(command), "rm -r %s", folder);
    CHECK(system(command) == 0, "cleans up");
}

/* With a path: is that file accepted? Prints its plan. */
static int plan_print(const char *path)
{
    uint64_t bytes = 0;
    uint8_t *file = file_read(path, &bytes);
    struct elf_plan plan;
    struct elf_fault fault = {"cannot be read: bytes", 0};
    uint32_t i;

    if (file == NULL || elf_plan(file, bytes, &plan, &fault) != 0) {
        printf("%s %s %llu\n", path, fault.reason,
               (unsigned long long)fault.where);
        free(file);
        return 1;
    }
    for (i = 0; i < plan.segment_count; i++) {
        printf("%8llx +%8llx rights %u\n",
               (unsigned long long)plan.segments[i].vaddr,
               (unsigned long long)plan.segments[i].memory_bytes,
               plan.segments[i].rights);
    }
    printf("entry %llx, span %llx, relocations %llu\n",
           (unsigned long long)plan.entry, (unsigned long long)plan.span_bytes,
           (unsigned long long)plan.rela_count);
    free(file);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2) {
        return plan_print(argv[1]);
    }
    test_real();
    return tap_end();
}
