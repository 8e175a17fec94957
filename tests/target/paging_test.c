/* SPDX-License-Identifier: BSL-1.0
 *
 * Regions and their drivers on the real kernel, with a real card: what is
 * written is read again, with a fraction of the memory; faults of one thread do
 * not stop the others; what cannot be had is told. Prints TAP.
 */
#include "tests/unit/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <vesper/fault.h>
#include <vesper/paging.h>
#include <vesper/thread.h>

#define PAGE  4096u
#define WORDS (PAGE / 8)

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ x >> 27) * 0x94d049bb133111ebull;
    return x ^ x >> 31;
}

/* ---- what a fault says ------------------------------------------------- */

/* The compiler does not know that a plain access may call it. */
static volatile struct paging_fault last;
static volatile uint32_t told;

/* Makes the access possible, so that the test goes on. */
static void mend(const struct paging_fault *f)
{
    last.address = f->address;
    last.write = f->write;
    last.error = f->error;
    told++;
    uintptr_t page = (uintptr_t)f->address & ~(uintptr_t)(PAGE - 1);
    if (f->error == EACCES) {
        (void)mprotect((void *)page, PAGE, PROT_READ | PROT_WRITE);
    } else {
        (void)region_renew((void *)page);
    }
}

/* ---- one fault at a time ----------------------------------------------- */

/* As the physical one, but it takes its time after the first frame of all,
 * which came with others: those are at hand meanwhile. */
static volatile bool slow;

static int slow_fault(struct region *r, uint32_t i, bool write)
{
    struct page *p = &r->page[i];
    struct frame *f = p->frame;
    (void)write;
    if (f == NULL) {
        f = paging_take();
        slow = true;
        thread_sleep_until(time_ns() + 20000000);
        slow = false;
    }
    return f != NULL ? region_show(r, i, f, p->rights) : ENOMEM;
}

static bool slow_at_once(struct region *r, uint32_t i, bool write)
{
    struct frame *f = paging_take_at_once();
    (void)write;
    return f != NULL && region_show(r, i, f, r->page[i].rights) == 0;
}

static void slow_drop(struct region *r, uint32_t i)
{
    paging_give(r->page[i].frame);
}

static int toucher(void *word)
{
    return (int)*(volatile uint64_t *)word;
}

static void slow_test(void)
{
    static const struct region_driver driver = {"slow", slow_fault,
                                                slow_at_once, slow_drop, NULL};
    struct paging_counts before, after;
    struct thread *t;
    struct region *r;
    int seen = -1;
    CHECK(region_make(&driver, PAGE, REGION_READ | REGION_WRITE, NULL, &r) == 0,
          "a driver of one's own");
    told = 0;
    paging_on_fault(mend);
    paging_counts(&before);
    (void)thread_create(&t, toucher, (void *)r->base, "toucher");
    while (!slow) {
        thread_yield();
    }
    *(volatile uint64_t *)r->base = 7;
    CHECK(!slow, "who touches a page that is being brought waits for it");
    (void)thread_join(t, &seen);
    paging_counts(&after);
    paging_on_fault(NULL);
    CHECK(told == 0 && after.faults == before.faults + 2,
          "and both have it, by one fault after the other");
    CHECK((seen == 0 || seen == 7) && *(volatile uint64_t *)r->base == 7,
          "with what is written there");
    CHECK(region_free((void *)r->base) == 0, "freed");
}

/* ---- nailed and physical ----------------------------------------------- */

static bool is_zero(const uint64_t *at, size_t words)
{
    while (words > 0 && at[words - 1] == 0) {
        words--;
    }
    return words == 0;
}

static void plain_test(void)
{
    struct paging_counts before, after;
    void *p;
    CHECK(region_nailed(0, &p) == EINVAL, "no region without bytes");
    CHECK(region_nailed(300u << 20, &p) == ENOMEM, "nor beyond all addresses");
    CHECK(region_nailed(5 * PAGE - 1, &p) == 0, "a nailed region");
    paging_counts(&before);
    uint64_t *words = p;
    CHECK(is_zero(words, 5 * WORDS), "is zero");
    memset(p, 0xa5, 5 * PAGE);
    paging_counts(&after);
    CHECK(after.faults == before.faults, "and never faults");
    CHECK(region_free((char *)p + PAGE) == EINVAL, "freed only as a whole");
    CHECK(region_free(p) == 0, "freed");
    CHECK(region_physical(8u << 20, &p) == 0, "a physical region");
    words = p;
    CHECK(is_zero(words, 5 * WORDS), "is zero, also on frames used before");
    for (size_t i = 0; i < 200; i++) {
        words[i * WORDS * 10] = mix(i);
    }
    bool good = true;
    for (size_t i = 0; i < 200; i++) {
        good = good && words[i * WORDS * 10] == mix(i);
    }
    CHECK(good, "keeps what is written");
    CHECK(region_free(p) == 0, "freed");
    CHECK(region_free(p) == EINVAL, "once");
}

