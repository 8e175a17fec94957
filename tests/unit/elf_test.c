/* SPDX-License-Identifier: BSL-1.0 */
/*
 * elf_test.c - the ELF checks and relocation, on the build machine.
 *
 * Each case changes one number of a good image and says which refusal must
 * follow. Then: files that are cut anywhere, and a file that another thread
 * changes all the time.
 */
#include "tests/unit/elf_image.h"
#include "tests/unit/symbols_copy.h"
#include "tests/unit/tap.h"

#include <pthread.h>

/* ------------------------------------------------------------------ */
/* Refusals                                                           */
/* ------------------------------------------------------------------ */

static const struct change changes[] = {
    {"bad magic", 1, 'X', 1, "not an ELF file"},
    {"32-bit class", 4, 1, 1, "32-bit ELF"},
    {"class 3", 4, 3, 1, "unknown ELF class"},
    {"big-endian", 5, 2, 1, "big-endian"},
    {"byte order 0", 5, 0, 1, "unknown byte order"},
    {"ident version", 6, 0, 1, "unknown ELF version"},
    {"x86-64", 18, 62, 2, "is for x86-64, this is AArch64"},
    {"x86", 18, 3, 2, "is for x86,"},
    {"Arm", 18, 40, 2, "32-bit Arm"},
    {"RISC-V", 18, 243, 2, "RISC-V"},
    {"machine 0", 18, 0, 2, "another machine"},
    {"object file", 16, 1, 2, "object file"},
    {"fixed addresses", 16, 2, 2, "-static-pie"},
    {"core dump", 16, 4, 2, "core dump"},
    {"type 0xffff", 16, 0xffff, 2, "unknown ELF kind"},
    {"version 2", 20, 2, 4, "unknown ELF version"},
    {"header size", 52, 63, 2, "header size is not 64"},
    {"phentsize 32", 54, 32, 2, "size is not 56"},
    {"phnum 0", 56, 0, 2, "nothing to load: program headers"},
    {"phnum 65", 56, 65, 2, "more than 64"},
    {"phnum 65535", 56, 65535, 2, "more than 64"},
    {"phoff at the end", 32, FILE_BYTES - 8, 8, "its program headers"},
    {"phoff wraps", 32, UINT64_MAX - 55, 8, "its program headers"},
    {"phoff 2^63", 32, UINT64_C(1) << 63, 8, "its program headers"},
    {"entry in data", 24, DATA_VADDR + DATA, 8, "outside its executable"},
    {"entry nowhere", 24, 0x9000, 8, "outside its executable"},
    {"entry 2^64-1", 24, UINT64_MAX, 8, "outside its executable"},
    {"entry at the edge", 24, RELA - 3, 8, "outside its executable"},
    {"entry odd", 24, TEXT + 2, 8, "no multiple of 4"},
    {"W+X", PH_TEXT + P_FLAGS, 7, 4, "both writable and executable"},
    {"execute only", PH_TEXT + P_FLAGS, 1, 4, "not readable"},
    {"no rights", PH_TEXT + P_FLAGS, 0, 4, "not readable"},
    {"filesz > memsz", PH_DATA + P_FILESZ, 4097, 8, "more file than memory"},
    {"filesz 2^64-1", PH_DATA + P_FILESZ, UINT64_MAX, 8,
     "more file than memory"},
    {"offset + filesz wraps", PH_DATA + P_OFFSET, UINT64_MAX - 31, 8,
     "one of its segments"},
    {"offset past the file", PH_DATA + P_OFFSET, 0x1500, 8,
     "one of its segments"},
    {"memsz 2^63", PH_DATA + P_MEMSZ, UINT64_C(1) << 63, 8, "1024 MiB"},
    {"memsz 2^64-1", PH_DATA + P_MEMSZ, UINT64_MAX, 8, "1024 MiB"},
    {"memsz 3000 MiB", PH_DATA + P_MEMSZ, UINT64_C(3000) << 20, 8,
     "1024 MiB that a program may have: MiB"},
    {"ends past 1 GiB", PH_DATA + P_MEMSZ, (1u << 30) - DATA_VADDR, 8,
     "ends beyond 1024 MiB"},
    {"vaddr wraps", PH_DATA + P_VADDR, UINT64_MAX - 0xaff, 8,
     "ends beyond 1024 MiB"},
    {"offset not congruent", PH_DATA + P_VADDR, DATA_VADDR + DATA + 8, 8,
     "differ modulo 4096"},
    {"adjacent, same page", PH_RO + P_VADDR, RELA, 8,
     "different rights in one 4 KiB page"},
    {"descending", PH_DATA + P_VADDR, DATA, 8, "overlap or do not ascend"},
    {"memory overlaps", PH_TEXT + P_MEMSZ, RO_VADDR + RELA + 1, 8,
     "overlap or do not ascend"},
    {"shared page", PH_TEXT + P_MEMSZ, RO_VADDR + 1, 8,
     "different rights in one 4 KiB page"},
    {"shared slot", PH_DATA + P_VADDR, 0x20000 + DATA, 8,
     "Vesper gives rights per slot"},
    {"memory reaches the page", PH_RO + P_MEMSZ,
     DATA_VADDR - RO_VADDR - RELA + 1, 8, "different rights in one 4 KiB"},
    {"memory reaches the slot", PH_DATA + P_VADDR, RO_VADDR + 0x1000 + DATA, 8,
     "Vesper gives rights per slot"},
    {"not at 0", PH_TEXT + P_VADDR, DATA_VADDR, 8, "not linked at address 0"},
    {"interpreter", PH_NOTE + P_TYPE, 3, 4, "dynamic linker"},
    {"no dynamic", PH_DYNAMIC + P_TYPE, 4, 4, "no dynamic section"},
    {"two dynamics", PH_NOTE + P_TYPE, 2, 4, "two dynamic sections"},
    {"dynamic past the file", PH_DYNAMIC + P_OFFSET, FILE_BYTES - 8, 8,
     "its dynamic section"},
    {"dynamic wraps", PH_DYNAMIC + P_OFFSET, UINT64_MAX - 7, 8,
     "its dynamic section"},
    {"dynamic without end", DYNAMIC + 48, 21, 8, "without an end"},
    {"dynamic empty", PH_DYNAMIC + P_FILESZ, 0, 8, "without an end"},
    {"needed library", DYNAMIC + 48, 1, 8, "shared library"},
    {"relocation size", DYNAMIC + 40, 16, 8, "size is not 24"},
    {"relocation bytes", DYNAMIC + 24, 47, 8, "no multiple of 24"},
    {"relocations outside", DYNAMIC + 8, 0x9000, 8, "table outside"},
    {"relocations wrap", DYNAMIC + 8, UINT64_MAX - 23, 8, "table outside"},
    {"relocations too many", DYNAMIC + 24, 24 * 100, 8, "table outside"},
    {"relocations 2^63", DYNAMIC + 24, (UINT64_C(1) << 63) / 24 * 24, 8,
     "table outside"},
    {"relocations in bss", DYNAMIC + 8, DATA_VADDR + DATA + 64, 8,
     "table outside"},
};

