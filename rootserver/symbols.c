/* SPDX-License-Identifier: BSL-1.0 */
/*
 * symbols.c - the function names of a program, compact, for crash reports.
 *
 * Two passes over the file's symbols, measure and fill. The second trusts
 * nothing that the first found except its bounds, because the file may have
 * changed in between: it stops at the bounds that the buffer was made for.
 */
#include "symbols.h"

#include "elf_format.h"

#include <stddef.h>

/* Takes section header `index`; false if the file has none such. */
static bool section_copy(const void *file, uint64_t file_bytes,
                         const struct elf_header *header, uint32_t index,
                         struct elf_section *section)
{
    uint64_t table_bytes = header->shnum * sizeof(*section);

    if (index >= header->shnum || header->shentsize != sizeof(*section) ||
        !elf_inside(file_bytes, header->shoff, table_bytes)) {
        return false;
    }
    elf_take(file, header->shoff + index * sizeof(*section), section,
             sizeof(*section));
    return true;
}

/* Finds .symtab and its names; false if the file has no good ones. */
static bool sections_find(const void *file, uint64_t file_bytes,
                          struct elf_section *symbols,
                          struct elf_section *names)
{
    struct elf_header header;
    uint32_t i = 0;

    if (!elf_copy(file, file_bytes, 0, &header, sizeof(header))) {
        return false;
    }
    do {
        if (!section_copy(file, file_bytes, &header, i++, symbols)) {
            return false;
        }
    } while (symbols->type != ELF_SECTION_SYMTAB);
    return section_copy(file, file_bytes, &header, symbols->link, names) &&
           symbols->entsize == sizeof(struct elf_symbol) &&
           names->type == ELF_SECTION_STRTAB &&
           elf_inside(file_bytes, symbols->offset, symbols->size) &&
           elf_inside(file_bytes, names->offset, names->size);
}

static uint8_t name_byte(const struct symbols_source *source, uint64_t at)
{
    const volatile uint8_t *names = source->file;

    return names[source->names_offset + at];
}

static bool code_holds(const struct elf_plan *plan, uint64_t vaddr)
{
    uint32_t i;

    for (i = 0; i < plan->segment_count; i++) {
        const struct elf_segment *segment = &plan->segments[i];

        if ((segment->rights & ELF_EXECUTE) != 0 && vaddr >= segment->vaddr &&
            vaddr - segment->vaddr < segment->memory_bytes) {
            return true;
        }
    }
    return false;
}

/*
 * Takes symbol `index` if it names code. Assembly labels have no type and
 * count; "$x" and "$d" only mark where code and data begin, and do not.
 */
static bool symbol_take(const struct symbols_source *source, uint64_t index,
                        struct elf_symbol *symbol)
{
    uint8_t type;

    elf_take(source->file, source->symbols_offset + index * sizeof(*symbol),
             symbol, sizeof(*symbol));
    type = symbol->info & 15;
    return (type == ELF_SYMBOL_FUNC || type == ELF_SYMBOL_NOTYPE) &&
           symbol->shndx != 0 && symbol->name < source->names_bytes &&
           name_byte(source, symbol->name) != 0 &&
           name_byte(source, symbol->name) != '$' &&
           code_holds(source->plan, symbol->value);
}

static uint32_t name_length(const struct symbols_source *source, uint64_t at)
{
    uint32_t length = 0;

    while (length < SYMBOLS_NAME_MAX_BYTES &&
           at + length < source->names_bytes &&
           name_byte(source, at + length) != 0) {
        length++;
    }
    return length;
}

static uint64_t table_size(uint32_t count, uint32_t pool_bytes)
{
    return sizeof(struct symbols_table) +
           count * (uint64_t)sizeof(struct symbols_entry) + pool_bytes;
}

uint64_t symbols_measure(const void *file, uint64_t file_bytes,
                         const struct elf_plan *plan,
                         struct symbols_source *source)
{
    struct symbols_source found = {.file = file, .plan = plan};
    struct elf_section symbols;
    struct elf_section names;
    struct elf_symbol symbol;
    uint64_t i;

