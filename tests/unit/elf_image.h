/* SPDX-License-Identifier: BSL-1.0 */
/*
 * elf_image.h - a good program file, made byte by byte, for the tests to spoil.
 *
 * Text and headers at 0, read-only data, then writable data in the next slot;
 * two relocations; three functions among seven symbols.
 */
#pragma once

#include "rootserver/elf.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Places in the image. */
enum {
    PHOFF = 64,
    PH_TEXT = PHOFF,
    PH_RO = PHOFF + 56,
    PH_DATA = PHOFF + 2 * 56,
    PH_DYNAMIC = PHOFF + 3 * 56,
    PH_NOTE = PHOFF + 4 * 56,
    TEXT = 0x200,
    RELA = 0x300,
    DYNAMIC = 0x400,
    DATA = 0x500,
    SECTIONS = 0x600,
    SYMBOLS = 0x700,
    NAMES = 0x800,
    FILE_BYTES = 0x900,
    RO_VADDR = 0x10000,
    DATA_VADDR = 0x200000,
    /* Fields of a program header. */
    P_TYPE = 0,
    P_FLAGS = 4,
    P_OFFSET = 8,
    P_VADDR = 16,
    P_FILESZ = 32,
    P_MEMSZ = 40,
};

static uint8_t image[FILE_BYTES];

static inline void put(uint8_t *file, uint64_t at, uint64_t value,
                       unsigned bytes)
{
    memcpy(file + at, &value, bytes);
}

static inline void program_put(uint64_t at, uint32_t type, uint32_t flags,
                               uint64_t offset, uint64_t vaddr, uint64_t filesz,
                               uint64_t memsz)
{
    put(image, at + P_TYPE, type, 4);
    put(image, at + P_FLAGS, flags, 4);
    put(image, at + P_OFFSET, offset, 8);
    put(image, at + P_VADDR, vaddr, 8);
    put(image, at + P_FILESZ, filesz, 8);
    put(image, at + P_MEMSZ, memsz, 8);
}

static inline void symbol_put(unsigned i, uint32_t name, uint8_t info,
                              uint16_t shndx, uint64_t value)
{
    put(image, SYMBOLS + i * 24, name, 4);
    put(image, SYMBOLS + i * 24 + 4, info, 1);
    put(image, SYMBOLS + i * 24 + 6, shndx, 2);
    put(image, SYMBOLS + i * 24 + 8, value, 8);
}

static inline void symbols_make(void)
{
    static const char names[] = "\0main\0start\0table\0$x\0bad\033[2J";

    put(image, 40, SECTIONS, 8);         /* e_shoff */
    put(image, 58, 64, 2);               /* e_shentsize */
    put(image, 60, 3, 2);                /* e_shnum */
    put(image, SECTIONS + 64 + 4, 2, 4); /* 1: SHT_SYMTAB */
    put(image, SECTIONS + 64 + 24, SYMBOLS, 8);
    put(image, SECTIONS + 64 + 32, 7 * 24, 8);
    put(image, SECTIONS + 64 + 40, 2, 4); /* sh_link */
    put(image, SECTIONS + 64 + 56, 24, 8);
    put(image, SECTIONS + 128 + 4, 3, 4); /* 2: SHT_STRTAB */
    put(image, SECTIONS + 128 + 24, NAMES, 8);
    put(image, SECTIONS + 128 + 32, sizeof(names), 8);
    memcpy(image + NAMES, names, sizeof(names));
    symbol_put(1, 1, 0x12, 1, TEXT + 0x40);  /* main, function */
    symbol_put(2, 6, 0x10, 1, TEXT);         /* start, untyped */
    symbol_put(3, 12, 0x11, 1, TEXT + 4);    /* table, object: no */
    symbol_put(4, 18, 0x10, 1, TEXT);        /* $x: no */
    symbol_put(5, 1, 0x12, 0, TEXT + 8);     /* undefined: no */
    symbol_put(6, 21, 0x12, 1, TEXT + 0x20); /* has an escape sequence */
}

/*
 * Text and headers at 0 (RX), relocations and dynamic entries (R), data (RW,
 * 8 words of file, 4096 bytes in memory).
 */
