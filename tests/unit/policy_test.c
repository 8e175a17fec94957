/* SPDX-License-Identifier: BSL-1.0 */
/*
 * policy_test.c - rules against manifests. First small ones, with each form of
 * rule and each mistake; then rootserver/authority.policy: the manifest of the
 * system keeps it, and for every rule in it there is made a manifest that
 * breaks just what the rule says, which must be told with both lines.
 */
#include "rootserver/policy.h"
#include "tests/unit/tap.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 65536, FAULTS_MAX = 64 };

static struct manifest manifest;
static struct policy_fault faults[FAULTS_MAX];
static uint32_t fault_count;

static void note(void *context, const struct policy_fault *fault)
{
    if (fault_count < FAULTS_MAX) {
        faults[fault_count] = *fault;
    }
    fault_count++;
    *(uint32_t *)context += 1;
}

static bool parse(const char *text)
{
    struct manifest_error error;

    if (manifest_parse(text, strlen(text), &manifest, &error) != 0) {
        printf("# manifest:%u:%u: %s\n", error.line, error.column,
               error.message);
        return false;
    }
    return true;
}

/* A copy of exactly n bytes, so that a read past them is seen. */
static uint32_t check_bytes(const char *policy, size_t n)
{
    uint32_t told = 0;
    char *copy = malloc(n + (n == 0));
    uint32_t result;

    memcpy(copy, policy, n);
    fault_count = 0;
    result = policy_check(copy, n, &manifest, note, &told);
    free(copy);
    return result == told ? result : ~0u;
}

static uint32_t check(const char *policy)
{
    return check_bytes(policy, strlen(policy));
}

/* ---- small ones -------------------------------------------------------- */

static const char small[] = "domain uart\n"               /* 1 */
                            " file drivers/uart\n"        /* 2 */
                            " device 0x3f200000 0x4000\n" /* 3 */
                            " irq 57\n"                   /* 4 */
                            " provides console\n"         /* 5 */
                            "domain shell\n"              /* 6 */
                            " file shell\n"               /* 7 */
                            " stdio console\n"            /* 8 */
                            "domain other\n"              /* 9 */
                            " file other\n"               /* 10 */
                            " needs console\n";           /* 11 */

/* The one fault of the policy's line 1, at that line of the manifest. */
static bool is_fault(const char *policy, uint32_t manifest_line,
                     const char *message)
{
    bool good = check(policy) == 1 && faults[0].line == 1 &&
                faults[0].manifest_line == manifest_line &&
                strstr(faults[0].message, message) != NULL;

    if (!good) {
        printf("# %s: %u faults, the first %u, %u: %s\n", policy, fault_count,
               faults[0].line, faults[0].manifest_line, faults[0].message);
    }
    return good;
}

static void test_kept(void)
{
    CHECK(check("") == 0 && check("\n\n# only\n  \t\n") == 0,
          "no rules are kept");
    CHECK(check("only uart holds device 0x3f201000") == 0, "a device");
    CHECK(check("only shell uart holds irq 57\n") == 0, "one of two names");
    CHECK(check("only uart provides console # a comment\r\n") == 0,
          "a service, a comment and a carriage return");
    CHECK(check("only other shell needs console") == 0, "needs");
    CHECK(check("nobody holds device 0x3f204000") == 0, "past the device");
    CHECK(check("nobody holds device 0x3f1ff000") == 0, "before the device");
    CHECK(check("nobody holds irq 56\nnobody needs files") == 0, "nobody");
    CHECK(check("shell has no device\nshell has no irq\n"
                "shell has no service\nuart has no need\n") == 0,
          "has no");
    CHECK(check("uart runs drivers/uart") == 0, "runs");
}

static void test_broken(void)
{
    CHECK(is_fault("only shell holds device 0x3f203000", 3,
                   "domain uart holds device 0x3f200000"),
          "a device's last page");
    CHECK(is_fault("nobody holds device 0x3f1ff000 8192", 3, "uart"),
          "a rule over more bytes");
    CHECK(is_fault("nobody holds device 0x3f1ff000 0x1001", 3, "uart"),
          "a rule over one byte of the device");
    CHECK(is_fault("only shell holds irq 57", 4, "domain uart holds irq 57"),
          "an interrupt");
    CHECK(is_fault("nobody provides console", 5, "uart provides console"),
          "a service");
    CHECK(is_fault("only shell needs console", 11, "other needs console"),
          "a need");
    CHECK(is_fault("only other needs console", 8, "shell needs console"),
          "stdio is a need");
    CHECK(is_fault("uart has no device", 3, "uart holds device"),
          "has a device");
    CHECK(is_fault("uart has no irq", 4, "uart holds irq 57"), "has an irq");
    CHECK(is_fault("uart has no service", 5, "provides console"),
          "has a service");
    CHECK(is_fault("other has no need", 11, "needs console"), "has a need");
    CHECK(is_fault("shell has no need", 8, "needs console"), "has a stdio");
    CHECK(is_fault("shell runs bin/shell", 7, "shell runs shell"),
          "another program");
    CHECK(check("nobody needs console") == 2, "two faults of one rule");
}

