/* SPDX-License-Identifier: BSL-1.0
 *
 * vesper/thread_trace.h. libos asks the policy who is to run: the linker leads
 * the question here first (--wrap). So nothing is added to a switch that is not
 * traced. What runs domains of the program's own is led here likewise
 * (libos/core/nested.c).
 */
#include <vesper/thread_trace.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vesper/policy.h>
#include <vesper/scheduler.h>
#include <vesper/start.h>
#include <vesper/thread.h>

#include "../core/state.h"

#define NOBODY     0u
#define NAME_BYTES 16u

struct change {
    uint64_t ns;
    uint32_t thread; /* its number, or NOBODY */
};

static struct {
    bool on;
    uint32_t running;
    uint64_t next; /* changes so far */
    struct change *change;
    uint32_t seen; /* threads: 1..seen */
    struct {
        const void *which;
        char name[NAME_BYTES]; /* the memory of a thread is used again */
    } thread[THREAD_TRACE_THREADS + 1];
} trace;

/* ---- when a thread starts to run: masked ------------------------------- */

POLICY_CODE static bool is_called(const char *name, const char *other)
{
    while (*name != '\0' && *name == *other) {
        name++;
        other++;
    }
    return *name == *other;
}

POLICY_CODE static uint32_t number_new(const void *which, const char *name)
{
    if (trace.seen == THREAD_TRACE_THREADS) {
        return trace.seen;
    }
    uint32_t number = ++trace.seen;
    trace.thread[number].which = which;
    for (uint32_t i = 0; i < NAME_BYTES - 1; i++) {
        trace.thread[number].name[i] = *name;
        name += *name != '\0';
    }
    return number;
}

/* The latest first: that it is called otherwise now, is what tells a thread
 * from one before it in the same memory. */
POLICY_CODE static uint32_t number_of(const void *which, const char *name)
{
    uint32_t i = trace.seen;
    while (i != NOBODY && trace.thread[i].which != which) {
        i--;
    }
    return i != NOBODY && is_called(trace.thread[i].name, name)
               ? i
               : number_new(which, name);
}

POLICY_CODE static void change_to(const void *which, const char *name)
{
    if (!trace.on) {
        return;
    }
    uint32_t number = which != NULL ? number_of(which, name) : NOBODY;
    if (number != trace.running) {
        trace.running = number;
        trace.change[trace.next++ % THREAD_TRACE_CHANGES] =
            (struct change){time_ns(), number};
    }
}

POLICY_CODE struct policy_choice __real_policy_take(struct runnable *in,
                                                    enum policy_why why);
POLICY_CODE struct policy_choice __wrap_policy_take(struct runnable *in,
                                                    enum policy_why why);
POLICY_CODE struct policy_choice __wrap_policy_take(struct runnable *in,
                                                    enum policy_why why)
{
    struct policy_choice c = __real_policy_take(in, why);
    const struct thread *t = c.next != NULL ? runnable_thread(c.next) : NULL;
    change_to(t, t != NULL ? t->name : NULL);
    return c;
}

/* ---- when a domain starts to run that this one schedules: masked -------- */

POLICY_CODE void __real_scheduler_begins(struct scheduler_table *t,
                                         uint64_t when);
POLICY_CODE void __wrap_scheduler_begins(struct scheduler_table *t,
                                         uint64_t when);
POLICY_CODE void __wrap_scheduler_begins(struct scheduler_table *t,
                                         uint64_t when)
{
    char name[] = "child 000";
    uint32_t rest = t->running;
    for (char *digit = &name[sizeof(name) - 2]; rest != 0; digit--) {
        *digit = (char)('0' + rest % 10);
        rest /= 10;
    }
    change_to(&t->child[t->running], name);
    __real_scheduler_begins(t, when);
}

POLICY_CODE void __real_scheduler_ended(struct scheduler_table *t,
                                        uint64_t from, uint64_t to);
POLICY_CODE void __wrap_scheduler_ended(struct scheduler_table *t,
                                        uint64_t from, uint64_t to);
POLICY_CODE void __wrap_scheduler_ended(struct scheduler_table *t,
                                        uint64_t from, uint64_t to)
{
    change_to(NULL, NULL);
    __real_scheduler_ended(t, from, to);
}

/* ---- for the program --------------------------------------------------- */

int thread_trace_start(void)
{
    const size_t bytes = THREAD_TRACE_CHANGES * sizeof(*trace.change);
    trace.on = false;
    if (trace.change == NULL) {
        trace.change = malloc(bytes);
    }
    if (trace.change == NULL) {
        return ENOMEM;
    }
    memset(trace.change, 0, bytes); /* no page of it is touched first masked */
    trace.next = 0;
    trace.seen = trace.running = NOBODY;
    __atomic_signal_fence(__ATOMIC_RELEASE); /* upcalls see all of this */
    trace.on = true;
    thread_yield(); /* who runs is noted when it runs next */
    return 0;
}

static void event_print(FILE *out, const char *kind, uint32_t thread)
{
    fprintf(out, "{\"ph\": \"%s\", \"pid\": %u, \"tid\": %u, ", kind,
            (unsigned)start_self->id, (unsigned)thread);
}

static void name_print(FILE *out, uint32_t thread)
{
    event_print(out, "M", thread);
    fprintf(out, "\"name\": \"thread_name\", \"args\": {\"name\": \"");
    for (const char *c = trace.thread[thread].name; *c != '\0'; c++) {
        bool plain = *c >= ' ' && *c <= '~' && *c != '"' && *c != '\\';
        fputc(plain ? *c : '?', out);
    }
    fprintf(out, "\"}},\n");
}

static void run_print(FILE *out, const struct change *c, uint64_t end)
{
    uint64_t ns = end - c->ns;
    event_print(out, "X", c->thread);
    fprintf(out, "\"name\": \"run\", \"ts\": %llu.%03u, \"dur\": %llu.%03u},\n",
            (unsigned long long)(c->ns / 1000), (unsigned)(c->ns % 1000),
            (unsigned long long)(ns / 1000), (unsigned)(ns % 1000));
}

static void events_print(FILE *out, uint64_t end)
{
    uint64_t room = THREAD_TRACE_CHANGES;
    uint64_t first = trace.next > room ? trace.next - room : 0;
    fprintf(out, "{\"displayTimeUnit\": \"ns\", \"traceEvents\": [\n");
    for (uint32_t i = 1; i <= trace.seen; i++) {
        name_print(out, i);
    }
    for (uint64_t i = first; i < trace.next; i++) {
        const struct change *c = &trace.change[i % room];
        bool last = i + 1 == trace.next;
        if (c->thread != NOBODY) {
            run_print(out, c, last ? end : trace.change[(i + 1) % room].ns);
        }
    }
    event_print(out, "M", 0);
    fprintf(out, "\"name\": \"lost\", \"args\": {\"changes\": %llu}}\n]}\n",
            (unsigned long long)first);
}

int thread_trace_write(const char *path)
{
    uint64_t end = time_ns();
    if (!trace.on) {
        return EINVAL;
    }
    trace.on = false;
    FILE *out = fopen(path, "w");
    if (out == NULL) {
        return errno;
    }
    events_print(out, end);
    int error = ferror(out) ? EIO : 0;
    return fclose(out) != 0 ? errno : error;
}
