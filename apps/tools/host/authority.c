/* SPDX-License-Identifier: BSL-1.0 */
/*
 * The calls of <vesper/authority.h> on Linux, for the host tests: a small
 * system of three domains. The variable FAKE makes one thing wrong in it:
 * "leak" memory that nobody has, "busy" a ledger that never rests, "irq",
 * "device" and "bell" an undeclared capability, "channel" a connection nobody
 * declared, "gone" a domain that does not run.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <vesper/authority.h>
#include <vesper/system.h>

#include "fake.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static bool is_fake(const char *what)
{
    const char *fake = getenv("FAKE");

    return fake != NULL && strcmp(fake, what) == 0;
}

static int past_end(int error)
{
    errno = error;
    return -1;
}

int fake_domains(struct sys_domain *out, size_t max)
{
    static const struct sys_domain domains[] = {
        {.id = 2, .state = SYS_BLOCKED, .name = "uart"},
        {.id = 3, .state = SYS_BLOCKED, .name = "shell"},
        {.id = 9, .parent = 3, .state = SYS_READY, .name = "caps"},
    };
    size_t n = COUNT(domains) < max ? COUNT(domains) : max;

    memcpy(out, domains, n * sizeof(*out));
    return (int)n;
}

int sys_ledger(uint32_t *row, struct sys_ledger *out)
{
    static const struct sys_ledger rows[] = {
        {.owner = LEDGER_BOARD, .bytes = 1 << 20},
        {.owner = LEDGER_REGION, .region = BOOT_KERNEL, .bytes = 1 << 16},
        {.owner = LEDGER_REGION, .region = 99, .bytes = 1 << 16},
        {.owner = LEDGER_FREE, .bytes = 1 << 19, .small_bytes = 1 << 17},
        {.owner = LEDGER_ROOT, .type = {[LEDGER_SMALL] = 64}},
        {.owner = LEDGER_DOMAIN, .id = 2, .type = {[LEDGER_MAPPED] = 65472}},
        {.owner = LEDGER_CHANNEL, .id = 7, .type = {[LEDGER_GAP] = 196608}},
    };
    static uint32_t changes;

    if (*row >= COUNT(rows)) {
        return past_end(ENOENT);
    }
    *out = rows[(*row)++];
    out->changes = is_fake("busy") ? changes++ : 5;
    out->type[LEDGER_GAP] -= is_fake("leak") && out->id == 7 ? 1 : 0;
    return 0;
}

static const struct sys_cap root_caps[] = {
    {1, TYPE_UNTYPED, 0x7f, 20, 0, false, 0x100000, 8192, LEDGER_NOBODY, 0},
    {2, TYPE_RANGE, 0x7f, 38, 0, false, 1ull << 38, 0, LEDGER_NOBODY, 0},
    {3, TYPE_IRQ, 0x7f, 0, 0, false, 57, 0, LEDGER_NOBODY, 0},
    {4, TYPE_UNTYPED, 0x7f, 24, 0, true, 0x3f000000, 0, LEDGER_NOBODY, 0},
    {5, TYPE_FRAME, 0x7f, 12, 0, true, 0x3f201000, 0x4000000000, LEDGER_DOMAIN,
     2},
    {6, TYPE_FRAME, 0x7f, 12, 0, true, 0x3f202000, 0x4008000000, LEDGER_DOMAIN,
     3},
};
static const struct sys_cap uart_caps[] = {
    {1, TYPE_ENDPOINT, 8, 6, 1, false, 0x100000, 2, LEDGER_ROOT, 0},
    {3, TYPE_UNTYPED, 0x7f, 16, 0, false, 0x110000, 4096, LEDGER_DOMAIN, 2},
    {4, TYPE_IRQ, 0x7f, 0, 1, false, 57, 0, LEDGER_NOBODY, 0},
    {16, TYPE_FRAME, 3, 12, 0, false, 0x110000, 0, LEDGER_DOMAIN, 2},
    {17, TYPE_FRAME, 3, 12, 0, false, 0x111000, 0, LEDGER_DOMAIN, 2},
};
static const struct sys_cap shell_caps[] = {
    {16, TYPE_EVENT, 16, 6, 1, false, 0x120000, 8, LEDGER_DOMAIN, 2},
    {18, TYPE_ENDPOINT, 8, 6, 1, false, 0x130000, 7, LEDGER_DOMAIN, 2},
};
static const struct sys_cap undeclared_irq = {17, TYPE_IRQ, 0x7f,
                                              0,  1,        false,
                                              56, 0,        LEDGER_NOBODY,
                                              0};
static const struct sys_cap undeclared_bell = {
    19, TYPE_ENDPOINT, 8, 6, 1, false, 0x130000, 8, LEDGER_DOMAIN, 2};

static int cap_of(const struct sys_cap *caps, size_t count, uint32_t *at,
                  struct sys_cap *out)
{
    if (*at >= count) {
        return past_end(ENOENT);
    }
    *out = caps[(*at)++];
    return 0;
}

static int shell_cap(uint32_t *at, struct sys_cap *out)
{
    if (*at == COUNT(shell_caps) && (is_fake("irq") || is_fake("bell"))) {
        *out = is_fake("irq") ? undeclared_irq : undeclared_bell;
        ++*at;
        return 0;
    }
    return cap_of(shell_caps, COUNT(shell_caps), at, out);
}

int sys_cap(uint32_t domain, enum sys_table table, uint32_t *at,
            struct sys_cap *out)
{
    if (table != SYS_CSPACE || domain > 3) {
        return past_end(ENOENT);
    }
    switch (domain) {
    case 0:
        return cap_of(root_caps, COUNT(root_caps) - !is_fake("device"), at,
                      out);
    case 2:
        return cap_of(uart_caps, COUNT(uart_caps), at, out);
    default:
        return shell_cap(at, out);
    }
}

int sys_channel(uint32_t index, struct sys_channel *out)
{
    static const struct sys_channel channels[] = {
        {7, 3, 2, 0x4010000000, 8192, "console"},
        {8, 9, 2, 0x4010200000, 8192, "block"},
    };

    if (index >= COUNT(channels) - !is_fake("channel")) {
        return past_end(ENOENT);
    }
    *out = channels[index];
    return 0;
}

int sys_service(uint32_t index, struct sys_service *out)
{
    *out = (struct sys_service){2, "console"};
    return index == 0 ? 0 : past_end(ENOENT);
}

int sys_fact(uint32_t index, struct sys_fact *out)
{
    static const struct sys_fact facts[] = {
        {FACT_DOMAIN, 0, 1, 2, 0, "uart"},
        {FACT_DEVICE, 0, 3, 0x3f201000, 4096, ""},
        {FACT_IRQ, 0, 4, 57, 0, ""},
        {FACT_PROVIDES, 0, 5, 0, 0, "console"},
        {FACT_DOMAIN, 1, 6, 3, 0, "shell"},
        {FACT_NEEDS, 1, 8, 0, 0, "console"},
        {FACT_STDIO, 1, 9, 0, 0, "console"},
    };

    if (index >= COUNT(facts)) {
        return past_end(ENOENT);
    }
    *out = facts[index];
    out->value = is_fake("gone") && index == 4 ? 0 : out->value;
    return 0;
}

int sys_origin(uint32_t domain, struct sys_origin *out)
{
    *out = (struct sys_origin){.declared = domain == 9 ? -1 : (int)domain - 2,
                               .rights = domain == 2 ? 0 : 1};
    return domain != 0 ? 0 : past_end(ESRCH);
}