    if (!sections_find(file, file_bytes, &symbols, &names)) {
        return 0;
    }
    found.symbols_offset = symbols.offset;
    found.symbols_count = symbols.size / sizeof(symbol);
    found.names_offset = names.offset;
    found.names_bytes = names.size;
    for (i = 0; i < found.symbols_count; i++) {
        if (!symbol_take(&found, i, &symbol)) {
            continue;
        }
        if (found.count == SYMBOLS_MAX) {
            return 0;
        }
        found.count++;
        found.pool_bytes += name_length(&found, symbol.name) + 1;
    }
    if (found.count == 0) {
        return 0;
    }
    *source = found;
    return table_size(found.count, found.pool_bytes);
}

/*
 * Copies a name to `to`, at most room - 1 bytes and the NUL. Returns the bytes
 * written, or 0 if it does not fit. Bytes that a terminal might obey are
 * replaced, since crash reports are printed.
 */
static uint32_t name_copy(const struct symbols_source *source, uint64_t at,
                          char *to, uint32_t room)
{
    uint32_t n = 0;
    uint8_t byte;

    while (n < SYMBOLS_NAME_MAX_BYTES && at + n < source->names_bytes) {
        byte = name_byte(source, at + n);
        if (byte == 0) {
            break;
        }
        if (n + 1 >= room) {
            return 0;
        }
        to[n++] = (char)(byte > ' ' && byte < 0x7f ? byte : '?');
    }
    if (n >= room) {
        return 0;
    }
    to[n] = '\0';
    return n + 1;
}

static bool entry_less(const struct symbols_entry *a,
                       const struct symbols_entry *b)
{
    return a->offset != b->offset ? a->offset < b->offset : a->name < b->name;
}

/* Restores the heap order below `root`, where only `root` may break it. */
static void heap_sift(struct symbols_entry *entries, uint32_t root, uint32_t n)
{
    struct symbols_entry moved = entries[root];
    uint32_t child;

    while ((child = 2 * root + 1) < n) {
        if (child + 1 < n && entry_less(&entries[child], &entries[child + 1])) {
            child++;
        }
        if (!entry_less(&moved, &entries[child])) {
            break;
        }
        entries[root] = entries[child];
        root = child;
    }
    entries[root] = moved;
}

static void entries_sort(struct symbols_entry *entries, uint32_t n)
{
    struct symbols_entry top;
    uint32_t i;

    for (i = n / 2; i > 0; i--) {
        heap_sift(entries, i - 1, n);
    }
    for (i = n; i > 1; i--) {
        top = entries[0];
        entries[0] = entries[i - 1];
        entries[i - 1] = top;
        heap_sift(entries, 0, i - 1);
    }
}

int symbols_fill(const struct symbols_source *source,
                 struct symbols_table *table, uint64_t table_bytes)
{
    char *pool = (char *)&table->entries[source->count];
    struct elf_symbol symbol;
    uint32_t count = 0;
    uint32_t used = 0;
    uint32_t bytes;
    uint64_t i;

    if (table_bytes < table_size(source->count, source->pool_bytes)) {
        return -1;
    }
    for (i = 0; i < source->symbols_count; i++) {
        if (!symbol_take(source, i, &symbol)) {
            continue;
        }
        bytes = name_copy(source, symbol.name, pool + used,
                          source->pool_bytes - used);
        if (count == source->count || bytes == 0) {
            return -1;
        }
        table->entries[count].offset = (uint32_t)symbol.value;
        table->entries[count++].name = used;
        used += bytes;
    }
    if (count != source->count) {
        return -1;
    }
    table->count = count;
    table->pool_bytes = used;
    entries_sort(table->entries, count);
    return 0;
}

const char *symbols_find(const struct symbols_table *table,
                         uint64_t table_bytes, uint32_t offset,
                         uint32_t *distance)
{
    const char *pool;
    uint32_t low = 0;
    uint32_t high;

    if (table_bytes < sizeof(*table) || table->count > SYMBOLS_MAX ||
        table_bytes < table_size(table->count, table->pool_bytes)) {
        return NULL;
    }
    pool = (const char *)&table->entries[table->count];
    high = table->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (table->entries[middle].offset <= offset) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    /* Entry low - 1 is the last one that begins at or before `offset`. */
    if (low == 0 || table->entries[low - 1].name >= table->pool_bytes ||
        pool[table->pool_bytes - 1] != '\0') {
        return NULL;
    }
    *distance = offset - table->entries[low - 1].offset;
    return pool + table->entries[low - 1].name;
}
