/* SPDX-License-Identifier: BSL-1.0 */
/* Where the parts of a program go; the contract is in lay_out.h. */
#include "lay_out.h"

#include <errno.h>

#define SLOTS_MAX 30u /* of 2 MiB: 60 MiB of image */
#define BIG_BYTES (1ull << BIG_FRAME_LOG2)

uint64_t layout_data_end(const struct elf_plan *p)
{
    uint64_t end = 0;
    for (uint32_t i = 0; i < p->segment_count; i++) {
        const struct elf_segment *s = &p->segments[i];
        if (s->rights & ELF_WRITE && s->vaddr + s->memory_bytes > end) {
            end = s->vaddr + s->memory_bytes;
        }
    }
    return end;
}

uint64_t layout_fixed_end(const struct elf_plan *p)
{
    uint64_t end = 0;
    for (uint32_t i = 0; i < p->segment_count; i++) {
        const struct elf_segment *s = &p->segments[i];
        if (!(s->rights & ELF_WRITE) && s->vaddr + s->memory_bytes > end) {
            end = s->vaddr + s->memory_bytes;
        }
    }
    return up(end, PAGE_BYTES);
}

uint64_t layout_info_bytes(const struct load_request *r)
{
    return up(sizeof(struct start_info) + r->strings_bytes, PAGE_BYTES);
}

/* Data that ends in the last quarter of a frame of 64 KiB has all of it: the
 * frame costs less than the pages. */
static void fill_up(struct elf_plan *p)
{
    struct elf_segment *s = &p->segments[p->segment_count - 1];
    uint64_t end = s->vaddr + s->memory_bytes, frame = up(end, BIG_BYTES);
    if (s->rights & ELF_WRITE && s->vaddr <= frame - BIG_BYTES &&
        frame - end <= BIG_BYTES / 4) {
        s->memory_bytes += frame - end;
    }
}

uint64_t layout_code_bound(const struct layout *at)
{
    return up(at->code_end, STRETCH_BYTES);
}

/* What is behind code and constants, in the room left there: the symbols, and
 * what the data is at the start. That has one segment, the last one, or the
 * program is not kept. */
static void lay_out_behind(struct layout *at, uint64_t fixed,
                           const struct load_request *r,
                           struct symbols_source *source)
{
    const struct elf_plan *p = &at->plan;
    const struct elf_segment *data = &p->segments[p->segment_count - 1];
    uint64_t end = up(fixed, STRETCH_BYTES), writable = 0;
    uint64_t symbols = symbols_measure(r->file, r->file_bytes, source);
    at->code_end = fixed;
    if (symbols != 0 && symbols <= end - fixed) {
        at->symbols_at = fixed;
        at->code_end += up(symbols, PAGE_BYTES);
    }
    for (uint32_t i = 0; i < p->segment_count; i++) {
        writable += (p->segments[i].rights & ELF_WRITE) != 0;
    }
    if (r->key != 0 && writable == 1 && data->rights & ELF_WRITE &&
        at->code_end < end && data->file_bytes <= end - at->code_end) {
        at->data_at = at->code_end;
        at->code_end += up(data->file_bytes, PAGE_BYTES);
    }
}

int lay_out(struct layout *at, const struct load_request *r,
            struct symbols_source *source)
{
    fill_up(&at->plan);
    uint64_t fixed = layout_fixed_end(&at->plan),
             data = layout_data_end(&at->plan);
    lay_out_behind(at, fixed, r, source);
    if (data < fixed) {
        data = up(fixed, STRETCH_BYTES);
    }
    uint64_t need = 2 * PAGE_BYTES + r->stack_bytes + START_UPCALL_BYTES +
                    LAYOUT_INFO_BYTES + 3 * PAGE_BYTES;
    data = up(data, PAGE_BYTES);
    if (data % STRETCH_BYTES + need > STRETCH_BYTES) {
        data = up(data, STRETCH_BYTES);
    }
    at->stack = data + PAGE_BYTES;
    at->info = at->stack + r->stack_bytes + PAGE_BYTES + START_UPCALL_BYTES;
    at->pages = at->info + LAYOUT_INFO_BYTES;
    at->heap = at->pages + 3 * PAGE_BYTES;
    at->data_slot = at->heap - 1 - (at->heap - 1) % STRETCH_BYTES;
    at->slots = (uint32_t)(at->data_slot / STRETCH_BYTES) + 1;
    return at->slots <= SLOTS_MAX ? 0 : ENOMEM;
}

uint64_t layout_part_end(uint64_t at, uint64_t end, uint32_t *log2)
{
    uint64_t slot_end = up(at + 1, STRETCH_BYTES);
    uint64_t big = up(at, BIG_BYTES);
    end = end < slot_end ? end : slot_end;
    *log2 = PAGE_LOG2;
    if (big + BIG_BYTES > end) {
        return end;
    }
    if (big > at) {
        return big;
    }
    *log2 = BIG_FRAME_LOG2;
    return end - end % BIG_BYTES;
}

/* What map() takes for [from, to). */
static void measure(uint64_t from, uint64_t to, struct layout_sizes *sizes)
{
    uint64_t at = from - from % PAGE_BYTES, end = up(to, PAGE_BYTES);
    while (at < end) {
        struct image_size *s = at < sizes->bound ? &sizes->text : &sizes->own;
        uint32_t log2;
        uint64_t part = layout_part_end(at, end, &log2);
        uint32_t n = (uint32_t)((part - at) >> log2);
        s->frames += n;
        s->ahead += log2 == PAGE_LOG2 && s->whole == 0 ? n : 0;
        *(log2 == PAGE_LOG2 ? &s->bytes : &s->whole) += part - at;
        at = part;
    }
}

static void measure_code(const struct layout *at, struct layout_sizes *sizes)
{
    uint64_t mapped = 0;
    for (uint32_t i = 0; i < at->plan.segment_count; i++) {
        const struct elf_segment *s = &at->plan.segments[i];
        measure(s->vaddr > mapped ? s->vaddr : mapped,
                s->vaddr + s->memory_bytes, sizes);
        mapped = up(s->vaddr + s->memory_bytes, PAGE_BYTES);
    }
    measure(layout_fixed_end(&at->plan), at->code_end, sizes);
}

struct layout_sizes layout_measure(const struct layout *at,
                                   const struct load_request *r, bool image)
{
    struct layout_sizes sizes = {.bound = image ? layout_code_bound(at) : 0};
    uint32_t code = (uint32_t)(sizes.bound / STRETCH_BYTES);
    sizes.text.slots = code;
    sizes.text.bytes = code * PAGE_BYTES;
    sizes.own.slots = at->slots;
    sizes.own.bytes = (at->slots - code) * PAGE_BYTES;
    sizes.own.serves = r->manifest >= 0;
    uint64_t top = at->stack + r->stack_bytes;
    measure(top - START_STACK_BYTES, top, &sizes);
    measure(at->info - START_UPCALL_BYTES, at->info + layout_info_bytes(r),
            &sizes);
    measure_code(at, &sizes);
    return sizes;
}
