/* SPDX-License-Identifier: BSL-1.0 */
/*
 * authority: the manifest's authority graph as JSON, and the policy against it.
 * Runs where the system is built; reads the manifest by the root server's own
 * code. Usage: authority MANIFEST POLICY OUT.json
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../authority.h"
#include "../policy.h"

static struct manifest manifest;
static const char *manifest_path, *policy_path;

static char *read_all(const char *path, size_t *bytes)
{
    static const size_t most = 1u << 20;
    FILE *file = fopen(path, "rb");
    char *text = malloc(most);

    if (file == NULL || text == NULL) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        exit(1);
    }
    *bytes = fread(text, 1, most, file);
    fclose(file);
    return text;
}

/* Names and files of a manifest hold no character that JSON would escape but
 * these two. */
static void put_string(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') {
            fputc('\\', out);
        }
        fputc(*text, out);
    }
    fputc('"', out);
}

static void put_fact(FILE *out, const struct authority_fact *f)
{
    unsigned long long value = f->value, bytes = f->bytes;

    switch (f->kind) {
    case FACT_MEMORY:
    case FACT_IRQ:
        fprintf(out, "%llu", value);
        break;
    case FACT_DEVICE:
        fprintf(out, "{\"address\": \"0x%llx\", \"bytes\": %llu}", value,
                bytes);
        break;
    default:
        put_string(out, f->text);
    }
}

static void put_list(FILE *out, uint32_t domain, enum fact_kind kind,
                     const char *key)
{
    struct authority_fact f;
    const char *gap = "";

    fprintf(out, ",\n     \"%s\": [", key);
    for (uint32_t i = 0; authority_fact(&manifest, i, &f); i++) {
        if (f.domain == domain && f.kind == kind) {
            fputs(gap, out);
            put_fact(out, &f);
            gap = ", ";
        }
    }
    fputc(']', out);
}

static void put_domain(FILE *out, uint32_t domain)
{
    const struct manifest_domain *d = &manifest.domains[domain];

    fputs("    {\"name\": ", out);
    put_string(out, manifest_string(&manifest, d->name));
    fprintf(out, ", \"line\": %u, \"file\": ", d->name.line);
    put_string(out, manifest_string(&manifest, d->file));
    fprintf(out, ",\n     \"memory\": %llu, \"priority\": %u",
            (unsigned long long)d->memory_bytes, d->priority);
    put_list(out, domain, FACT_DEVICE, "devices");
    put_list(out, domain, FACT_IRQ, "irqs");
    put_list(out, domain, FACT_PROVIDES, "provides");
    put_list(out, domain, FACT_NEEDS, "needs");
    put_list(out, domain, FACT_STDIO, "stdio");
    fputc('}', out);
}

static int write_json(const char *path)
{
    FILE *out = fopen(path, "w");

    if (out == NULL) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return 1;
    }
    fputs("{\"domains\": [\n", out);
    for (uint32_t i = 0; i < manifest.domain_count; i++) {
        put_domain(out, i);
        fputs(i + 1 < manifest.domain_count ? ",\n" : "\n", out);
    }
    fputs("]}\n", out);
    return fclose(out) != 0;
}

static void report(void *context, const struct policy_fault *fault)
{
    (void)context;
    if (fault->manifest_line != 0) {
        fprintf(stderr, "%s:%u: error: %s, against %s:%u\n", manifest_path,
                fault->manifest_line, fault->message, policy_path, fault->line);
        return;
    }
    fprintf(stderr, "%s:%u: error: %s\n", policy_path, fault->line,
            fault->message);
}

int main(int argc, char **argv)
{
    struct manifest_error error;
    size_t bytes;

    if (argc != 4) {
        fputs("usage: authority MANIFEST POLICY OUT.json\n", stderr);
        return 2;
    }
    manifest_path = argv[1];
    policy_path = argv[2];
    const char *text = read_all(manifest_path, &bytes);
    if (manifest_parse(text, bytes, &manifest, &error) != 0) {
        fprintf(stderr, "%s:%u:%u: error: %s\n", manifest_path, error.line,
                error.column, error.message);
        return 1;
    }
    text = read_all(policy_path, &bytes);
    if (policy_check(text, bytes, &manifest, report, NULL) != 0) {
        return 1;
    }
    return write_json(argv[3]);
}