static void test_changes(void)
{
    char what[100];
    size_t i;

    for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        image_make();
        put(image, changes[i].at, changes[i].value, changes[i].bytes);
        snprintf(what, sizeof(what), "refuses: %s", changes[i].what);
        CHECK(refused(image, sizeof(image), changes[i].reason), what);
    }
}

static void test_dynamic_tags(void)
{
    static const uint64_t tags[] = {2, 18, 35};
    size_t i;

    for (i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
        image_make();
        put(image, DYNAMIC + 32, tags[i], 8); /* its value is 24 */
        CHECK(refused(image, sizeof(image), "other than .rela.dyn"),
              "refuses relocations of another kind");
    }
}

static void test_other_files(void)
{
    unsigned i;

    CHECK(refused(image, 0, "is empty"), "refuses an empty file");
    CHECK(refused((const uint8_t *)"hi\n", 3, "not an ELF file"),
          "refuses a short text");
    image_make();
    CHECK(refused(image, 63, "the ELF header has 64 bytes"),
          "refuses half a header");
    CHECK(refused(image, 200, "its program headers"),
          "refuses half the program headers");
    image_make();
    put(image, PHOFF + 5 * 56, 0, 8);
    put(image, 56, 5 + 7, 2);
    for (i = 5; i < 12; i++) {
        /* Nine loadable segments, one page each, in the slot of the data. */
        program_put(PHOFF + i * 56, 1, 6, DATA, DATA_VADDR + 0x10000 * i + DATA,
                    8, 8);
    }
    put(image, PH_DYNAMIC, 0, 4);
    CHECK(refused(image, sizeof(image), "more than 8 loadable"),
          "refuses nine segments");
    image_make();
    put(image, PH_TEXT, 0, 4);
    put(image, PH_RO, 0, 4);
    put(image, PH_DATA, 0, 4);
    CHECK(refused(image, sizeof(image), "nothing to load: loadable"),
          "refuses a file without segments");
}

