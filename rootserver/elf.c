/* SPDX-License-Identifier: BSL-1.0 */
/*
 * elf.c - check a program file and say how it is to be loaded.
 *
 * One forward pass: header, program headers, dynamic entries, each record
 * copied once (see elf_format.h). Every sum is compared as "a <= limit - b",
 * so no sum can wrap.
 */
#include "elf.h"

#include "elf_format.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* What is known so far; the plan is handed out when all of it was checked. */
struct scan {
    const void *file;
    uint64_t file_bytes;
    struct elf_fault *fault;
    struct elf_header header;
    struct elf_plan plan;
    bool has_dynamic;
    uint64_t dynamic_offset;
    uint64_t dynamic_bytes;
};

/* The dynamic entries that matter; 0 = absent. */
struct dynamic {
    uint64_t rela; /* vaddr */
    uint64_t rela_bytes;
    uint64_t rela_entry_bytes;
};

static int refuse(struct elf_fault *fault, const char *reason, uint64_t where)
{
    fault->reason = reason;
    fault->where = where;
    return -1;
}

/* Where a range ends, for messages only; does not wrap. */
static uint64_t range_end(uint64_t offset, uint64_t bytes)
{
    return bytes > UINT64_MAX - offset ? UINT64_MAX : offset + bytes;
}

/* ------------------------------------------------------------------ */
/* Header                                                             */
/* ------------------------------------------------------------------ */

static int magic_check(const struct scan *s)
{
    static const uint8_t magic[4] = {0x7f, 'E', 'L', 'F'};
    uint8_t found[4];

    if (s->file_bytes == 0) {
        return refuse(s->fault, "is empty: size in bytes", 0);
    }
    if (!elf_copy(s->file, s->file_bytes, 0, found, sizeof(found)) ||
        memcmp(found, magic, sizeof(magic)) != 0) {
        return refuse(s->fault, "is not an ELF file: no ELF magic at byte", 0);
    }
    return 0;
}

static int machine_check(const struct scan *s)
{
    const char *reason;

    switch (s->header.machine) {
    case ELF_MACHINE_AARCH64:
        return 0;
    case ELF_MACHINE_X86_64:
        reason = "is for x86-64, this is AArch64: e_machine";
        break;
    case ELF_MACHINE_386:
        reason = "is for x86, this is AArch64: e_machine";
        break;
    case ELF_MACHINE_ARM:
        reason = "is for 32-bit Arm, this is AArch64: e_machine";
        break;
    case ELF_MACHINE_RISCV:
        reason = "is for RISC-V, this is AArch64: e_machine";
        break;
    default:
        reason = "is for another machine, this is AArch64: e_machine";
        break;
    }
    return refuse(s->fault, reason, s->header.machine);
}

static int type_check(const struct scan *s)
{
    const char *reason;

    switch (s->header.type) {
    case ELF_TYPE_DYN:
        return 0;
    case ELF_TYPE_REL:
        reason = "is an object file, not a linked program: e_type";
        break;
    case ELF_TYPE_EXEC:
        reason = "is linked at fixed addresses, link with -static-pie: e_type";
        break;
    case ELF_TYPE_CORE:
        reason = "is a core dump, not a program: e_type";
        break;
    default:
        reason = "is of an unknown ELF kind: e_type";
        break;
    }
    return refuse(s->fault, reason, s->header.type);
}

static int ident_check(const struct scan *s)
{
    const uint8_t *ident = s->header.ident;

    if (ident[ELF_CLASS] != 2) {
        return refuse(
            s->fault,
            ident[ELF_CLASS] == 1
                ? "is a 32-bit ELF file, this is a 64-bit system: class"
                : "is of an unknown ELF class: class",
            ident[ELF_CLASS]);
    }
    if (ident[ELF_DATA] != 1) {
        return refuse(
            s->fault,
            ident[ELF_DATA] == 2
                ? "is big-endian, this is little-endian: data encoding"
                : "is of an unknown byte order: data encoding",
            ident[ELF_DATA]);
    }
    if (ident[ELF_VERSION] != 1 || s->header.version != 1) {
        return refuse(s->fault, "is of an unknown ELF version: version",
                      s->header.version);
    }
    return 0;
}

static int header_read(struct scan *s)
{
    const struct elf_header *h = &s->header;

    if (magic_check(s) != 0) {
        return -1;
    }
    if (!elf_copy(s->file, s->file_bytes, 0, &s->header, sizeof(s->header))) {
        return refuse(s->fault,
                      "is truncated: the ELF header has 64 bytes, "
                      "the file",
                      s->file_bytes);
    }
    if (memcmp(h->ident, "\177ELF", 4) != 0) {
        return refuse(s->fault, "changed while it was read: byte", 0);
    }
    if (ident_check(s) != 0 || machine_check(s) != 0 || type_check(s) != 0) {
        return -1;
    }
    if (h->ehsize != sizeof(struct elf_header)) {
        return refuse(s->fault, "is malformed: ELF header size is not 64 but",
                      h->ehsize);
    }
    return 0;
}

