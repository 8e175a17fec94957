/* SPDX-License-Identifier: BSL-1.0 */
/* From what a domain says of its threads to what a program is told of them: the
 * root server's look (rootserver/threads.c) and the library's (vesper/cpu.h).
 * The domain's memory and the kernel are here. */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <vesper/accounts.h>
#include <vesper/cpu.h>
#include <vesper/root_call.h>

#include "rootserver/root.h"
#include "tests/unit/tap.h"

#define NOW   1000000ull
#define CLOCK 900000ull /* the domain's: others had the rest */
#define HAD   5000ull

static struct domain domain = {.phase = DOMAIN_LIVE, .id = 9, .index = 9};
static _Alignas(PAGE_BYTES) char pages[3 * PAGE_BYTES];
static int attached;
static bool no_tables, gone, raced;

static struct thread_accounts *accounts(void)
{
    return (void *)(pages + PAGE_BYTES + ACCOUNTS_OFFSET);
}

enum abi_error sys_stretch_attach(uint64_t stretch, uint64_t to,
                                  uint64_t rights)
{
    attached++;
    return no_tables || to != CPTR_SELF_DOMAIN || rights != RIGHT_READ ||
                   stretch != OBJECT_STRETCH
               ? ERR_NOTABLE
               : ERR_OK;
}

enum abi_error sys_stretch_detach(uint64_t stretch, uint64_t from)
{
    attached -= stretch == OBJECT_STRETCH && from == CPTR_SELF_DOMAIN;
    return ERR_OK;
}

int guarded(int (*f)(void *), void *context, uint64_t low, uint64_t high)
{
    bool whole = high - low == sizeof(struct thread_accounts);
    return gone || !whole ? EFAULT : f(context);
}

struct domain *domain_find(uint32_t id)
{
    return id == domain.id ? &domain : NULL;
}

cptr_t domain_object(const struct domain *d, uint32_t place)
{
    return d == &domain ? place : 0;
}

uint64_t domain_cpu_ticks(const struct domain *d)
{
    return d == &domain ? HAD : 0;
}

uint64_t schedule_clock(const struct domain *d, bool calls, uint64_t when)
{
    return d == &domain && !calls && when == NOW ? CLOCK : 0;
}

uint64_t now(void)
{
    return NOW;
}

int root_call(uint64_t w[8], uint64_t loan)
{
    (void)loan;
    if (raced && w[2] != 0) { /* somebody else looks in between */
        uint64_t other[8] = {ROOT_THREADS, domain.id};
        raced = false;
        CHECK(threads_operate(NULL, other) == 0, "another look");
    }
    return threads_operate(NULL, w);
}

static void account(uint32_t i, uint64_t ticks, uint32_t id, const char *name)
{
    struct thread_account *a = &accounts()->thread[i];
    *a = (struct thread_account){.ticks = ticks, .id = id};
    memcpy(a->name, name, strnlen(name, sizeof(a->name)));
}

static struct cpu_thread row[CPU_THREADS_MAX];
static size_t rows;
static uint64_t ticks;

static int look(uint32_t id)
{
    return cpu_threads(id, &ticks, row, &rows) == 0 ? 0 : errno;
}

static void test_rows(void)
{
    account(0, 70, 0, "");
    account(1, 40, 1, "main");
    account(5, 100 - (CLOCK - 30), 7, "sixteen letters!");
    CHECK(look(9) == 0 && rows == 3 && ticks == HAD, "all that are in use");
    CHECK(row[0].id == 0 && row[0].ticks == 70 &&
              strcmp(row[0].name, "(ended)") == 0,
          "first those that ended");
    CHECK(row[1].id == 1 && row[1].ticks == 40 &&
              strcmp(row[1].name, "main") == 0,
          "one that waits");
    CHECK(row[2].id == 7 && row[2].ticks == 130 &&
              strcmp(row[2].name, "sixteen letters!") == 0,
          "one that runs: until now, by the domain's own time");
    raced = true;
    CHECK(look(9) == 0 && rows == 3 && !raced, "again after another's look");
}

static void test_refused(void)
{
    uint64_t w[8] = {ROOT_THREADS, 9, 12345};
    CHECK(look(8) == ESRCH && look(0) == ESRCH, "no such domain");
    domain.phase = DOMAIN_ZOMBIE;
    CHECK(look(9) == ESRCH, "one that has ended");
    domain.phase = DOMAIN_LIVE;
    no_tables = true;
    CHECK(look(9) == ENOMEM, "no addresses for it");
    attached = 0;
    no_tables = false;
    gone = true;
    CHECK(look(9) == EFAULT && attached == 0, "its memory is not there");
    gone = false;
    CHECK(threads_operate(NULL, w) == ESTALE, "a look that nobody took");
    CHECK(look(9) == 0, "and on");
    w[2] = ~0ull;
    CHECK(threads_operate(NULL, w) == ESTALE, "no number of one");
    w[1] = 9;
    w[2] = 0;
    CHECK(threads_operate(NULL, w) == 0, "a look");
    w[2] |= 0xffffffffull << 32;
    CHECK(threads_operate(NULL, w) == ENOENT, "far past the end");
    CHECK(attached == 0, "nothing stays attached");
}

static void test_lies(void)
{
    memset(accounts(), 0xff, sizeof(*accounts()));
    CHECK(look(9) == 0 && rows == CPU_THREADS_MAX, "so many at most");
    account(1, ~0ull >> 1, 1, "\033[2J\n\377 b");
    account(2, 1ull << 63, 2, "");
    CHECK(look(9) == 0 && strcmp(row[1].name, "?[2J?? b") == 0,
          "a name has printing characters only");
    CHECK(row[1].ticks == NOW && row[2].ticks == 0,
          "nobody had more than there was, or less than nothing");
}

static uint64_t fit(uint64_t a, uint64_t b, uint64_t whole)
{
    row[0].ticks = a;
    row[1].ticks = b;
    return cpu_threads_fit(row, 2, whole);
}

static void test_fit(void)
{
    const uint64_t much = 1ull << 57;
    CHECK(fit(30, 50, 100) == 20 && row[0].ticks == 30 && row[1].ticks == 50,
          "the rest is no thread's");
    CHECK(fit(300, 100, 100) == 0 && row[0].ticks == 75 && row[1].ticks == 25,
          "what is too much is taken from all in proportion");
    CHECK(fit(3, 3, 0) == 0 && row[0].ticks == 0, "there was nothing");
    CHECK(fit(0, 0, 7) == 7, "nobody had anything");
    uint64_t rest = fit(much, 3 * much, 2 * much);
    CHECK(row[0].ticks + row[1].ticks + rest == 2 * much &&
              row[0].ticks == much / 2 && rest < much / 1000000,
          "large numbers");
}

int main(void)
{
    domain.block_address = (uintptr_t)pages;
    test_rows();
    test_refused();
    test_lies();
    test_fit();
    return tap_end();
}