/* What is just allowed, and the numbers in the messages. */
static void test_edges(void)
{
    struct elf_plan plan = {0};
    struct elf_fault fault = {"", 0};

    image_make();
    put(image, PH_DATA + P_MEMSZ, (1u << 30) - DATA_VADDR - DATA, 8);
    CHECK(plan_bytes(image, sizeof(image), &plan, &fault) == 0 &&
              plan.span_bytes == 1u << 30,
          "accepts 1 GiB");
    put(image, PH_DATA + P_MEMSZ, 1u << 30, 8);
    CHECK(refused(image, sizeof(image), "ends beyond 1024 MiB"),
          "refuses 1 GiB that begins later");
    put(image, PH_DATA + P_MEMSZ, 0x1000 - DATA, 8);
    CHECK(plan_bytes(image, sizeof(image), &plan, &fault) == 0 &&
              plan.span_bytes == DATA_VADDR + 0x1000,
          "ends with a page");
    put(image, PH_DATA + P_MEMSZ, 0x1001 - DATA, 8);
    CHECK(plan_bytes(image, sizeof(image), &plan, &fault) == 0 &&
              plan.span_bytes == DATA_VADDR + 0x2000,
          "ends behind a page");
    image_make();
    put(image, PH_TEXT + P_MEMSZ, RO_VADDR, 8);
    put(image, PH_RO + P_MEMSZ, DATA_VADDR - RO_VADDR - RELA, 8);
    CHECK(plan_bytes(image, sizeof(image), &plan, &fault) == 0,
          "segments that fill their page and slot");
    put(image, PH_DATA + P_MEMSZ, UINT64_C(3000) << 20, 8);
    CHECK(plan_bytes(image, sizeof(image), &plan, &fault) == -1 &&
              fault.where == 3000,
          "says how many MiB");
    CHECK(plan_bytes(image, 200, &plan, &fault) == -1 &&
              fault.where == PHOFF + 5 * 56,
          "says where headers should end");
    put(image, 32, UINT64_MAX, 8);
    CHECK(plan_bytes(image, sizeof(image), &plan, &fault) == -1 &&
              fault.where == UINT64_MAX,
          "... which does not wrap");
}

static void test_many_headers(void)
{
    enum { HEADERS = ELF_PROGRAMS_MAX, TAGS = ELF_DYNAMIC_MAX };
    uint8_t *file = calloc(1, 0x4000);
    struct elf_plan plan;
    struct elf_fault fault;
    unsigned i;

    image_make();
    memcpy(file, image, sizeof(image));
    memcpy(file + 0x1000, image + PHOFF, 5 * 56);
    put(file, 32, 0x1000, 8);
    put(file, 56, HEADERS, 2);
    CHECK(plan_bytes(file, 0x4000, &plan, &fault) == 0,
          "accepts 64 program headers");
    memcpy(file + 0x2000, image + DYNAMIC, 48);
    for (i = 3; i < TAGS; i++) {
        put(file, 0x2000 + i * 16, 21, 8);
    }
    put(file, 0x1000 + 3 * 56 + P_OFFSET, 0x2000, 8);
    put(file, 0x1000 + 3 * 56 + P_FILESZ, 0x2000, 8);
    CHECK(refused(file, 0x4000, "without an end"),
          "refuses 256 dynamic entries and no end");
    put(file, 0x2000 + (TAGS - 1) * 16, 0, 8);
    CHECK(plan_bytes(file, 0x4000, &plan, &fault) == 0 && plan.rela_count == 2,
          "accepts 256 with the end");
    free(file);
}

/* Cut at every length: refused, or all that the plan needs is there. */
static void test_truncated(void)
{
    struct elf_plan plan;
    struct elf_fault fault;
    bool good = true;
    uint64_t bytes;

    image_make();
    for (bytes = 0; bytes < sizeof(image); bytes++) {
        if ((plan_bytes(image, bytes, &plan, &fault) == 0) !=
            (bytes >= DATA + 64)) {
            printf("# length %llu\n", (unsigned long long)bytes);
            good = false;
        }
    }
    CHECK(good, "a file cut anywhere before its last segment is refused");
}

