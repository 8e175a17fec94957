/* SPDX-License-Identifier: BSL-1.0 */
/*
 * elf_format.h - the ELF64 records that the loader reads, and nothing more.
 *
 * Private to elf.c and symbols.c. Layouts and numbers: System V ABI, chapter
 * "Object Files", and ELF for the Arm 64-bit Architecture (AAELF64).
 *
 * Rule: no record is ever used in the file itself. Its supplier may change the
 * bytes while we look at them, so elf_copy() takes each record once, and all
 * checks and uses are of that copy.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum elf_format {
    ELF_CLASS = 4,   /* index into ident: 1 = 32 bit, 2 = 64 bit */
    ELF_DATA = 5,    /* index into ident: 1 = little-endian */
    ELF_VERSION = 6, /* index into ident: always 1 */

    ELF_TYPE_REL = 1,
    ELF_TYPE_EXEC = 2,
    ELF_TYPE_DYN = 3,
    ELF_TYPE_CORE = 4,

    ELF_MACHINE_386 = 3,
    ELF_MACHINE_ARM = 40,
    ELF_MACHINE_X86_64 = 62,
    ELF_MACHINE_AARCH64 = 183,
    ELF_MACHINE_RISCV = 243,

    ELF_PROGRAM_LOAD = 1,
    ELF_PROGRAM_DYNAMIC = 2,
    ELF_PROGRAM_INTERPRETER = 3,

    ELF_TAG_NULL = 0,
    ELF_TAG_NEEDED = 1,
    ELF_TAG_PLTRELSZ = 2,
    ELF_TAG_RELA = 7,
    ELF_TAG_RELASZ = 8,
    ELF_TAG_RELAENT = 9,
    ELF_TAG_RELSZ = 18,
    ELF_TAG_RELRSZ = 35,

    ELF_RELOC_NONE = 0,
    ELF_RELOC_RELATIVE = 1027,

    ELF_SECTION_SYMTAB = 2,
    ELF_SECTION_STRTAB = 3,

};

struct elf_header {
    uint8_t ident[16];
    uint16_t type;
    uint16_t machine;
    uint32_t version;
    uint64_t entry;
    uint64_t phoff;
    uint64_t shoff;
    uint32_t flags;
    uint16_t ehsize;
    uint16_t phentsize;
    uint16_t phnum;
    uint16_t shentsize;
    uint16_t shnum;
    uint16_t shstrndx;
};

struct elf_program {
    uint32_t type;
    uint32_t flags;
    uint64_t offset;
    uint64_t vaddr;
    uint64_t paddr;
    uint64_t filesz;
    uint64_t memsz;
    uint64_t align;
};

struct elf_dynamic {
    uint64_t tag;
    uint64_t value;
};

struct elf_rela {
    uint64_t offset;
    uint64_t info;
    uint64_t addend;
};

struct elf_section {
    uint32_t name;
    uint32_t type;
    uint64_t flags;
    uint64_t addr;
    uint64_t offset;
    uint64_t size;
    uint32_t link;
    uint32_t info;
    uint64_t addralign;
    uint64_t entsize;
};

_Static_assert(sizeof(struct elf_header) == 64, "ELF64 header");
_Static_assert(sizeof(struct elf_program) == 56, "ELF64 program header");
_Static_assert(sizeof(struct elf_dynamic) == 16, "ELF64 dynamic entry");
_Static_assert(sizeof(struct elf_rela) == 24, "ELF64 relocation");
_Static_assert(sizeof(struct elf_section) == 64, "ELF64 section header");

/* True if [offset, offset + bytes) lies inside a file of `file_bytes`. */
static inline bool elf_inside(uint64_t file_bytes, uint64_t offset,
                              uint64_t bytes)
{
    return bytes <= file_bytes && offset <= file_bytes - bytes;
}

/* Copies one record that is known to be inside the file. */
static inline void elf_take(const void *file, uint64_t offset, void *to,
                            size_t bytes)
{
    memcpy(to, (const uint8_t *)file + offset, bytes);
    /* The compiler must not read the file again in place of the copy. */
    __asm__ volatile("" ::: "memory");
}

/* Copies one record out of the file; false if it is not wholly inside. */
static inline bool elf_copy(const void *file, uint64_t file_bytes,
                            uint64_t offset, void *to, size_t bytes)
{
    if (!elf_inside(file_bytes, offset, bytes)) {
        return false;
    }
    elf_take(file, offset, to, bytes);
    return true;
}