/* ------------------------------------------------------------------ */
/* Program headers                                                    */
/* ------------------------------------------------------------------ */

static int rights_check(const struct scan *s, const struct elf_program *p)
{
    if ((p->flags & ELF_WRITE) != 0 && (p->flags & ELF_EXECUTE) != 0) {
        return refuse(s->fault,
                      "has a segment that is both writable and "
                      "executable: at address",
                      p->vaddr);
    }
    if ((p->flags & ELF_READ) == 0) {
        return refuse(s->fault,
                      "has a segment that is not readable: "
                      "at address",
                      p->vaddr);
    }
    return 0;
}

static int range_check(const struct scan *s, const struct elf_program *p)
{
    if (p->filesz > p->memsz) {
        return refuse(s->fault,
                      "has a segment with more file than memory "
                      "bytes: at address",
                      p->vaddr);
    }
    if (!elf_inside(s->file_bytes, p->offset, p->filesz)) {
        return refuse(s->fault,
                      "is truncated: the file ends before one of "
                      "its segments, which ends at byte",
                      range_end(p->offset, p->filesz));
    }
    if (p->memsz > ELF_SPAN_MAX_BYTES) {
        return refuse(s->fault,
                      "asks for more than the 1024 MiB that a "
                      "program may have: MiB",
                      p->memsz >> 20);
    }
    if (p->vaddr > ELF_SPAN_MAX_BYTES - p->memsz) {
        return refuse(s->fault,
                      "has a segment that ends beyond 1024 MiB: "
                      "at address",
                      p->vaddr);
    }
    if (p->vaddr % ELF_PAGE_BYTES != p->offset % ELF_PAGE_BYTES) {
        return refuse(s->fault,
                      "has a segment whose address and file offset "
                      "differ modulo 4096: at address",
                      p->vaddr);
    }
    return 0;
}

/* Is the new segment compatible with the one before it? */
static int neighbour_check(const struct scan *s, const struct elf_program *p)
{
    const struct elf_segment *last;
    uint64_t end;
    bool writable = (p->flags & ELF_WRITE) != 0;

    if (s->plan.segment_count == 0) {
        if (p->vaddr >= ELF_SLOT_BYTES) {
            return refuse(s->fault,
                          "is not linked at address 0, link with "
                          "-static-pie: its first segment is at address",
                          p->vaddr);
        }
        return 0;
    }
    last = &s->plan.segments[s->plan.segment_count - 1];
    end = last->vaddr + last->memory_bytes;
    if (p->vaddr < end) {
        return refuse(s->fault,
                      "has segments that overlap or do not ascend: "
                      "at address",
                      p->vaddr);
    }
    if ((end - 1) / ELF_PAGE_BYTES == p->vaddr / ELF_PAGE_BYTES &&
        last->rights != (p->flags & 7)) {
        return refuse(s->fault,
                      "has segments of different rights in one "
                      "4 KiB page: at address",
                      p->vaddr);
    }
    if ((end - 1) / ELF_SLOT_BYTES == p->vaddr / ELF_SLOT_BYTES &&
        ((last->rights & ELF_WRITE) != 0) != writable) {
        return refuse(s->fault,
                      "has writable and read-only segments in one "
                      "2 MiB slot, and Vesper gives rights per slot: link "
                      "with the data at the next 2 MiB: at address",
                      p->vaddr);
    }
    return 0;
}

static int segment_add(struct scan *s, const struct elf_program *p)
{
    struct elf_segment *segment;

    if (range_check(s, p) != 0) {
        return -1;
    }
    if (p->memsz == 0) {
        return 0;
    }
    if (rights_check(s, p) != 0 || neighbour_check(s, p) != 0) {
        return -1;
    }
    if (s->plan.segment_count == ELF_SEGMENTS_MAX) {
        return refuse(s->fault,
                      "has more than 8 loadable segments: "
                      "at address",
                      p->vaddr);
    }
    segment = &s->plan.segments[s->plan.segment_count++];
    segment->vaddr = p->vaddr;
    segment->file_offset = p->offset;
    segment->file_bytes = p->filesz;
    segment->memory_bytes = p->memsz;
    segment->rights = p->flags & 7;
    s->plan.span_bytes = (p->vaddr + p->memsz + ELF_PAGE_BYTES - 1) /
                         ELF_PAGE_BYTES * ELF_PAGE_BYTES;
    return 0;
}