/* ------------------------------------------------------------------ */
/* A good file                                                        */
/* ------------------------------------------------------------------ */

static void test_plan(void)
{
    struct elf_plan plan;
    struct elf_fault fault;

    image_make();
    CHECK(plan_bytes(image, sizeof(image), &plan, &fault) == 0,
          "accepts a good file");
    CHECK(plan.segment_count == 3, "three segments");
    CHECK(plan.entry == TEXT, "entry");
    CHECK(plan.span_bytes == DATA_VADDR + 0x2000, "span in whole pages");
    CHECK(plan.rela_offset == RELA && plan.rela_count == 2, "relocations");
    CHECK(plan.segments[0].rights == (ELF_READ | ELF_EXECUTE) &&
              plan.segments[1].rights == ELF_READ &&
              plan.segments[2].rights == (ELF_READ | ELF_WRITE),
          "rights");
    CHECK(plan.segments[2].vaddr == DATA_VADDR + DATA &&
              plan.segments[2].file_offset == DATA &&
              plan.segments[2].file_bytes == 64 &&
              plan.segments[2].memory_bytes == 4096,
          "data segment");
    put(image, DYNAMIC + 24, 0, 8);
    CHECK(plan_bytes(image, sizeof(image), &plan, &fault) == 0 &&
              plan.rela_count == 0,
          "accepts a file without relocations");
    image_make();
    put(image, DYNAMIC + 40, 0, 8); /* DT_RELAENT becomes DT_PLTRELSZ 0 */
    put(image, DYNAMIC + 32, 2, 8);
    put(image, DYNAMIC + 24, 0, 8);
    CHECK(plan_bytes(image, sizeof(image), &plan, &fault) == 0,
          "accepts an empty table of other relocations");
    image_make();
    put(image, PH_RO + P_FILESZ, 0, 8);
    put(image, PH_RO + P_MEMSZ, 0, 8);
    put(image, PH_RO + P_VADDR, RELA, 8);
    put(image, DYNAMIC + 24, 0, 8);
    CHECK(plan_bytes(image, sizeof(image), &plan, &fault) == 0 &&
              plan.segment_count == 2,
          "an empty segment is no segment");
}

/* ------------------------------------------------------------------ */
/* Relocation                                                         */
/* ------------------------------------------------------------------ */

static uint64_t get(const uint8_t *from)
{
    uint64_t value;

    memcpy(&value, from, sizeof(value));
    return value;
}

enum { MEMORY_BYTES = DATA_VADDR + 0x2000 };

struct memory {
    uint8_t *bytes;
    unsigned calls;
    bool refuse;
};

static uint8_t *memory_at(void *context, uint64_t offset)
{
    struct memory *memory = context;

    memory->calls++;
    if (memory->refuse || offset % 8 != 0 || offset > MEMORY_BYTES - 8) {
        return NULL;
    }
    return memory->bytes + offset;
}

/* The plan stands for a longer file than there is now. */
static void test_relocate_short(struct memory *memory)
{
    struct elf_target target = {0, memory_at, memory};
    struct elf_plan plan;
    struct elf_fault fault = {"", 0};

    image_make();
    CHECK(elf_plan(image, sizeof(image), &plan, &fault) == 0 &&
              elf_relocate(image, RELA + 47, &plan, &target, &fault) == -1 &&
              strstr(fault.reason, "a relocation ends past") != NULL &&
              fault.where == 1,
          "refuses relocations that are cut");
}

/* Relocates the image as it is, at `load`; the reason is "" on success. */
static const char *relocate(struct memory *memory, uint64_t load)
{
    struct elf_target target = {load, memory_at, memory};
    struct elf_plan plan;
    struct elf_fault fault = {"", 0};

    memset(memory->bytes, 0, MEMORY_BYTES);
    if (elf_plan(image, sizeof(image), &plan, &fault) == 0) {
        elf_relocate(image, sizeof(image), &plan, &target, &fault);
    }
    return fault.reason;
}

static void relocation_refused(struct memory *memory, uint64_t at,
                               uint64_t value, const char *reason)
{
    const char *found;

    image_make();
    put(image, RELA + at, value, 8);
    found = relocate(memory, 0);
    if (!CHECK(strstr(found, reason) != NULL, reason)) {
        printf("# reason: %s\n", found);
    }
}