static void test_mistakes(void)
{
    static const char *const bad[] = {
        "only",
        "only uart",
        "only holds irq 5",
        "only uart holds",
        "only uart holds irq",
        "only uart holds irq x",
        "only uart holds irq 5 6",
        "only uart holds irq 0x",
        "only uart holds device",
        "only uart holds device 0x3f200000 0",
        "only uart holds device 0x3f200000 1 2",
        "only uart holds page 1",
        "only uart provides",
        "only uart provides a b",
        "only uart needs",
        "nobody",
        "nobody uart holds irq 1",
        "nobody knows",
        "uart has no idea",
        "uart has no",
        "uart has a device",
        "uart runs",
        "uart runs a b",
        "uart",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (!is_fault(bad[i], 0, "")) {
            CHECK(false, bad[i]);
            return;
        }
    }
    CHECK(true, "24 rules that cannot be read");
    CHECK(is_fault("only sd holds irq 56", 0, "no domain sd") &&
              is_fault("sd has no irq", 0, "no domain sd") &&
              is_fault("sd runs drivers/sd", 0, "no domain sd"),
          "a domain that is not there");
    CHECK(check("\n\nonly\n") == 1 && faults[0].line == 3, "line numbers");
    CHECK(check_bytes("uart\0", 5) == 1, "a NUL");
}

static void test_long(void)
{
    char text[600];

    memset(text, 'a', sizeof(text));
    CHECK(check_bytes(text, sizeof(text)) == 1, "a line too long");
    for (size_t i = 0; i < sizeof(text); i += 2) {
        text[i] = ' ';
    }
    CHECK(check_bytes(text, 250) == 1, "too many words");
}

/* ---- the system's own -------------------------------------------------- */

static char *read_file(const char *path)
{
    char *text = calloc(1, TEXT_MAX);
    FILE *file = fopen(path, "rb");

    if (file == NULL || fread(text, 1, TEXT_MAX - 1, file) == 0) {
        printf("# cannot read %s\n", path);
        exit(1);
    }
    fclose(file);
    return text;
}

/* In place; the first `from` that a blank or line end follows. */
static bool replace(char *text, const char *from, const char *to)
{
    size_t n = strlen(from), m = strlen(to);
    char *at = strstr(text, from);

    while (at != NULL && strchr(" \n", at[n]) == NULL) {
        at = strstr(at + 1, from);
    }
    if (at == NULL) {
        return false;
    }
    memmove(at + m, at + n, strlen(at + n) + 1);
    memcpy(at, to, m);
    return true;
}

/* Gives `what` to a domain "thief", and takes it from who had it. */
static void steal(char *text, const char *what)
{
    if (strncmp(what, "needs", 5) != 0) {
        (void)replace(text, what, "");
    }
    strcat(text, "\ndomain thief\n file thief\n ");
    strcat(text, what);
    strcat(text, "\n");
}

/* Makes of the manifest one that breaks the rule; false: cannot be read. */
static bool break_rule(char *text, char *rule)
{
    char name[32], verb[16], object[64], value[64], line[160];
    int words;

    rule += strncmp(rule, "only ", 5) == 0 ? 5 : 0;
    words = sscanf(rule, "%31s %15s %63s %63s", name, verb, object, value);
    if (words == 4 && strcmp(verb, "holds") == 0) {
        snprintf(line, sizeof(line), "%s %s%s", object, value,
                 strcmp(object, "device") == 0 ? " 4096" : "");
        steal(text, line);
    } else if (words >= 3 && strcmp(verb, "runs") == 0) {
        snprintf(line, sizeof(line), "file %s", object);
        return replace(text, line, "file thief");
    } else if (words == 4 && strcmp(verb, "has") == 0) {
        char domain[48];

        snprintf(domain, sizeof(domain), "domain %s", name);
        snprintf(line, sizeof(line), "%s\n %s", domain,
                 strcmp(value, "device") == 0 ? "device 0x3f300000 4096"
                 : strcmp(value, "irq") == 0  ? "irq 77"
                 : strcmp(value, "need") == 0 ? "needs console"
                                              : "provides thief");
        return replace(text, domain, line);
    } else if (words >= 3) {
        snprintf(line, sizeof(line), "%s %s", verb, object);
        steal(text, line);
    }
    return words >= 3;
}

static bool is_told(uint32_t line)
{
    for (uint32_t i = 0; i < fault_count && i < FAULTS_MAX; i++) {
        if (faults[i].line == line && faults[i].manifest_line != 0) {
            return true;
        }
    }
    return false;
}

static void test_rule(const char *policy, char *rule, uint32_t line)
{
    char *broken = read_file("rootserver/default.manifest");
    bool good = break_rule(broken, rule) && parse(broken) &&
                check(policy) > 0 && is_told(line);

    CHECK(good, rule);
    free(broken);
}

static void test_system(void)
{
    char *policy = read_file("rootserver/authority.policy");
    char *text = read_file("rootserver/default.manifest");
    char *copy = strdup(policy);
    char *rest = copy;
    uint32_t line = 0, rules = 0;

    CHECK(parse(text) && check(policy) == 0, "the system keeps its policy");
    for (char *rule = strsep(&rest, "\n"); rule != NULL;
         rule = strsep(&rest, "\n")) {
        line++;
        rule[strcspn(rule, "#")] = '\0';
        if (rule[strspn(rule, " \t")] != '\0') {
            test_rule(policy, rule, line);
            rules++;
        }
    }
    CHECK(rules > 20, "every rule has been broken");
    free(copy);
    free(text);
    free(policy);
}

int main(void)
{
    if (!CHECK(parse(small), "a small manifest")) {
        return tap_end();
    }
    test_kept();
    test_broken();
    test_mistakes();
    test_long();
    test_system();
    return tap_end();
}