/* ---- paged ------------------------------------------------------------- */

#define PAGED_PAGES 1024u
#define FRAMES      64u

static bool words_good(const uint64_t *words, uint64_t salt)
{
    for (uint64_t i = 0; i < PAGED_PAGES; i++) {
        uint64_t at = i * WORDS + mix(i) % WORDS;
        if (words[at] != mix(at + salt)) {
            printf("# page %llu\n", (unsigned long long)i);
            return false;
        }
    }
    return true;
}

static void words_fill(uint64_t *words, uint64_t salt)
{
    for (uint64_t i = 0; i < PAGED_PAGES; i++) {
        uint64_t at = i * WORDS + mix(i) % WORDS;
        words[at] = mix(at + salt);
    }
}

/* Pages in no order, so that rows and places are no help. */
static void words_scatter(uint64_t *words, uint64_t salt)
{
    for (uint64_t k = 0; k < PAGED_PAGES; k++) {
        uint64_t i = k * 613 % PAGED_PAGES;
        uint64_t at = i * WORDS + mix(i) % WORDS;
        words[at] = mix(at + salt);
    }
}

static void paged_test(void)
{
    struct paging_counts c;
    void *p;
    paging_limit(FRAMES);
    CHECK(region_paged(PAGED_PAGES * PAGE, "/no/swap", &p) == ENOENT,
          "a paged region needs a place for its file");
    CHECK(region_paged(PAGED_PAGES * PAGE, "/swap.tst", &p) == 0,
          "a paged region");
    uint64_t *words = p;
    words_fill(words, 1);
    CHECK(words_good(words, 1), "keeps 16 times what is in memory");
    words_scatter(words, 2);
    CHECK(words_good(words, 2), "and what is written in no order");
    paging_counts(&c);
    printf("# %llu faults, %llu soft, %llu in, %llu out, %u frames\n",
           (unsigned long long)c.faults, (unsigned long long)c.soft,
           (unsigned long long)c.reads, (unsigned long long)c.writes, c.frames);
    CHECK(c.frames <= FRAMES && c.limit == FRAMES, "within its frames");
    uint64_t writes = c.writes;
    CHECK(words_good(words, 2), "and again");
    paging_counts(&c);
    CHECK(c.writes - writes <= FRAMES, "clean pages are not written out");
    paging_limit(FRAMES / 2);
    CHECK(words_good(words, 2), "with half the frames, too");
    paging_counts(&c);
    CHECK(c.frames <= FRAMES / 2, "the others are given back");
    CHECK(access("/swap.tst", F_OK) == 0 && region_free(p) == 0 &&
              access("/swap.tst", F_OK) != 0,
          "its file goes with it");
    paging_limit(FRAMES);
}

/* ---- the others run on ------------------------------------------------- */

static volatile bool over;
static volatile uint64_t spins;

static int spin(void *unused)
{
    (void)unused;
    while (!over) {
        spins++;
    }
    return 0;
}

/* How far did the sibling come while each single page came from the card? */
static void siblings_test(void)
{
    struct thread *t;
    void *p;
    uint32_t moved = 0;
    (void)region_paged(PAGED_PAGES * PAGE, "/swap.tst", &p);
    words_fill(p, 3);
    (void)thread_create(&t, spin, NULL, "spin");
    for (uint32_t i = 0; i < 100; i++) {
        uint64_t before = spins;
        (void)*(volatile uint64_t *)((char *)p + i * 7 % PAGED_PAGES * PAGE);
        moved += spins != before;
    }
    over = true;
    (void)thread_join(t, NULL);
    printf("# the sibling ran in %u of 100 faults\n", moved);
    CHECK(moved >= 90, "a fault that waits for the card stops nobody else");
    (void)region_free(p);
}

static int reader(void *p)
{
    return words_good(p, 4);
}

static void many_test(void)
{
    struct thread *t[4];
    void *p;
    bool good = true;
    (void)region_paged(PAGED_PAGES * PAGE, "/swap.tst", &p);
    words_fill(p, 4);
    for (int i = 0; i < 4; i++) {
        (void)thread_create(&t[i], reader, p, "reader");
    }
    for (int i = 0; i < 4; i++) {
        int result = 0;
        (void)thread_join(t[i], &result);
        good = good && result != 0;
    }
    CHECK(good, "four threads fault in the same pages");
    char line[64] = {0};
    int fd = open("/swap2.tst", O_RDWR | O_CREAT | O_TRUNC);
    CHECK(write(fd, p, 300 * PAGE) == 300 * PAGE &&
              lseek(fd, 0, SEEK_SET) == 0 &&
              read(fd, p, 300 * PAGE) == 300 * PAGE && words_good(p, 4),
          "write and read take from paged memory and put there");
    (void)pread(fd, line, 8, 0);
    (void)close(fd);
    (void)unlink("/swap2.tst");
    (void)region_free(p);
}