static void test_relocate(void)
{
    struct memory memory = {malloc(MEMORY_BYTES), 0, false};
    const uint64_t load = UINT64_C(0x40000000);

    image_make();
    CHECK(*relocate(&memory, load) == '\0', "relocates a good file");
    CHECK(memory.calls == 2, "one call for each relocation");
    CHECK(get(memory.bytes + DATA_VADDR + DATA) == load + 0x210,
          "first word is load address plus addend");
    CHECK(get(memory.bytes + DATA_VADDR + DATA + 0x800) ==
              load + DATA_VADDR + 8,
          "a word in the zeroed part");
    CHECK(strstr(relocate(&memory, load + 4096), "no multiple of 2 MiB") !=
              NULL,
          "refuses an unaligned load address");
    memory.refuse = true;
    CHECK(strstr(relocate(&memory, load), "gave no memory") != NULL,
          "refuses where the callback does");
    memory.refuse = false;
    image_make();
    put(image, RELA + 8, 0, 8);
    CHECK(*relocate(&memory, load) == '\0' &&
              get(memory.bytes + DATA_VADDR + DATA) == 0,
          "R_AARCH64_NONE does nothing");
    relocation_refused(&memory, 8, 1025, "other than R_AARCH64_RELATIVE");
    relocation_refused(&memory, 8, 1032, "other than R_AARCH64_RELATIVE");
    relocation_refused(&memory, 8, UINT64_C(1) << 32 | 1027,
                       "other than R_AARCH64_RELATIVE");
    relocation_refused(&memory, 0, TEXT, "inside code");
    relocation_refused(&memory, 0, 0x9000, "relocation outside");
    relocation_refused(&memory, 0, UINT64_MAX - 7, "relocation outside");
    relocation_refused(&memory, 0, DATA_VADDR + DATA + 4096 - 4,
                       "relocation outside");
    relocation_refused(&memory, 0, DATA_VADDR + DATA + 4, "not 8-byte");
    image_make();
    put(image, RELA, RO_VADDR + RELA + 0x1f8, 8);
    CHECK(*relocate(&memory, load) == '\0', "read-only data may be relocated");
    test_relocate_short(&memory);
    free(memory.bytes);
}

/* ------------------------------------------------------------------ */
/* A file that changes meanwhile                                      */
/* ------------------------------------------------------------------ */

struct changer {
    uint8_t *file;
    volatile bool stop;
};

/* Flips numbers of the file between good and bad as fast as it can. */
static void *changer_run(void *context)
{
    struct changer *changer = context;
    uint32_t random = 7;
    size_t i;

    while (!changer->stop) {
        random = random * 1664525 + 1013904223;
        i = (random >> 8) % (sizeof(changes) / sizeof(changes[0]));
        put(changer->file, changes[i].at, changes[i].value, changes[i].bytes);
        memcpy(changer->file + changes[i].at, image + changes[i].at,
               changes[i].bytes);
        put(changer->file, NAMES + random % 32, random >> 24, 1);
        put(changer->file, SYMBOLS + 24 + 8, random % RELA, 8);
    }
    return NULL;
}

static void test_changing_file(void)
{
    struct changer changer = {malloc(FILE_BYTES), false};
    struct memory memory = {malloc(MEMORY_BYTES), 0, false};
    struct elf_target target = {0, memory_at, &memory};
    struct elf_plan plan;
    struct elf_fault fault;
    pthread_t thread;
    bool sound = true;
    unsigned accepted = 0;
    unsigned i;

    image_make();
    memcpy(changer.file, image, sizeof(image));
    pthread_create(&thread, NULL, changer_run, &changer);
    for (i = 0; i < 200000; i++) {
        if (elf_plan(changer.file, FILE_BYTES, &plan, &fault) == 0) {
            accepted++;
            sound &= plan_is_sound(&plan, FILE_BYTES);
            elf_relocate(changer.file, FILE_BYTES, &plan, &target, &fault);
        }
        if (i % 8 == 0) {
            free(table_make(changer.file, FILE_BYTES));
        }
    }
    changer.stop = true;
    pthread_join(thread, NULL);
    printf("# accepted %u of %u\n", accepted, i);
    CHECK(sound && accepted > 0, "plans of a changing file are sound");
    free(changer.file);
    free(memory.bytes);
}

int main(void)
{
    test_plan();
    test_changes();
    test_dynamic_tags();
    test_other_files();
    test_edges();
    test_many_headers();
    test_truncated();
    test_relocate();
    test_changing_file();
    return tap_end();
}
