/* SPDX-License-Identifier: BSL-1.0 */
/*
 * elf.h - check a program file and say how it is to be loaded.
 *
 * Why: programs come from the SD card, so a loader meets every kind of file.
 * This is the part that looks at the bytes: pure functions, no memory of its
 * own, no system call; it runs the same on the build machine under test.
 *
 * Rules:
 * - A program is a static position-independent executable for AArch64
 *   (`-static-pie`), linked at address 0 (the first segment lies in the first
 *   2 MiB), with R_AARCH64_RELATIVE relocations only. Therefore "offset in
 *   the image" and "vaddr in the file" are equal.
 * - The supplier of the file may change its bytes at any time, also during
 *   these calls. Results may then be nonsense, but all that is promised below
 *   about a plan still holds: nothing is checked in one place and read again.
 * - Each function writes its result only when it returns 0.
 *
 * PT_TLS and PT_GNU_STACK are ignored: libos finds TLS by linker symbols, and
 * stacks are never executable.
 */
#pragma once

#include <stdint.h>

enum elf_limits {
    ELF_SEGMENTS_MAX = 8,     /* loadable segments */
    ELF_PROGRAMS_MAX = 64,    /* program headers */
    ELF_DYNAMIC_MAX = 256,    /* dynamic entries */
    ELF_PAGE_BYTES = 4096,    /* segments of different rights: other pages */
    ELF_SLOT_BYTES = 2097152, /* ... and R/RX other slots than RW */
    ELF_SPAN_MAX_BYTES = 1073741824,
};

enum elf_right { /* as PF_X, PF_W and PF_R in the file */
                 ELF_EXECUTE = 1,
                 ELF_WRITE = 2,
                 ELF_READ = 4,
};

/*
 * One stretch of the image: the first `file_bytes` come from the file, the
 * others, up to `memory_bytes`, are zero.
 */
struct elf_segment {
    uint64_t vaddr;        /* offset in the image; any alignment */
    uint64_t file_offset;  /* equal to vaddr modulo ELF_PAGE_BYTES */
    uint64_t file_bytes;   /* <= memory_bytes; lies inside the file */
    uint64_t memory_bytes; /* >= 1 */
    uint32_t rights;       /* ELF_READ, perhaps with one of the others */
};

/*
 * Promises: segments ascend and do not overlap; vaddr + memory_bytes <=
 * span_bytes <= ELF_SPAN_MAX_BYTES; no page holds two sets of rights; no slot
 * holds a writable and an unwritable segment; `entry` is in an executable
 * segment; the relocation table lies inside the file.
 */
struct elf_plan {
    uint32_t segment_count; /* 1..ELF_SEGMENTS_MAX */
    struct elf_segment segments[ELF_SEGMENTS_MAX];
    uint64_t entry;       /* offset in the image, multiple of 4 */
    uint64_t span_bytes;  /* image size, multiple of ELF_PAGE_BYTES */
    uint64_t rela_offset; /* relocation table: place in the file */
    uint64_t rela_count;  /* ... and entries of 24 bytes */
};

/*
 * Why a file was refused. Print as "NAME REASON WHERE", for instance
 * "hello is for x86-64, this is AArch64: e_machine 62": `reason` is a static
 * string that ends with what `where` counts.
 */
struct elf_fault {
    const char *reason;
    uint64_t where;
};

/*
 * Where elf_relocate() writes. `at` returns the address of the aligned 8-byte
 * word at image offset `offset`, or NULL to refuse.
 */
struct elf_target {
    uint64_t load_address; /* of image offset 0; multiple of a slot */
    uint8_t *(*at)(void *context, uint64_t offset);
    void *context; /* handed to `at` */
};

/*
 * elf_plan - check a file and plan its load
 * file   [in]   file_bytes bytes, any alignment
 * plan   [out]  as promised above
 * fault  [out]  written only when the file is refused
 * Returns 0, or -1 when the file is no program for this system.
 */
int elf_plan(const void *file, uint64_t file_bytes, struct elf_plan *plan,
             struct elf_fault *fault);

/*
 * elf_relocate - add the load address to each pointer of a copied image
 * plan    [in]  from elf_plan() of this file
 * target  [in]  the copy; call after all segments were copied into it
 * Returns 0, or -1 and *fault. After -1 the image is half done: drop it.
 * Writes only to aligned words inside segments that are not executable.
 */
int elf_relocate(const void *file, uint64_t file_bytes,
                 const struct elf_plan *plan, const struct elf_target *target,
                 struct elf_fault *fault);