/* ---- mmap -------------------------------------------------------------- */

#define FILE_BYTES (20u * PAGE + 100u)

static int file_make(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC);
    for (uint32_t i = 0; i < FILE_BYTES; i++) {
        static char bytes[PAGE];
        bytes[i % PAGE] = (char)mix(i);
        if (i % PAGE == PAGE - 1 || i == FILE_BYTES - 1) {
            (void)write(fd, bytes, i % PAGE + 1);
        }
    }
    return fd;
}

static bool file_good(const char *p, uint32_t from)
{
    uint32_t i = from;
    while (i < FILE_BYTES && p[i - from] == (char)mix(i)) {
        i++;
    }
    return i == FILE_BYTES;
}

static int error_of(const void *p)
{
    return p == MAP_FAILED ? errno : 0;
}

static void mmap_errors_test(int fd)
{
    int rd = open("/map.tst", O_RDONLY), wr = open("/map.tst", O_WRONLY);
    int dir = open("/samples", O_RDONLY);
    const struct {
        size_t bytes;
        int protection, flags, fd;
        off_t offset;
        int error;
    } bad[] = {
        {0, PROT_READ, MAP_SHARED, fd, 0, EINVAL},
        {PAGE, PROT_READ, 0, fd, 0, EINVAL},
        {PAGE, PROT_READ, MAP_SHARED | MAP_PRIVATE, fd, 0, EINVAL},
        {PAGE, PROT_READ, MAP_SHARED, fd, 100, EINVAL},
        {PAGE, 64, MAP_SHARED, fd, 0, EINVAL},
        {PAGE, PROT_READ, MAP_SHARED, 55, 0, EBADF},
        {PAGE, PROT_READ, MAP_SHARED, wr, 0, EACCES},
        {PAGE, PROT_WRITE, MAP_SHARED, rd, 0, EACCES},
        {PAGE, PROT_READ, MAP_SHARED, dir, 0, ENODEV},
        {PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0, ENOTSUP},
        {PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0, ENOTSUP},
        {1u << 30, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0, ENOMEM},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int error = error_of(mmap(NULL, bad[i].bytes, bad[i].protection,
                                  bad[i].flags, bad[i].fd, bad[i].offset));
        printf("# case %zu: %d\n", i, error);
        CHECK(error == bad[i].error, "a mapping that cannot be is refused");
    }
    char *p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, rd, 0);
    CHECK(mprotect(p, PAGE, PROT_WRITE) == -1 && errno == EACCES,
          "what was opened for reading is not made writable");
    CHECK(mprotect(p, PAGE, PROT_READ | PROT_EXEC) == -1 && errno == ENOTSUP,
          "nor executable");
    CHECK(mprotect(p, 2 * PAGE, PROT_READ) == -1 && errno == ENOMEM &&
              msync(p, 2 * PAGE, MS_SYNC) == -1 && errno == ENOMEM,
          "what is not mapped is neither protected nor synced");
    CHECK(msync(p + 1, 1, MS_SYNC) == -1 && errno == EINVAL &&
              munmap(p + 1, 1) == -1 && errno == EINVAL && munmap(p, 0) == -1 &&
              errno == EINVAL && msync(p, PAGE, MS_SYNC | MS_ASYNC) == -1 &&
              errno == EINVAL,
          "crooked addresses and flags are refused");
    CHECK(munmap(p, PAGE) == 0 && munmap(p, PAGE) == 0,
          "unmapping twice is fine");
    (void)close(rd);
    (void)close(wr);
    (void)close(dir);
}

static bool card_byte(int fd, off_t at, char wanted)
{
    char byte;
    return pread(fd, &byte, 1, at) == 1 && byte == wanted;
}

