/* SPDX-License-Identifier: BSL-1.0
 *
 * The crash report. Every pointer that comes from the crashed code is checked
 * to lie in the thread's stack before it is followed.
 */
#include "crash.h"

#include <stddef.h>

#include <vesper/root.h>
#include <vesper/root_call.h>
#include <vesper/start.h>

#include "cause.h"
#include "fault_frame.h"
#include "log.h"
#include "sched.h"
#include "symbol.h"
#include "text.h"
#include "threads.h"

#define FRAMES_MAX     16u    /* lines of a backtrace */
#define STEPS_MAX      10000u /* frames looked at for them */
#define NAME_MAX_BYTES 64u    /* shown of a function's name */

extern const char image_text_end[]; /* from app.ld */

static void line_end(struct text *line)
{
    text_put(line, "\n");
    log_write(line->bytes, line->length);
    line->length = 0;
}

/* The function that pc lies in, or NULL: unknown, or not code of the image. */
static const char *function_at(uint64_t pc, uint64_t *distance)
{
    const struct symbol_table *table =
        (const struct symbol_table *)start_self->symbols;
    if (table == NULL || pc < start_self->image ||
        pc >= (uintptr_t)image_text_end) {
        return NULL;
    }
    return symbol_find(table, pc - start_self->image, distance);
}

/* "function+0x1c (0x40001234, image+0x1234)", or the bare address. */
static void place_put(struct text *line, uint64_t pc)
{
    uint64_t distance, offset = pc - start_self->image;
    const char *name = function_at(pc, &distance);
    if (name != NULL) {
        text_put_name(line, name, NAME_MAX_BYTES);
        text_put(line, "+");
        text_hex(line, distance);
        text_put(line, " ");
    }
    text_put(line, "(");
    text_hex(line, pc);
    if (offset < start_self->image_bytes) {
        text_put(line, ", image+");
        text_hex(line, offset);
    }
    text_put(line, ")");
}

/* The thread whose guard the address lies in. */
static const struct thread *guard_owner(uint64_t address)
{
    for (struct thread *t = thread_first(); t != NULL; t = t->all_next) {
        if (address < t->stack && address >= t->stack - t->guard_bytes) {
            return t;
        }
    }
    return NULL;
}

static void who_put(struct text *line, bool critical)
{
    const struct thread *t = sched_current();
    text_put(line, "crash: ");
    text_put_bounded(line, start_self->name, sizeof(start_self->name));
    text_put(line, " [");
    text_decimal(line, start_self->id);
    text_put(line, "] thread ");
    text_put(line, t != NULL ? t->name : "none (idle)");
    if (critical) {
        text_put(line, ", in a critical section");
    }
    text_put(line, ": ");
}

static void what_put(struct text *line, const struct cause *c, uint64_t far)
{
    const struct thread *owner = c->address ? guard_owner(far) : NULL;
    const struct thread *self = sched_current();
    if (self != NULL && self->fault_final) {
        text_put(line, self->fault_why != NULL ? self->fault_why
                                               : "no memory for a stack: ");
    }
    if (owner != NULL) {
        text_put(line, "stack overflow of thread ");
        text_put(line, owner->name);
        text_put(line, ": ");
    }
    text_put(line, c->text);
    if (c->address) {
        text_put(line, " ");
        text_hex(line, far);
        text_put(line, ": ");
        text_put(line, c->why);
    }
}

static bool is_own(uint64_t address)
{
    return address - start_self->range_base < start_self->range_bytes ||
           address - start_self->image < start_self->image_bytes;
}

/* Of another domain's: what it calls the memory there, if it has a name. */
static void variable_put(struct text *line, uint64_t address)
{
    uint64_t w[8] = {ROOT_VARIABLE, address};
    if (root_call(w, 0) == 0) {
        text_put_bounded(line, (const char *)&w[2], 6 * sizeof(w[2]));
        text_put(line, "+");
        text_hex(line, w[1]);
        text_put(line, ", ");
    }
}

/* Whose address it is, if another domain's: then it was lent for a call that is
 * over, or not at all. */
