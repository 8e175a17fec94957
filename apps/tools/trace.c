/* SPDX-License-Identifier: BSL-1.0 */
/*
 * trace: records which domain has the CPU and why no longer, and writes it as
 * trace events (Chrome, Perfetto), one a line. scripts/check_trace knows them.
 */
#include "owner.h"
#include "report.h"
#include "tools.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vesper/trace.h>

#define NS_PER_S UINT64_C(1000000000)

static const char *const why_text[TRACE_KINDS] = {
    [TRACE_IDLE] = "idle",       [TRACE_BLOCKED] = "blocked",
    [TRACE_CALLING] = "calling", [TRACE_ENDED] = "ended",
    [TRACE_EXPIRED] = "expired", [TRACE_PREEMPTED] = "preempted",
};

/* A time as it is printed: microseconds, to the nanosecond. */
struct us {
    char text[32];
};

static struct us us(uint64_t ticks, uint64_t hz)
{
    uint64_t ns = ticks / hz * NS_PER_S + ticks % hz * NS_PER_S / hz;
    struct us out;

    snprintf(out.text, sizeof(out.text), "%llu.%03u",
             (unsigned long long)(ns / 1000), (unsigned)(ns % 1000));
    return out;
}

static void name_print(FILE *out, uint32_t domain, const char *name, int bytes)
{
    fprintf(out,
            "{\"ph\": \"M\", \"pid\": %u, \"tid\": 0, \"name\": "
            "\"process_name\", \"args\": {\"name\": \"",
            (unsigned)domain);
    for (int i = 0; i < bytes && name[i] != '\0'; i++) {
        bool plain = name[i] >= ' ' && name[i] <= '~' && name[i] != '"' &&
                     name[i] != '\\';

        fputc(plain ? name[i] : '?', out);
    }
    fprintf(out, "\"}},\n");
}

static void run_print(FILE *out, const struct trace_record *r, uint64_t hz)
{
    fprintf(out,
            "{\"ph\": \"X\", \"pid\": %u, \"tid\": 0, \"name\": \"%s\", "
            "\"ts\": %s, \"dur\": %s, \"args\": {\"woken\": %s}},\n",
            (unsigned)r->domain, why_text[r->kind % TRACE_KINDS],
            us(r->begin, hz).text, us(r->end - r->begin, hz).text,
            us(r->woken, hz).text);
}

/* Domains whose names were overwritten, but that still run. */
static void names_print(FILE *out)
{
    struct sys_domain domain;

    name_print(out, 0, "(idle)", 6);
    for (int i = 0; domain_next(&i, &domain);) {
        name_print(out, domain.id, domain.name, (int)sizeof(domain.name));
    }
}

/* The last line ends without a comma, so it is none of the records. */
static bool records_print(FILE *out, const struct trace_status *s)
{
    struct trace_record r;

    fprintf(out, "{\"displayTimeUnit\": \"ns\", \"traceEvents\": [\n");
    names_print(out);
    for (uint64_t i = s->first; i < s->next; i++) {
        if (trace_read(i, &r) != 0) {
            return false;
        }
        if (r.kind == TRACE_NAMED) {
            name_print(out, r.domain, r.name, (int)sizeof(r.name));
        } else {
            run_print(out, &r, s->hz);
        }
    }
    fprintf(out,
            "{\"ph\": \"M\", \"pid\": 0, \"tid\": 0, \"name\": \"lost\", "
            "\"args\": {\"records\": %llu}}\n]}\n",
            (unsigned long long)s->first);
    return true;
}

static int write_to(const char *path)
{
    struct trace_status s;

    if (trace_status(&s) != 0) {
        return report_errno("trace");
    }
    if (s.on) {
        return report_cause(path, "the trace is still on: trace stop");
    }
    if (s.next == 0) {
        return report_cause(path, "there is no trace: trace start");
    }
    FILE *out = fopen(path, "w");
    if (out == NULL) {
        return report_errno(path);
    }
    bool good = records_print(out, &s) && !ferror(out);
    if (fclose(out) != 0 || !good) {
        return report_errno(path);
    }
    return 0;
}

static int status(void)
{
    struct trace_status s;

    if (trace_status(&s) != 0) {
        return report_errno("trace");
    }
    printf("%s, %llu records of at most %llu, %llu lost\n", s.on ? "on" : "off",
           (unsigned long long)(s.next - s.first), (unsigned long long)s.room,
           (unsigned long long)s.first);
    return 0;
}

int tool_trace(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "write") == 0) {
        return write_to(argv[2]);
    }
    if (argc != 2) {
        return report_usage();
    }
    if (strcmp(argv[1], "status") == 0) {
        return status();
    }
    if (strcmp(argv[1], "start") == 0) {
        return trace_start() == 0 ? 0 : report_errno("trace");
    }
    if (strcmp(argv[1], "stop") == 0) {
        return trace_stop() == 0 ? 0 : report_errno("trace");
    }
    return report_usage();
}
