/* SPDX-License-Identifier: BSL-1.0 */
/*
 * pipe_test.c - pipes whose ends their holders move themselves, between
 * processes and threads. Prints TAP. With a word it is the other process.
 */
#define _GNU_SOURCE /* pipe2 */
#include "tests/unit/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <threads.h>
#include <unistd.h>
#include <vesper/file.h>
#include <vesper/pipe.h>
#include <vesper/root.h>
#include <vesper/root_call.h>
#include <vesper/start.h>
#include <vesper/thread.h>

#include "libos/core/slots.h"
#include "libos/posix/fd.h"
#include "libos/posix/service.h"

extern char **environ;

enum { SETTLED = 16, BIG = 300000, MS = 1000 };

static uint8_t big[BIG], back[BIG];

/* ---- the other process --------------------------------------------------- */

static int echo(void)
{
    static char bytes[3000];
    ssize_t n;

    while ((n = read(0, bytes, sizeof bytes)) > 0) {
        if (write(1, bytes, (size_t)n) != n) {
            return 1;
        }
    }
    return n < 0;
}

/* A request about the end that fd is, as libos sends it. */
static int ask(int fd, uint32_t op, uint64_t *value)
{
    struct channel_request r = posix_request(op, 0);
    struct channel_completion answer = {0};
    struct description *d;
    uint32_t generation;
    int error = posix_fd_hold(fd, &d);

    if (error == 0) {
        r.handle = d->handle;
        r.arg[0] = 1;
        generation = d->generation;
        error = posix_service_call_of(d->service, &generation, &r, &answer);
        posix_description_drop(d);
    }
    *value = answer.value[0];
    return error;
}

/* The memory of the pipe, by its writing end. */
static struct pipe_ring *ring_open(int fd, uint64_t *link)
{
    uint64_t w[8] = {ROOT_LINK_OPEN};

    if (ask(fd, FILE_DIRECT, link) != 0) {
        return NULL;
    }
    w[1] = *link;
    w[2] = PIPE_WRITING;
    w[3] = slot_take();
    w[4] = (uint64_t)event_take();
    return root_call(w, 0) == 0 ? (struct pipe_ring *)w[1] : NULL;
}

/* What it says it wrote is more than there is room for. */
static int lie(void)
{
    uint64_t none;
    char text[SETTLED] = {0};
    struct pipe_ring *r;

    if (write(1, text, SETTLED) != SETTLED || read(0, text, 1) != 1) {
        return 1;
    }
    r = ring_open(1, &none);
    if (r == NULL) {
        return 2;
    }
    r->tail = r->head + PIPE_BYTES + 1;
    (void)ask(1, FILE_PUMP, &none);
    (void)read(0, text, 1); /* until the other side closes it */
    return 0;
}

/* Look into a pipe that one has left. */
static int peek(void)
{
    uint64_t w[8] = {ROOT_LINK_LEAVE, 0, PIPE_WRITING};
    volatile struct pipe_ring *r;
    int ends[2];

    if (pipe(ends) != 0 || (r = ring_open(ends[1], &w[1])) == NULL ||
        r->magic != CHANNEL_MAGIC || root_call(w, 0) != 0) {
        return 1;
    }
    return (int)r->head; /* and dies */
}

static int other(const char *word)
{
    if (strcmp(word, "lie") == 0) {
        return lie();
    }
    return strcmp(word, "peek") == 0 ? peek() : echo();
}

/* ---- this one ------------------------------------------------------------ */

struct partner {
    int to, from;
    pid_t pid;
};

