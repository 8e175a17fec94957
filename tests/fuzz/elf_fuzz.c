/* SPDX-License-Identifier: BSL-1.0 */
/*
 * elf_fuzz.c - libFuzzer: any bytes as a program file.
 *
 * What elf.h and symbols.h promise is checked by other means than the code
 * uses: a map of the rights of each page, not comparisons of neighbours.
 */
#include "libos/core/symbol.h"
#include "rootserver/elf.h"
#include "rootserver/symbols.h"

#include <stdlib.h>
#include <string.h>

/* Greater images are planned, but not loaded or mapped: that is slow. */
enum { LOAD_MAX_BYTES = 8 << 20 };

#define REQUIRE(condition)                                                     \
    do {                                                                       \
        if (!(condition)) {                                                    \
            abort();                                                           \
        }                                                                      \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void segment_require(const struct elf_segment *s, size_t size,
                            uint64_t span_bytes)
{
    REQUIRE(s->memory_bytes > 0 && s->file_bytes <= s->memory_bytes);
    REQUIRE(s->vaddr <= span_bytes && s->memory_bytes <= span_bytes - s->vaddr);
    REQUIRE(s->file_offset <= size && s->file_bytes <= size - s->file_offset);
    REQUIRE(s->vaddr % 4096 == s->file_offset % 4096);
    REQUIRE(s->rights == 4 || s->rights == 5 || s->rights == 6);
}

/* Marks each page and slot with the rights that it must have. */
static void rights_require(const struct elf_plan *plan)
{
    static uint8_t pages[LOAD_MAX_BYTES / ELF_PAGE_BYTES];
    static uint8_t slots[LOAD_MAX_BYTES / ELF_SLOT_BYTES];
    uint32_t i;
    uint64_t at;

    memset(pages, 0, sizeof(pages));
    memset(slots, 0, sizeof(slots));
    for (i = 0; i < plan->segment_count; i++) {
        const struct elf_segment *s = &plan->segments[i];
        uint64_t last = s->vaddr + s->memory_bytes - 1;

        for (at = s->vaddr / 4096; at <= last / 4096; at++) {
            uint8_t mark = (s->rights & ELF_WRITE) != 0 ? 2 : 1;
            uint8_t *slot = &slots[at * 4096 / ELF_SLOT_BYTES];

            REQUIRE(pages[at] == 0 || pages[at] == s->rights);
            REQUIRE(*slot == 0 || *slot == mark);
            pages[at] = (uint8_t)s->rights;
            *slot = mark;
        }
    }
    REQUIRE((pages[plan->entry / 4096] & ELF_EXECUTE) != 0);
}

static void plan_require(const struct elf_plan *plan, size_t size)
{
    uint32_t i;

    REQUIRE(plan->segment_count >= 1 &&
            plan->segment_count <= ELF_SEGMENTS_MAX);
    REQUIRE(plan->span_bytes <= ELF_SPAN_MAX_BYTES &&
            plan->span_bytes % 4096 == 0);
    for (i = 0; i < plan->segment_count; i++) {
        segment_require(&plan->segments[i], size, plan->span_bytes);
        REQUIRE(i == 0 || plan->segments[i].vaddr >=
                              plan->segments[i - 1].vaddr +
                                  plan->segments[i - 1].memory_bytes);
    }
    REQUIRE(plan->entry % 4 == 0 && plan->entry < plan->span_bytes);
    REQUIRE(plan->rela_offset <= size &&
            plan->rela_count <= (size - plan->rela_offset) / 24);
}

/* The image in memory; not cleared, since nobody reads it. */
static uint8_t memory[LOAD_MAX_BYTES];

static uint8_t *memory_at(void *context, uint64_t offset)
{
    const struct elf_plan *plan = context;

    REQUIRE(offset <= plan->span_bytes - 8 && offset % 8 == 0);
    return memory + offset;
}

static void load(const uint8_t *data, size_t size, struct elf_plan *plan)
{
    struct elf_target target = {0, memory_at, plan};
    struct elf_fault fault = {NULL, 0};
    uint32_t i;

    for (i = 0; i < plan->segment_count; i++) {
        memcpy(memory + plan->segments[i].vaddr,
               data + plan->segments[i].file_offset,
               plan->segments[i].file_bytes);
    }
    REQUIRE(elf_relocate(data, size, plan, &target, &fault) == 0 ||
            fault.reason != NULL);
}

static void symbols_require(const uint8_t *data, size_t size)
{
    struct symbols_source source;
    uint64_t bytes = symbols_measure(data, size, &source);
    struct symbol_table *table;
    const char *name;
    uint64_t away;

    if (bytes == 0) {
        return;
    }
    table = malloc(bytes);
    symbols_copy(&source, table);
    REQUIRE(bytes == sizeof(*table) + table->names_bytes +
                         table->count * sizeof(table->symbol[0]));
    name = symbol_find(table, 0x210, &away);
    REQUIRE(name == NULL || (*name != '\0' && away <= 0x210 &&
                             strlen(name) < table->names_bytes));
    free(table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct elf_plan plan;
    struct elf_fault fault = {NULL, 0};

    symbols_require(data, size);
    if (elf_plan(data, size, &plan, &fault) != 0) {
        REQUIRE(fault.reason != NULL);
        return 0;
    }
    plan_require(&plan, size);
    if (plan.span_bytes <= LOAD_MAX_BYTES) {
        rights_require(&plan);
        load(data, size, &plan);
    }
    return 0;
}
