/* SPDX-License-Identifier: BSL-1.0
 *
 * Breadth-first search. A state is the list of the words that vary; which do,
 * is found while searching: a word of watched memory that changes for the
 * first time is added, and the search starts again. Seen states are kept as
 * 128-bit hashes, states in full only as long as they are to be expanded.
 *
 *   PROGRAM [--size N] [--seconds N] [--mib N] [--orbits] [--restarts]
 *
 * --orbits: no symmetry; count how many states would be left with it.
 */
#include "closure.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#define SPANS_MAX  256u
#define WORDS_MAX  16384u
#define PATH_MAX_  4096u
#define PRIME      200000u /* random moves to find most words that vary */
#define RAM_CHECK  16384u  /* states between two looks at all of RAM */
#define STUCK      20u     /* seconds that one move may take */
#define RAM_BYTES  ((size_t)RAM_CELLS << CELL_LOG2)
#define TEXT_BYTES 8192u

struct key {
    uint64_t a, b;
};

struct set {
    struct key *slots;
    uint64_t capacity, count;
};

struct queue { /* states, one behind the other */
    uint64_t *words;
    uint64_t count, capacity;
};

static struct {
    void *at;
    size_t bytes;
} spans[SPANS_MAX];
static uint32_t n_spans;
static uint64_t *watched[WORDS_MAX], *word[WORDS_MAX];
static uint64_t *constant[WORDS_MAX]; /* watched, and not of those that vary */
static uint64_t boot_value[WORDS_MAX], constant_value[WORDS_MAX];
static bool varies[WORDS_MAX];
static uint32_t n_watched, n_words, n_constant, n_moves;
static unsigned char boot_ram[RAM_CELLS << CELL_LOG2];
static unsigned char ram_mask[(RAM_CELLS << CELL_LOG2) / 8];

static struct set seen, orbits;
static struct queue level, next;
static uint32_t *parent;
static uint16_t *by_move;
static uint64_t parents_capacity;
static uint64_t transitions, refused, done, expanded, depth, first_of_level;
static uint32_t searches;
uint32_t scope_size;
uint64_t engine_state;
static uint64_t now_at, now_move; /* the state expanded, the move tried */
static bool priming, replaying, symmetry = true, count_orbits;
static jmp_buf prime_end, search_again;
static double seconds_max = 600;
static uint64_t mib_max = 3072;
static volatile uint64_t beat, last_beat;

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* others run too */
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- the state as words ------------------------------------------------ */

void watch(void *at, size_t bytes)
{
    if (n_spans == SPANS_MAX || (uintptr_t)at % 8 != 0) {
        host_fail("engine: a span too many, or not aligned");
    }
    spans[n_spans].at = at;
    spans[n_spans++].bytes = (bytes + 7) & ~(size_t)7;
}

static void collect_words(void)
{
    n_watched = 0;
    memset(ram_mask, 0, sizeof(ram_mask));
    for (uint32_t i = 0; i < n_spans; i++) {
        for (size_t k = 0; k < spans[i].bytes / 8; k++) {
            uint64_t *p = (uint64_t *)spans[i].at + k;
            size_t in_ram = (size_t)((unsigned char *)p - ram_host);
            if (n_watched == WORDS_MAX) {
                host_fail("engine: more than %u words watched", WORDS_MAX);
            }
            if (in_ram < RAM_BYTES) {
                ram_mask[in_ram / 8] = 1;
            }
            watched[n_watched++] = p;
        }
    }
}

static void boot(void)
{
    n_spans = 0;
    scope.boot();
    n_moves = scope.moves();
    watch(&kernel, sizeof(kernel));
    scope.normal(symmetry);
    collect_words();
    memcpy(boot_ram, ram_host, RAM_BYTES);
    for (uint32_t i = 0; i < n_watched; i++) {
        boot_value[i] = *watched[i];
    }
}

static void pack(uint64_t *out)
{
    for (uint32_t i = 0; i < n_words; i++) {
        out[i] = *word[i];
    }
}

static void unpack(const uint64_t *in)
{
    for (uint32_t i = 0; i < n_words; i++) {
        *word[i] = in[i];
    }
}