static int program_take(struct scan *s, const struct elf_program *p)
{
    switch (p->type) {
    case ELF_PROGRAM_LOAD:
        return segment_add(s, p);
    case ELF_PROGRAM_DYNAMIC:
        if (s->has_dynamic) {
            return refuse(s->fault, "has two dynamic sections: at byte",
                          p->offset);
        }
        s->has_dynamic = true;
        s->dynamic_offset = p->offset;
        s->dynamic_bytes = p->filesz;
        return 0;
    case ELF_PROGRAM_INTERPRETER:
        return refuse(s->fault,
                      "needs a dynamic linker, link with "
                      "-static-pie: its name is at byte",
                      p->offset);
    default:
        return 0;
    }
}

static int programs_read(struct scan *s)
{
    const struct elf_header *h = &s->header;
    struct elf_program p;
    uint32_t i;

    if (h->phentsize != sizeof(p)) {
        return refuse(s->fault,
                      "is malformed: program header size is not 56 "
                      "but",
                      h->phentsize);
    }
    if (h->phnum == 0) {
        return refuse(s->fault, "has nothing to load: program headers", 0);
    }
    if (h->phnum > ELF_PROGRAMS_MAX) {
        return refuse(s->fault, "has more than 64 program headers: it has",
                      h->phnum);
    }
    if (!elf_inside(s->file_bytes, h->phoff, h->phnum * sizeof(p))) {
        return refuse(s->fault,
                      "is truncated: the file ends before its "
                      "program headers, which end at byte",
                      range_end(h->phoff, h->phnum * sizeof(p)));
    }
    for (i = 0; i < h->phnum; i++) {
        /* Lies inside, as all do; checked again for who checks this code. */
        if (!elf_copy(s->file, s->file_bytes, h->phoff + i * sizeof(p), &p,
                      sizeof(p)) ||
            program_take(s, &p) != 0) {
            return -1;
        }
    }
    if (s->plan.segment_count == 0) {
        return refuse(s->fault, "has nothing to load: loadable segments", 0);
    }
    return 0;
}

/* ------------------------------------------------------------------ */
/* Entry and dynamic entries                                          */
/* ------------------------------------------------------------------ */

static bool segment_holds(const struct elf_segment *segment, uint64_t vaddr,
                          uint64_t bytes)
{
    return vaddr >= segment->vaddr &&
           elf_inside(segment->memory_bytes, vaddr - segment->vaddr, bytes);
}

/* The segment that holds all of [vaddr, vaddr + bytes), or NULL. */
static const struct elf_segment *segment_find(const struct elf_plan *plan,
                                              uint64_t vaddr, uint64_t bytes)
{
    for (uint32_t i = 0; i < plan->segment_count; i++) {
        if (segment_holds(&plan->segments[i], vaddr, bytes)) {
            return &plan->segments[i];
        }
    }
    return NULL;
}

static int entry_take(struct scan *s)
{
    uint64_t entry = s->header.entry;
    const struct elf_segment *segment = segment_find(&s->plan, entry, 4);

    if (segment == NULL || (segment->rights & ELF_EXECUTE) == 0) {
        return refuse(s->fault,
                      "begins outside its executable segments: "
                      "entry address",
                      entry);
    }
    if (entry % 4 != 0) {
        return refuse(s->fault,
                      "begins at an address that is no multiple of "
                      "4: entry address",
                      entry);
    }
    s->plan.entry = entry;
    return 0;
}

static int dynamic_take(const struct scan *s, const struct elf_dynamic *d,
                        struct dynamic *found)
{
    switch (d->tag) {
    case ELF_TAG_NEEDED:
        return refuse(s->fault,
                      "needs a shared library, link with "
                      "-static-pie: DT_NEEDED",
                      d->value);
    case ELF_TAG_PLTRELSZ:
    case ELF_TAG_RELSZ:
    case ELF_TAG_RELRSZ:
        if (d->value != 0) {
            return refuse(s->fault,
                          "has relocations other than .rela.dyn: "
                          "dynamic tag",
                          d->tag);
        }
        return 0;
    case ELF_TAG_RELA:
        found->rela = d->value;
        return 0;
    case ELF_TAG_RELASZ:
        found->rela_bytes = d->value;
        return 0;
    case ELF_TAG_RELAENT:
        found->rela_entry_bytes = d->value;
        return 0;
    default:
        return 0;
    }
}

static int dynamic_read(const struct scan *s, struct dynamic *found)
{
    struct elf_dynamic d;
    uint64_t count = s->dynamic_bytes / sizeof(d);
    uint64_t i;

    if (!s->has_dynamic) {
        return refuse(s->fault,
                      "has no dynamic section, link with "
                      "-static-pie: dynamic entries",
                      0);
    }
    if (!elf_inside(s->file_bytes, s->dynamic_offset, s->dynamic_bytes)) {
        return refuse(s->fault,
                      "is truncated: the file ends before its "
                      "dynamic section, which ends at byte",
                      range_end(s->dynamic_offset, s->dynamic_bytes));
    }
    for (i = 0; i < count && i < ELF_DYNAMIC_MAX; i++) {
        if (!elf_copy(s->file, s->file_bytes, s->dynamic_offset + i * sizeof(d),
                      &d, sizeof(d))) {
            break; /* lies inside: see programs_read */
        }
        if (d.tag == ELF_TAG_NULL) {
            return 0;
        }
        if (dynamic_take(s, &d, found) != 0) {
            return -1;
        }
    }
    return refuse(s->fault,
                  "has a dynamic section without an end: it begins "
                  "at byte",
                  s->dynamic_offset);
}