static void owner_line(struct text *line, uint64_t address)
{
    uint64_t w[8] = {ROOT_DOMAINS};
    for (uint64_t i = 0; !is_own(address) && root_call(w, 0) == 0; i++) {
        uint64_t id = (uint32_t)w[1], name[3] = {w[5], w[6], w[7]};
        uint64_t of[8] = {ROOT_ORIGIN, id};
        if (id != start_self->id && root_call(of, 0) == 0 &&
            address - of[3] < of[4]) {
            text_put(line, "crash: that is ");
            variable_put(line, address);
            text_hex(line, address - of[3]);
            text_put(line, " in the memory of ");
            text_put_bounded(line, (const char *)name, sizeof(name));
            text_put(line, " [");
            text_decimal(line, id);
            text_put(line, "], which does not lend it now");
            line_end(line);
            return;
        }
        w[0] = ROOT_DOMAINS;
        w[1] = i + 1;
    }
}

static void frame_line(struct text *line, uint64_t pc, const char *how)
{
    text_put(line, how);
    place_put(line, pc);
    line_end(line);
}

/* A function without a frame record of its own has its return address only in
 * x30. Seen by x30 lying in another function than pc: after a call, it would
 * lie in the same one. */
static bool leaf_line(struct text *line, const struct saved_context *c)
{
    uint64_t here = 0, there = 0;
    const char *to = function_at(c->x[30] - 4, &there);
    bool caller = to != NULL && to != function_at(c->pc, &here);
    if (caller) {
        frame_line(line, c->x[30] - 4, "  from ");
    }
    return caller;
}

struct trace {
    struct text *line;
    uint64_t last; /* return address printed last */
    uint32_t printed, repeats;
};

static void repeats_flush(struct trace *trace)
{
    if (trace->repeats > 0) {
        text_put(trace->line, "  ... ");
        text_decimal(trace->line, trace->repeats);
        text_put(trace->line, " times the same");
        line_end(trace->line);
        trace->repeats = 0;
    }
}

/* Recursion is told in one line. */
static void trace_frame(struct trace *trace, uint64_t address)
{
    if (address == trace->last) {
        trace->repeats++;
        return;
    }
    repeats_flush(trace);
    frame_line(trace->line, address - 4, "  from ");
    trace->last = address;
    trace->printed++;
}

/* The lowest address at which a frame record of the thread may lie. */
static uint64_t frames_low(const struct thread *t, uint64_t sp)
{
    return sp >= t->stack && sp <= t->stack_end ? sp : t->stack;
}

/* The chain of frame records at x29: {previous x29, return address}. It must
 * climb inside one stack. */
static void backtrace(struct text *line, const struct saved_context *c)
{
    const struct thread *t = sched_current();
    struct trace trace = {.line = line};
    frame_line(line, c->pc, "  at ");
    if (leaf_line(line, c)) {
        trace.last = c->x[30];
    }
    if (t == NULL) {
        return;
    }
    uint64_t frame = c->x[29], low = frames_low(t, c->sp);
    for (uint32_t i = 0; i < STEPS_MAX && trace.printed < FRAMES_MAX; i++) {
        if (frame < low || frame % 8 != 0 || frame + 16 > t->stack_end) {
            break;
        }
        const uint64_t *record = (const uint64_t *)frame;
        if (record[1] == 0) {
            break;
        }
        if (i > 0 || record[1] != trace.last) {
            trace_frame(&trace, record[1]);
        }
        low = frame + 16;
        frame = record[0];
    }
    repeats_flush(&trace);
}

_Noreturn void crash_report(struct upcall_page *page, bool critical)
{
    struct text line = {.length = 0};
    struct cause cause = cause_of(page->fault.esr);
    const struct saved_context *context =
        &page->slots[page->fault.slot < SAVE_SLOTS ? page->fault.slot
                                                   : SAVE_DOUBLE];
    who_put(&line, critical);
    what_put(&line, &cause, page->fault.far);
    line_end(&line);
    if (cause.address) {
        owner_line(&line, page->fault.far);
    }
    backtrace(&line, context);
    uint64_t w[8] = {ROOT_CRASH, (uint64_t)fault_signal(page)};
    (void)root_call(w, 0);
    for (;;) {
        __builtin_trap();
    }
}