static inline void image_make(void)
{
    static const uint8_t ident[] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
    static const uint64_t dynamic[][2] = {
        {7, RO_VADDR + RELA},
        {8, 48},
        {9, 24},
        {0, 0},
    };
    static const uint64_t rela[][3] = {
        {DATA_VADDR + DATA, 1027, 0x210},
        {DATA_VADDR + DATA + 0x800, 1027, DATA_VADDR + 8},
    };

    memset(image, 0, sizeof(image));
    memcpy(image, ident, sizeof(ident));
    put(image, 16, 3, 2);    /* e_type */
    put(image, 18, 183, 2);  /* e_machine */
    put(image, 20, 1, 4);    /* e_version */
    put(image, 24, TEXT, 8); /* e_entry */
    put(image, 32, PHOFF, 8);
    put(image, 52, 64, 2); /* e_ehsize */
    put(image, 54, 56, 2);
    put(image, 56, 5, 2); /* e_phnum */
    program_put(PH_TEXT, 1, 5, 0, 0, RELA, RELA);
    program_put(PH_RO, 1, 4, RELA, RO_VADDR + RELA, 0x200, 0x200);
    program_put(PH_DATA, 1, 6, DATA, DATA_VADDR + DATA, 64, 4096);
    program_put(PH_DYNAMIC, 2, 4, DYNAMIC, RO_VADDR + DYNAMIC, 64, 64);
    program_put(PH_NOTE, 0x6474e551, 6, 0, 0, 0, 0);
    memcpy(image + RELA, rela, sizeof(rela));
    memcpy(image + DYNAMIC, dynamic, sizeof(dynamic));
    memset(image + DATA, 0xdd, 64);
    symbols_make();
}

/* A copy of the file on the heap, so that a read past it is seen. */
static inline int plan_bytes(const uint8_t *file, uint64_t bytes,
                             struct elf_plan *plan, struct elf_fault *fault)
{
    uint8_t *copy = malloc(bytes + (bytes == 0));
    int result;

    memcpy(copy, file, bytes);
    result = elf_plan(copy, bytes, plan, fault);
    free(copy);
    return result;
}

/* One number of the image set to a bad value, and what must follow. */
struct change {
    const char *what;
    uint64_t at;
    uint64_t value;
    unsigned bytes;
    const char *reason;
};

/* The plan must be as it was, and the reason as asked for. */
static inline bool refused(const uint8_t *file, uint64_t bytes,
                           const char *reason)
{
    struct elf_plan plan;
    struct elf_plan before;
    struct elf_fault fault = {"none", 0};

    memset(&plan, 0x5a, sizeof(plan));
    before = plan;
    if (plan_bytes(file, bytes, &plan, &fault) != -1 ||
        memcmp(&plan, &before, sizeof(plan)) != 0) {
        printf("# not refused, or the plan was written\n");
        return false;
    }
    if (strstr(fault.reason, reason) == NULL) {
        printf("# reason: %s %llu\n", fault.reason,
               (unsigned long long)fault.where);
        return false;
    }
    return true;
}

/* All that elf.h promises about a plan. */
static inline bool plan_is_sound(const struct elf_plan *plan,
                                 uint64_t file_bytes)
{
    uint64_t end = 0;
    bool entry_good = false;
    uint32_t i;

    for (i = 0; i < plan->segment_count; i++) {
        const struct elf_segment *s = &plan->segments[i];

        if (s->vaddr < end || s->memory_bytes == 0 ||
            s->file_bytes > s->memory_bytes || s->file_offset > file_bytes ||
            s->file_bytes > file_bytes - s->file_offset ||
            (s->rights & 3) == 3 || (s->rights & 4) == 0) {
            return false;
        }
        end = s->vaddr + s->memory_bytes;
        entry_good |= (s->rights & ELF_EXECUTE) != 0 &&
                      plan->entry >= s->vaddr && plan->entry < end;
    }
    return i > 0 && i <= ELF_SEGMENTS_MAX && entry_good &&
           end <= plan->span_bytes && plan->span_bytes <= ELF_SPAN_MAX_BYTES &&
           plan->rela_offset + plan->rela_count * 24 <= file_bytes;
}
