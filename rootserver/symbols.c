/* SPDX-License-Identifier: BSL-1.0 */
/* A program's symbols, copied; see symbols.h. */
#include "symbols.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "elf_format.h"

_Static_assert(sizeof(struct symbol) == 24, "ELF64 symbol");

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
           symbols->entsize == sizeof(struct symbol) &&
           names->type == ELF_SECTION_STRTAB &&
           elf_inside(file_bytes, symbols->offset, symbols->size) &&
           elf_inside(file_bytes, names->offset, names->size);
}

uint64_t symbols_measure(const void *file, uint64_t file_bytes,
                         struct symbols_source *source)
{
    struct elf_section symbols;
    struct elf_section names;
    uint64_t count;

    if (!sections_find(file, file_bytes, &symbols, &names)) {
        return 0;
    }
    count = symbols.size / sizeof(struct symbol);
    if (count == 0 || count > SYMBOLS_MAX || names.size >= UINT32_MAX) {
        return 0;
    }
    *source = (struct symbols_source){file, symbols.offset, names.offset,
                                      (uint32_t)count, (uint32_t)names.size};
    return sizeof(struct symbol_table) + count * sizeof(struct symbol) +
           names.size + 1;
}

void symbols_copy(const struct symbols_source *source,
                  struct symbol_table *table)
{
    const uint8_t *file = source->file;
    char *names = (char *)&table->symbol[source->count];

    table->count = source->count;
    table->names_bytes = source->names_bytes + 1;
    memcpy(table->symbol, file + source->symbols_offset,
           source->count * sizeof(struct symbol));
    memcpy(names, file + source->names_offset, source->names_bytes);
    names[source->names_bytes] = '\0';
}