static bool same(const uint64_t *state)
{
    uint64_t differ = 0;
    for (uint32_t i = 0; i < n_words; i++) {
        differ |= state[i] ^ *word[i];
    }
    return differ == 0;
}

/* Words that were taken for constant and have changed: from now on they vary;
 * true if there are any. Puts them back. */
static bool learn(void)
{
    uint64_t differ = 0;
    for (uint32_t i = 0; i < n_constant; i++) {
        differ |= *constant[i] ^ constant_value[i];
    }
    if (differ == 0) {
        return false;
    }
    bool any = false;
    for (uint32_t i = 0; i < n_watched; i++) {
        if (!varies[i] && *watched[i] != boot_value[i]) {
            varies[i] = any = true;
            *watched[i] = boot_value[i];
        }
    }
    return any;
}

static void list_words(void)
{
    n_words = n_constant = 0;
    for (uint32_t i = 0; i < n_watched; i++) {
        if (varies[i]) {
            word[n_words++] = watched[i];
        } else {
            constant_value[n_constant] = boot_value[i];
            constant[n_constant++] = watched[i];
        }
    }
}

static void check_rest_of_ram(void)
{
    for (size_t i = 0; i < RAM_BYTES / 8; i++) {
        if (!ram_mask[i] && memcmp(ram_host + i * 8, boot_ram + i * 8, 8)) {
            host_fail("memory at %zx changed, which nobody may touch, at some "
                      "time before this",
                      i * 8);
        }
    }
}

/* ---- sets and queues --------------------------------------------------- */

static void *grow(void *old, uint64_t bytes)
{
    void *p = realloc(old, bytes);
    if (p == NULL) {
        printf("not ok - closure: %s: out of memory\n", scope.name);
        exit(1);
    }
    return p;
}

static struct key hash(const uint64_t *w)
{
    uint64_t a = 0x9e3779b97f4a7c15u, b = 0xc2b2ae3d27d4eb4fu;
    for (uint32_t i = 0; i < n_words; i++) {
        a = (a ^ w[i]) * 0xff51afd7ed558ccdu;
        a ^= a >> 32;
        b = (b + w[i]) * 0x9fb21c651e98df25u;
        b ^= b >> 29;
    }
    struct key k = {a ^ b >> 17, b + (a << 7 | a >> 57)};
    k.a |= k.a == 0; /* 0: a free place */
    return k;
}

static bool insert_into(struct set *s, struct key k)
{
    uint64_t mask = s->capacity - 1;
    for (uint64_t i = k.a & mask;; i = (i + 1) & mask) {
        if (s->slots[i].a == 0) {
            s->slots[i] = k;
            s->count++;
            return true;
        }
        if (s->slots[i].a == k.a && s->slots[i].b == k.b) {
            return false;
        }
    }
}

/* True if it is new. */
static bool insert(struct set *s, struct key k)
{
    if (s->count * 3 >= s->capacity * 2) {
        struct set old = *s;
        s->capacity = old.capacity == 0 ? 1u << 16 : old.capacity * 2;
        s->slots = calloc(s->capacity, sizeof(struct key));
        s->count = 0;
        if (s->slots == NULL) {
            grow(NULL, ~0ull >> 1);
        }
        for (uint64_t i = 0; i < old.capacity; i++) {
            if (old.slots[i].a != 0) {
                insert_into(s, old.slots[i]);
            }
        }
        free(old.slots);
    }
    return insert_into(s, k);
}

static void append(struct queue *q, const uint64_t *state)
{
    if (q->count == q->capacity) {
        q->capacity = q->capacity == 0 ? 1024 : q->capacity + q->capacity / 2;
        q->words = grow(q->words, q->capacity * n_words * 8);
    }
    memcpy(q->words + q->count++ * n_words, state, (size_t)n_words * 8);
}