static void mmap_test(void)
{
    int fd = file_make("/map.tst");
    mmap_errors_test(fd);
    char *p = mmap(NULL, FILE_BYTES, PROT_READ, MAP_PRIVATE, fd, 0);
    CHECK(p != MAP_FAILED && file_good(p, 0), "a private mapping of a file");
    CHECK(is_zero((uint64_t *)(p + FILE_BYTES + 4), (PAGE - 104) / 8),
          "the rest of its last page is zero");
    told = 0;
    paging_on_fault(mend);
    *(volatile char *)(p + 3 * PAGE) ^= 1;
    CHECK(told == 1 && last.error == EACCES && last.write &&
              last.address == p + 3 * PAGE,
          "writing it is told, and can be allowed then");
    CHECK(card_byte(fd, 3 * PAGE, (char)mix(3 * PAGE)) &&
              msync(p, FILE_BYTES, MS_SYNC) == 0 &&
              card_byte(fd, 3 * PAGE, (char)mix(3 * PAGE)),
          "and stays private");
    (void)munmap(p, FILE_BYTES);

    p = mmap(NULL, 30 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, PAGE);
    CHECK(p != MAP_FAILED && file_good(p, PAGE), "a shared one, from page 1");
    p[5 * PAGE + 7] = 'x';
    p[19 * PAGE + 50] = 'y';
    CHECK(msync(p, 30 * PAGE, MS_SYNC) == 0 &&
              card_byte(fd, 6 * PAGE + 7, 'x') &&
              card_byte(fd, 20 * PAGE + 50, 'y'),
          "msync puts it into the file");
    CHECK(lseek(fd, 0, SEEK_END) == FILE_BYTES, "which does not grow by it");
    p[2 * PAGE] = 'z';
    CHECK(munmap(p + 2 * PAGE, PAGE) == 0 && card_byte(fd, 3 * PAGE, 'z'),
          "so does unmapping a part");
    told = 0;
    (void)close(fd);
    CHECK(*(volatile char *)(p + PAGE) == (char)mix(2 * PAGE) && told == 0,
          "the mapping outlives the descriptor");
    (void)munmap(p, 30 * PAGE);
    (void)unlink("/map.tst");
    paging_on_fault(NULL);
}

static void anonymous_test(void)
{
    volatile char *p =
        mmap(NULL, 6 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    paging_on_fault(mend);
    told = 0;
    (void)p[2 * PAGE];
    CHECK(told == 1 && last.error == EACCES && !last.write,
          "PROT_NONE lets nobody read");
    p[2 * PAGE] = 1;
    CHECK(told == 1 && mprotect((void *)p, 6 * PAGE, PROT_READ) == 0 &&
              p[2 * PAGE] == 1,
          "memory keeps its contents when it is protected");
    p[2 * PAGE] = 2;
    CHECK(told == 2 && last.write && p[2 * PAGE] == 2,
          "and its protection holds");
    (void)munmap((void *)p, 6 * PAGE);
    paging_on_fault(NULL);
    bool good = true;
    for (int i = 0; i < 1500 && good; i++) {
        p = mmap(NULL, 40 * PAGE, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        good = p != MAP_FAILED && p[20 * PAGE] == 0;
        p[20 * PAGE] = 1;
        good = good && munmap((void *)p, 40 * PAGE) == 0;
    }
    CHECK(good, "addresses and memory are used again");
}

/* ---- drivers of one's own ---------------------------------------------- */

/* Pages that are calculated, not stored. */
static int square_read(struct paging_store *s, uint32_t place, void *to,
                       size_t bytes, size_t *got)
{
    uint64_t *words = to;
    (void)s;
    for (size_t i = 0; i < bytes / 8; i++) {
        uint64_t n = place * (uint64_t)WORDS + i;
        words[i] = n * n;
    }
    *got = bytes;
    return place >= 900 ? EIO : 0;
}

static void square_close(struct paging_store *s)
{
    s->placed++; /* seen by the test */
}

static sigjmp_buf out;
static const volatile void *volatile lost;

static void leave(int number)
{
    lost = fault_info()->address;
    siglongjmp(out, number);
}

static void own_test(void)
{
    struct paging_store store = {.read = square_read, .close = square_close};
    struct region *r;
    CHECK(region_stored(1000 * PAGE, REGION_READ, &store, &r) == 0,
          "a store of one's own");
    const volatile uint64_t *n = (const uint64_t *)r->base;
    bool good = true;
    for (uint64_t i = 0; i < 900 * WORDS; i += 97) {
        good = good && n[i] == i * i;
    }
    CHECK(good, "is read as if it were memory");
    (void)sigaction(SIGBUS, &(struct sigaction){.sa_handler = leave}, NULL);
    if (sigsetjmp(out, 1) == 0) {
        (void)n[950 * WORDS];
    }
    CHECK(lost == &n[950 * WORDS], "a page that cannot be read is SIGBUS");
    (void)signal(SIGBUS, SIG_DFL);
    CHECK(region_free((void *)r->base) == 0 && store.placed == 1,
          "and closed once");
}

int main(void)
{
    slow_test();
    plain_test();
    paged_test();
    siblings_test();
    many_test();
    mmap_test();
    anonymous_test();
    own_test();
    return tap_end();
}