static int rela_take(struct scan *s, const struct dynamic *found)
{
    const struct elf_segment *segment;

    if (found->rela_bytes == 0) {
        return 0;
    }
    if (found->rela_entry_bytes != sizeof(struct elf_rela)) {
        return refuse(s->fault, "has relocations whose size is not 24 but",
                      found->rela_entry_bytes);
    }
    if (found->rela_bytes % sizeof(struct elf_rela) != 0) {
        return refuse(s->fault,
                      "has a relocation table that is no multiple "
                      "of 24 bytes: bytes",
                      found->rela_bytes);
    }
    segment = segment_find(&s->plan, found->rela, found->rela_bytes);
    if (segment == NULL ||
        !elf_inside(segment->file_bytes, found->rela - segment->vaddr,
                    found->rela_bytes)) {
        return refuse(s->fault,
                      "has a relocation table outside its "
                      "segments: at address",
                      found->rela);
    }
    s->plan.rela_offset = segment->file_offset + found->rela - segment->vaddr;
    s->plan.rela_count = found->rela_bytes / sizeof(struct elf_rela);
    return 0;
}

int elf_plan(const void *file, uint64_t file_bytes, struct elf_plan *plan,
             struct elf_fault *fault)
{
    struct scan s = {.file = file, .file_bytes = file_bytes, .fault = fault};
    struct dynamic found = {0};

    if (header_read(&s) != 0 || programs_read(&s) != 0 || entry_take(&s) != 0 ||
        dynamic_read(&s, &found) != 0 || rela_take(&s, &found) != 0) {
        return -1;
    }
    *plan = s.plan;
    return 0;
}

/* ------------------------------------------------------------------ */
/* Relocation                                                         */
/* ------------------------------------------------------------------ */

/* last: the segment of the relocation before, most often that of the next. */
static int rela_apply(const struct elf_plan *plan, const struct elf_rela *rela,
                      const struct elf_segment **last,
                      const struct elf_target *target, struct elf_fault *fault)
{
    const struct elf_segment *segment = *last;
    uint64_t value = target->load_address + rela->addend;
    uint8_t *word;

    if (rela->info != ELF_RELOC_RELATIVE) {
        return refuse(fault,
                      "has a relocation other than R_AARCH64_RELATIVE: "
                      "type",
                      rela->info & UINT32_MAX);
    }
    if (!segment_holds(segment, rela->offset, sizeof(value))) {
        segment = segment_find(plan, rela->offset, sizeof(value));
    }
    if (segment == NULL) {
        return refuse(fault,
                      "has a relocation outside its segments: "
                      "at address",
                      rela->offset);
    }
    *last = segment;
    if ((segment->rights & ELF_EXECUTE) != 0) {
        return refuse(fault, "has a relocation inside code: at address",
                      rela->offset);
    }
    if (rela->offset % sizeof(value) != 0) {
        return refuse(fault,
                      "has a relocation that is not 8-byte aligned: "
                      "at address",
                      rela->offset);
    }
    word = target->at(target->context, rela->offset);
    if (word == NULL) {
        return refuse(fault,
                      "has a relocation where the loader gave no "
                      "memory: at address",
                      rela->offset);
    }
    memcpy(word, &value, sizeof(value));
    return 0;
}

int elf_relocate(const void *file, uint64_t file_bytes,
                 const struct elf_plan *plan, const struct elf_target *target,
                 struct elf_fault *fault)
{
    const struct elf_segment *last = &plan->segments[0];
    struct elf_rela rela;
    uint64_t i;

    if (target->load_address % ELF_SLOT_BYTES != 0) {
        return refuse(fault,
                      "cannot be loaded at an address that is no "
                      "multiple of 2 MiB: address",
                      target->load_address);
    }
    for (i = 0; i < plan->rela_count; i++) {
        if (!elf_copy(file, file_bytes, plan->rela_offset + i * sizeof(rela),
                      &rela, sizeof(rela))) {
            return refuse(fault,
                          "is truncated: a relocation ends past the "
                          "end of the file: number",
                          i);
        }
        if (rela.info == ELF_RELOC_NONE) {
            continue;
        }
        if (rela_apply(plan, &rela, &last, target, fault) != 0) {
            return -1;
        }
    }
    return 0;
}