static void remember_parent(uint64_t id)
{
    if (id >= parents_capacity) {
        parents_capacity = parents_capacity * 2 + 65536;
        parent = grow(parent, parents_capacity * sizeof(*parent));
        by_move = grow(by_move, parents_capacity * sizeof(*by_move));
    }
    parent[id] = (uint32_t)now_at;
    by_move[id] = (uint16_t)now_move;
}

static uint64_t memory_mib(void)
{
    uint64_t bytes = (seen.capacity + orbits.capacity) * sizeof(struct key) +
                     (level.capacity + next.capacity) * n_words * 8 +
                     parents_capacity * (sizeof(*parent) + sizeof(*by_move));
    return (bytes + sizeof(boot_ram) * 3) >> 20;
}

/* ---- saying what went wrong -------------------------------------------- */

static void replay(const uint16_t *path, uint32_t length)
{
    char text[TEXT_BYTES];
    boot();
    for (uint32_t i = 0; i < length; i++) {
        engine_state++;
        text[0] = '\0';
        scope.show_move(path[i], text, sizeof(text));
        printf("# %3u. %s\n", i + 1, text);
        fflush(stdout);
        if (i + 1 < length) { /* the last one is what failed */
            scope.move(path[i]);
            scope.normal(symmetry);
            text[0] = '\0';
            scope.show_state(text, sizeof(text));
            printf("#      %s\n", text);
        }
    }
}

static void print_path(void)
{
    static uint16_t path[PATH_MAX_];
    uint32_t length = 0;
    path[length++] = (uint16_t)now_move;
    for (uint64_t at = now_at; at != 0 && length < PATH_MAX_; at = parent[at]) {
        path[length++] = by_move[at];
    }
    for (uint32_t i = 0; i < length / 2; i++) {
        uint16_t swap = path[i];
        path[i] = path[length - 1 - i];
        path[length - 1 - i] = swap;
    }
    printf("# shortest way there, %u moves (%llu states, %llu transitions "
           "so far):\n",
           length, (unsigned long long)seen.count,
           (unsigned long long)transitions);
    replay(path, length);
}

_Noreturn void host_fail(const char *format, ...)
{
    if (priming) {
        longjmp(prime_end, 1);
    }
    if (searches > 0 && !replaying && learn()) {
        longjmp(search_again, 1); /* words were not put back: no finding */
    }
    if (!replaying) {
        replaying = true;
        va_list list;
        va_start(list, format);
        printf("not ok - closure: %s: ", scope.name);
        vprintf(format, list);
        printf("\n");
        va_end(list);
        print_path();
    }
    fflush(stdout);
    _Exit(1);
}

static void on_crash(int number)
{
    host_fail("signal %d in the middle of it", number);
}

static void on_alarm(int number)
{
    (void)number;
    if (beat == last_beat && !replaying) {
        host_fail("no end after %u s", STUCK);
    }
    last_beat = beat;
}

static void set_traps(void)
{
    struct itimerval often = {{STUCK, 0}, {STUCK, 0}};
    signal(SIGSEGV, on_crash);
    signal(SIGFPE, on_crash);
    signal(SIGPROF, on_alarm);
    setitimer(ITIMER_PROF, &often, NULL);
}

/* ---- the search -------------------------------------------------------- */

/* Random walks from the start, only to see which words vary. A move that
 * breaks something ends them; the search will come to it. */
static void prime(void)
{
    uint64_t random = 88172645463325252u;
    priming = true;
    if (setjmp(prime_end) == 0) {
        for (uint32_t i = 0; i < PRIME; i++) {
            if (i % 64 == 0) {
                for (uint32_t k = 0; k < n_watched; k++) {
                    *watched[k] = boot_value[k];
                }
            }
            engine_state++;
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            if (scope.move((uint32_t)(random >> 33) % n_moves) == DONE) {
                scope.normal(symmetry);
            }
            for (uint32_t k = 0; k < n_watched; k++) {
                varies[k] = varies[k] || *watched[k] != boot_value[k];
            }
        }
    }
    priming = false;
    boot();
    list_words();
}