static pid_t start(char *word, int in, int out)
{
    posix_spawn_file_actions_t actions;
    char *argv[] = {"/tests/pipe", word, NULL};
    pid_t pid = -1;

    posix_spawn_file_actions_init(&actions);
    if (in >= 0) {
        posix_spawn_file_actions_adddup2(&actions, in, 0);
        posix_spawn_file_actions_adddup2(&actions, out, 1);
    }
    errno = posix_spawn(&pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

static bool exchange(const struct partner *p, void *bytes, size_t n)
{
    return write(p->to, bytes, n) == (ssize_t)n &&
           read(p->from, bytes, n) == (ssize_t)n;
}

static struct partner partner_start(char *word)
{
    int to[2], from[2];
    struct partner p;

    if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0) {
        abort();
    }
    p = (struct partner){to[1], from[0], start(word, to[0], from[1])};
    close(to[0]);
    close(from[1]);
    return p;
}

/* Both processes move their ends themselves afterwards. */
static struct partner partner_settled(void)
{
    struct partner p = partner_start("echo");
    char c = 'c';

    for (int i = 0; i < SETTLED; i++) {
        if (!exchange(&p, &c, 1)) {
            abort();
        }
    }
    return p;
}

static int partner_end(const struct partner *p)
{
    int status = -1;

    close(p->to);
    close(p->from);
    waitpid(p->pid, &status, 0);
    return status;
}

static bool is_direct(int fd)
{
    return posix_fd_direct(fd) != 0;
}

/* ---- between processes --------------------------------------------------- */

static uint32_t random_next(void)
{
    static uint32_t state = 12345;

    state = state * 1103515245 + 12345;
    return state >> 8;
}

static void echo_test(void)
{
    struct partner p = partner_settled();
    unsigned wrong = 0;

    CHECK(is_direct(p.to) && is_direct(p.from),
          "ends that one process holds, it moves itself");
    for (int i = 0; i < 300; i++) {
        size_t n = 1 + random_next() % (i % 2 == 0 ? 100 : 2900), got = 0;

        for (size_t k = 0; k < n; k++) {
            big[k] = (uint8_t)random_next();
        }
        wrong += write(p.to, big, n) != (ssize_t)n;
        while (got < n && wrong == 0) {
            ssize_t some = read(p.from, back + got, n - got);

            wrong += some <= 0;
            got += (size_t)some;
        }
        wrong += memcmp(big, back, n) != 0;
    }
    CHECK(wrong == 0, "what comes back is what was sent, in all sizes");
    CHECK(partner_end(&p) == 0, "the other process gets the end of input");
}

static int write_all(void *partner)
{
    const struct partner *p = partner;

    return write(p->to, big, BIG) == BIG ? 0 : 1;
}

static void flow_test(void)
{
    struct partner p = partner_settled();
    thrd_t writer;
    size_t got = 0;
    ssize_t n = 1;
    int failed = 1;

    for (size_t k = 0; k < BIG; k++) {
        big[k] = (uint8_t)random_next();
    }
    thrd_create(&writer, write_all, &p);
    while (got < BIG && n > 0) {
        n = read(p.from, back + got, BIG - got);
        got += n > 0 ? (size_t)n : 0;
    }
    thrd_join(writer, &failed);
    CHECK(failed == 0 && got == BIG && memcmp(big, back, BIG) == 0,
          "more than the pipe holds, both ways at once");
    partner_end(&p);
}

static volatile sig_atomic_t caught;

static void note(int number)
{
    caught = number;
}

static void handler_set(int number, int flags)
{
    struct sigaction a = {.sa_handler = note, .sa_flags = flags};

    caught = 0;
    sigaction(number, &a, NULL);
}

/* Another process dies of it, we catch it. */
static int later_kill(void *pid)
{
    usleep(5 * MS);
    return kill(*(pid_t *)pid, SIGUSR1);
}

static void death_test(void)
{
    struct partner p = partner_settled();
    thrd_t killer;
    char c = 'c';

    handler_set(SIGPIPE, 0);
    kill(p.pid, SIGKILL);
    waitpid(p.pid, NULL, 0);
    CHECK(read(p.from, &c, 1) == 0, "a process that was killed: end of input");
    CHECK(write(p.to, &c, 1) == -1 && errno == EPIPE && caught == SIGPIPE,
          "EPIPE and SIGPIPE");
    close(p.to);
    close(p.from);
    p = partner_settled();
    thrd_create(&killer, later_kill, &p.pid);
    CHECK(read(p.from, &c, 1) == 0, "also for who waits already");
    thrd_join(killer, NULL);
    waitpid(p.pid, NULL, 0);
    close(p.to);
    close(p.from);
}

static int later_write(void *partner)
{
    char c = 'l';

    usleep(10 * MS);
    return write(((const struct partner *)partner)->to, &c, 1) == 1 ? 0 : 1;
}

static void signal_test(void)
{
    struct partner p = partner_settled();
    pid_t self = getpid();
    thrd_t one, two;
    char c = 'c';

    handler_set(SIGUSR1, 0);
    thrd_create(&one, later_kill, &self);
    CHECK(read(p.from, &c, 1) == -1 && errno == EINTR && caught == SIGUSR1,
          "a signal ends a read that waits");
    thrd_join(one, NULL);
    handler_set(SIGUSR1, SA_RESTART);
    thrd_create(&one, later_kill, &self);
    thrd_create(&two, later_write, &p);
    CHECK(read(p.from, &c, 1) == 1 && c == 'l' && caught == SIGUSR1,
          "or not, with SA_RESTART");
    thrd_join(one, NULL);
    thrd_join(two, NULL);
    partner_end(&p);
}

static void poll_test(void)
{
    struct partner p = partner_settled();
    struct pollfd in = {p.from, POLLIN, 0}, out = {p.to, POLLOUT, 0};
    char c = 'c';

    CHECK(poll(&in, 1, 0) == 0 && poll(&out, 1, 0) == 1, "poll looks");
    CHECK(write(p.to, &c, 1) == 1 && poll(&in, 1, 5000) == 1 &&
              in.revents == POLLIN && read(p.from, &c, 1) == 1,
          "... and waits for what the other process writes itself");
    CHECK(exchange(&p, &c, 1), "then all is as before");
    partner_end(&p);
}

/* ---- coming and going ---------------------------------------------------- */

static int read_one(void *from)
{
    char c = 0;

    return read(*(int *)from, &c, 1) == 1 ? c : 1000 + errno;
}

static void share_test(void)
{
    struct partner p = partner_settled();
    thrd_t reader;
    int got = 0, status;
    pid_t pid;
    char c = 'c';

    thrd_create(&reader, read_one, &p.from);
    usleep(5 * MS);
    pid = start("echo", p.from, p.to); /* holds both as well */
    CHECK(!is_direct(p.from) && !is_direct(p.to),
          "ends that are inherited are the server's to move");
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    CHECK(write(p.to, "s", 1) == 1 && thrd_join(reader, &got) == thrd_success &&
              got == 's',
          "a thread that waited there goes on waiting, and is served");
    for (int i = 0; i < 3000 && !(is_direct(p.from) && is_direct(p.to)); i++) {
        usleep(MS); /* the server looks now and then who has ended */
        if (!exchange(&p, &c, 1)) {
            break;
        }
    }
    CHECK(is_direct(p.from) && is_direct(p.to),
          "the other holder has ended: they are ours again");
    partner_end(&p);
}

static void close_test(void)
{
    struct partner p = partner_settled();
    thrd_t reader;
    int got = 0;

    thrd_create(&reader, read_one, &p.from);
    usleep(5 * MS);
    close(p.from);
    thrd_join(reader, &got);
    CHECK(got == 1000 + EBADF, "an end closed under a thread that waits there");
    p.from = -1;
    partner_end(&p);
}

static void threads_test(void)
{
    enum { READERS = 5 };
    struct partner p = partner_settled();
    thrd_t reader[READERS];
    int sum = 0;

    for (int i = 0; i < READERS; i++) {
        thrd_create(&reader[i], read_one, &p.from);
    }
    usleep(5 * MS);
    CHECK(write(p.to, "\1\2\4\10\20", READERS) == READERS,
          "a byte for each of the threads that wait");
    for (int i = 0; i < READERS; i++) {
        int got;

        thrd_join(reader[i], &got);
        sum += got;
    }
    CHECK(sum == 31, "each has one");
    partner_end(&p);
}

/* Self-made pipes: both ends are this process's. */
static void many_test(void)
{
    enum { MANY = 20 };
    int ends[MANY][2], direct = 0, wrong = 0;
    char c = 'm';

    for (int i = 0; i < MANY; i++) {
        wrong += pipe2(ends[i], O_CLOEXEC) != 0;
    }
    for (int k = 0; k < SETTLED; k++) {
        for (int i = 0; i < MANY; i++) {
            wrong +=
                write(ends[i][1], &c, 1) != 1 || read(ends[i][0], &c, 1) != 1;
        }
    }
    for (int i = 0; i < MANY; i++) {
        direct += is_direct(ends[i][0]) + is_direct(ends[i][1]);
    }
    CHECK(wrong == 0 && direct == 16,
          "twenty pipes at once: sixteen ends ours, the others served");
    for (int i = 0; i < MANY; i++) {
        close(ends[i][0]);
        close(ends[i][1]);
    }
    for (int i = 0; i < 100 && wrong == 0; i++) {
        struct partner p = partner_settled();

        wrong += !is_direct(p.from) || !is_direct(p.to);
        wrong += partner_end(&p) != 0;
    }
    CHECK(wrong == 0, "a hundred, one after the other: nothing is left behind");
}

/* ---- who does not keep to it --------------------------------------------- */

/* `piece` bytes a read: with 1, the end becomes ours before it happens. */
static bool is_lied_to(size_t piece)
{
    struct partner p = partner_start("lie");
    char text[SETTLED];
    bool fails;

    for (size_t got = 0; got < SETTLED; got += piece) {
        if (read(p.from, text, piece) != (ssize_t)piece) {
            return false;
        }
    }
    fails = is_direct(p.from) == (piece == 1) && write(p.to, text, 1) == 1 &&
            read(p.from, text, 1) == -1 && errno == EIO;
    return partner_end(&p) == 0 && fails;
}

static void lie_test(void)
{
    int own[2], status = 0;
    char c = 'c';

    CHECK(is_lied_to(SETTLED), "a process that writes nonsense into a pipe: "
                               "EIO, if the server reads it");
    CHECK(is_lied_to(1), "... and if we do");
    CHECK(waitpid(start("peek", -1, -1), &status, 0) > 0 &&
              WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV,
          "who has left a pipe does not see it any more");
    pipe2(own, O_CLOEXEC);
    for (int i = 0; i < SETTLED; i++) {
        (void)(write(own[1], &c, 1) + read(own[0], &c, 1));
    }
    CHECK(is_direct(own[0]), "the file server serves on");
    close(own[0]);
    close(own[1]);
}

static int link_call(uint64_t op, uint64_t link, uint64_t end, uint64_t slot,
                     uint64_t bit)
{
    uint64_t w[8] = {op, link, end, slot, bit};

    return root_call(w, 0);
}

static void refused_test(void)
{
    int own[2];
    uint64_t link, slot = slot_take();

    pipe2(own, O_CLOEXEC);
    CHECK(ask(own[0], FILE_DIRECT, &link) == 0, "an end is asked for");
    CHECK(link_call(ROOT_LINK_OPEN, link, 2, slot, 40) == EINVAL &&
              link_call(ROOT_LINK_OPEN, link, 0, slot, 64) == EINVAL &&
              link_call(ROOT_LINK_OPEN, link, 0, ~0ull, 40) == EINVAL,
          "no such end, event, or slot");
    CHECK(link_call(ROOT_LINK_OPEN, link, 1, slot, 40) == EACCES &&
              link_call(ROOT_LINK_OPEN, link + 1000, 0, slot, 40) == EACCES &&
              link_call(ROOT_LINK_OPEN, 0, 0, slot, 40) == EACCES,
          "an end, or a link, that one may not have");
    CHECK(link_call(ROOT_LINK_OPEN, link, 0, slot, 40) == 0, "an end is had");
    CHECK(link_call(ROOT_LINK_OPEN, link, 0, slot, 40) == EBUSY, "... once");
    CHECK(link_call(ROOT_LINK_LEAVE, link, 1, 0, 0) == ESRCH &&
              link_call(ROOT_LINK_LEAVE, link, 2, 0, 0) == EINVAL,
          "what one has not, one cannot leave");
    CHECK(link_call(ROOT_LINK_LEAVE, link, 0, 0, 0) == 0, "... else one can");
    CHECK(link_call(ROOT_LINK_LEAVE, link, 0, 0, 0) == ESRCH, "... once");
    CHECK(ask(own[0], FILE_DIRECT, &link) == 0 &&
              ask(own[1], FILE_DIRECT, &link) == 0 &&
              link_call(ROOT_LINK_OPEN, link, 0, SLOT_ROOT, 40) == 0 &&
              link_call(ROOT_LINK_OPEN, link, 1, slot, 41) == 0 &&
              link_call(ROOT_LINK_LEAVE, link, 1, 0, 0) == 0,
          "a slot that is in use");
    CHECK(link_call(ROOT_LINK_LEAVE, link, 0, 0, 0) == 0, "... is left alone");
    CHECK(link_call(ROOT_LINK_MAKE, 9, 0, 0, 0) == EACCES &&
              link_call(ROOT_LINK_FREE, link, 0, 0, 0) == ESRCH &&
              link_call(ROOT_LINK_ALLOW, link, 0, 0, 0) == ESRCH,
          "links are made, given and freed by servers");
    close(own[0]);
    close(own[1]);
    slot_give(slot);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        return other(argv[1]);
    }
    echo_test();
    flow_test();
    death_test();
    signal_test();
    poll_test();
    share_test();
    close_test();
    threads_test();
    many_test();
    lie_test();
    refused_test();
    return tap_end();
}