static void arrive(void)
{
    static uint64_t state[WORDS_MAX];
    scope.normal(symmetry);
    pack(state);
    if (learn()) {
        longjmp(search_again, 1);
    }
    if (!insert(&seen, hash(state))) {
        return;
    }
    scope.check();
    remember_parent(seen.count - 1);
    append(&next, state);
    if (count_orbits) {
        scope.normal(true);
        pack(state);
        insert(&orbits, hash(state));
    }
}

static void expand(const uint64_t *state)
{
    unpack(state);
    engine_state++;
    for (uint32_t i = 0; i < n_moves; i++) {
        now_move = i;
        enum outcome o = scope.move(i);
        if (o == CANNOT) {
            continue;
        }
        transitions++;
        if (o == REFUSED) {
            refused++;
            if (!same(state)) {
                host_fail("refused, but the state changed");
            }
            continue;
        }
        done++;
        arrive();
        unpack(state);
    }
}

static void enforce_limits(double start)
{
    double spent = seconds() - start;
    if (spent > seconds_max || memory_mib() > mib_max) {
        printf("not ok - closure: %s: not closed: %llu states, %llu "
               "transitions, depth %llu, %.0f s, %llu MiB\n",
               scope.name, (unsigned long long)seen.count,
               (unsigned long long)transitions, (unsigned long long)depth,
               spent, (unsigned long long)memory_mib());
        exit(1);
    }
}

static void start_search(void)
{
    static uint64_t state[WORDS_MAX];
    free(seen.slots);
    free(orbits.slots);
    free(level.words);
    free(next.words);
    seen = orbits = (struct set){0};
    level = next = (struct queue){0};
    transitions = refused = done = expanded = depth = first_of_level = 0;
    now_at = now_move = 0;
    searches++;
    boot();
    list_words();
    scope.check();
    pack(state);
    insert(&seen, hash(state));
    insert(&orbits, hash(state));
    remember_parent(0);
    append(&level, state);
}

static void search_level(double start)
{
    for (uint64_t i = 0; i < level.count; i++) {
        now_at = first_of_level + i;
        expand(level.words + i * n_words);
        beat++;
        if (expanded++ % RAM_CHECK == 0) {
            check_rest_of_ram();
        }
        if (expanded % 256 == 0) {
            enforce_limits(start);
        }
    }
}

static void search(double start)
{
    (void)setjmp(search_again);
    start_search();
    while (level.count > 0) {
        search_level(start);
        first_of_level += level.count;
        struct queue swap = level;
        level = next;
        next = swap;
        next.count = 0;
        depth += level.count > 0;
    }
    check_rest_of_ram();
}

static void report(double start)
{
    double n = (double)seen.count;
    printf("ok - closure: %s: closed, %llu states, %llu transitions, depth "
           "%llu\n",
           scope.name, (unsigned long long)seen.count,
           (unsigned long long)transitions, (unsigned long long)depth);
    printf("# %s: %llu done, %llu refused; %u words a state; search %u; "
           "%.1f s; %llu MiB; chance of a hash collision %.0e\n",
           scope.name, (unsigned long long)done, (unsigned long long)refused,
           n_words, searches, seconds() - start,
           (unsigned long long)memory_mib(), n * n / 2 / 3.4e38);
    if (count_orbits) {
        printf("# %s: orbits %llu\n", scope.name,
               (unsigned long long)orbits.count);
    }
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--orbits") == 0) {
            count_orbits = true;
            symmetry = false;
        } else if (strcmp(argv[i], "--restarts") == 0) {
            machine_restarts = true;
        } else if (i + 1 < argc && strcmp(argv[i], "--size") == 0) {
            scope_size = (uint32_t)atoi(argv[++i]) % scope.sizes;
        } else if (i + 1 < argc && strcmp(argv[i], "--seconds") == 0) {
            seconds_max = atof(argv[++i]);
        } else if (i + 1 < argc && strcmp(argv[i], "--mib") == 0) {
            mib_max = strtoull(argv[++i], NULL, 0);
        } else {
            fprintf(stderr, "%s: error: what is %s?\n", argv[0], argv[i]);
            return 2;
        }
    }
    double start = seconds();
    set_traps();
    boot();
    prime();
    search(start);
    report(start);
    return 0;
}
