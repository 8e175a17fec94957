/* SPDX-License-Identifier: BSL-1.0
 *
 * POSIX and C11 threads on the real kernel: their life and their end, urgency,
 * cancellation, signals, timers, many of them, and misuse. Prints TAP.
 */
#include "tests/unit/tap.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <threads.h>
#include <unistd.h>

#include "tests/target/pthread_help.h"

/* ---- threads ----------------------------------------------------------- */

static void *join_main_waiter(void *other)
{
    return (void *)(intptr_t)pthread_join(*(pthread_t *)other, NULL);
}

static void join_test(void)
{
    pthread_t t, u;
    void *result = NULL;
    sem_t go;
    sem_init(&go, 0, 0);
    CHECK(pthread_create(&t, NULL, pass, &go) == 0 &&
              pthread_join(t, &result) == 0 && result == &go,
          "a thread's result reaches who joins it");
    CHECK(pthread_join(t, NULL) == ESRCH && pthread_detach(t) == ESRCH,
          "joining or detaching it again is ESRCH");
    CHECK(pthread_join(pthread_self(), NULL) == EDEADLK,
          "joining oneself is EDEADLK");
    pthread_create(&t, NULL, wait_for, &go);
    pthread_create(&u, NULL, join_main_waiter, &t);
    settle();
    CHECK(pthread_join(t, NULL) == EINVAL && pthread_detach(t) == EINVAL,
          "what another thread joins is EINVAL");
    sem_post(&go);
    CHECK(pthread_join(u, &result) == 0 && result == NULL,
          "and that one's join succeeds");
    t = pthread_self();
    pthread_create(&u, NULL, join_main_waiter, &t);
    settle();
    CHECK(pthread_join(u, NULL) == EDEADLK,
          "two that join each other: EDEADLK");
    pthread_cancel(u);
    CHECK(pthread_join(u, &result) == 0 && result == PTHREAD_CANCELED,
          "a join is a cancellation point");
    CHECK(pthread_create(&t, NULL, wait_for, &go) == 0 &&
              pthread_detach(t) == 0 && pthread_detach(t) == EINVAL &&
              pthread_join(t, NULL) == EINVAL,
          "a detached thread cannot be detached or joined");
    sem_post(&go);
    settle();
    CHECK(pthread_kill(t, 0) == ESRCH, "it is gone when it has ended");
}

static void attributes_test(void)
{
    static _Alignas(16) char own[65536];
    pthread_attr_t a;
    pthread_t t;
    void *result;
    char name[16];
    struct sched_param p = {.sched_priority = 31};
    pthread_attr_init(&a);
    CHECK(pthread_attr_setstacksize(&a, PTHREAD_STACK_MIN - 1) == EINVAL &&
              pthread_attr_setstacksize(&a, 64 << 20) == EINVAL &&
              pthread_attr_setstack(&a, own + 1, 32768) == EINVAL &&
              pthread_attr_setdetachstate(&a, 7) == EINVAL &&
              pthread_attr_setschedpolicy(&a, 7) == EINVAL &&
              pthread_attr_setschedparam(&a, &p) == EINVAL &&
              pthread_attr_setscope(&a, PTHREAD_SCOPE_SYSTEM) == ENOTSUP,
          "bad attributes are refused");
    p.sched_priority = 3;
    pthread_attr_setschedparam(&a, &p);
    pthread_attr_setinheritsched(&a, PTHREAD_EXPLICIT_SCHED);
    CHECK(pthread_create(&t, &a, pass, NULL) == EINVAL,
          "SCHED_OTHER has no priority 3");
    pthread_attr_setschedpolicy(&a, SCHED_RR);
    pthread_attr_setname_np(&a, "three");
    CHECK(pthread_attr_setstack(&a, own, sizeof(own)) == 0 &&
              pthread_create(&t, &a, pass, own) == 0 &&
              pthread_getname_np(t, name, sizeof(name)) == 0 &&
              strcmp(name, "three") == 0 && pthread_join(t, &result) == 0 &&
              result == own,
          "a thread runs on memory of the program's, with its name");
    pthread_attr_destroy(&a);
    CHECK(pthread_create(&t, &a, pass, NULL) == EINVAL,
          "destroyed attributes are EINVAL");
    CHECK(pthread_setname_np(pthread_self(), "more than 15 bytes") == ERANGE &&
              pthread_getname_np(pthread_self(), name, 3) == ERANGE,
          "names that do not fit are ERANGE");
}

static int order[4], arrived;

static void *arrive(void *number)
{
    order[arrived++] = (int)(intptr_t)number;
    return NULL;
}

static void priorities_test(void)
{
    pthread_t t[4];
    int policy;
    struct sched_param p = {.sched_priority = 20};
    CHECK(pthread_setschedparam(pthread_self(), SCHED_FIFO, &p) == 0 &&
              pthread_getschedparam(pthread_self(), &policy, &p) == 0 &&
              policy == SCHED_FIFO && p.sched_priority == 20,
          "a thread has the priority that it was given");
    for (intptr_t i = 0; i < 4; i++) {
        pthread_create(&t[i], NULL, arrive, (void *)i);
        p.sched_priority = i % 2 == 0 ? 5 : 10;
        pthread_setschedparam(t[i], SCHED_RR, &p);
    }
    CHECK(arrived == 0, "the less urgent wait while a more urgent one runs");
    for (int i = 0; i < 4; i++) {
        pthread_join(t[i], NULL);
    }
    CHECK(order[0] == 1 && order[1] == 3 && order[2] == 0 && order[3] == 2,
          "then the more urgent run first, equals in order");
    pthread_create(&t[0], NULL, arrive, NULL);
    arrived = 0;
    CHECK(pthread_setschedprio(t[0], 30) == 0 && (sched_yield(), arrived == 1),
          "who becomes more urgent than the running thread runs at once");
    pthread_join(t[0], NULL);
    p.sched_priority = 0;
    CHECK(pthread_setschedparam(pthread_self(), SCHED_FIFO, &p) == EINVAL &&
              pthread_setschedparam(pthread_self(), SCHED_OTHER, &p) == 0,
          "priority 0 is SCHED_OTHER's alone");
}

/* ---- cancellation ------------------------------------------------------ */

static void *sleep_long(void *unused)
{
    sleep(1000);
    return unused;
}

static int pipe_ends[2];

static void *read_long(void *unused)
{
    char byte;
    return read(pipe_ends[0], &byte, 1) == 1 ? unused : NULL;
}

/* The main thread, too: in a program of its own, which then ends. */
static void *cancel_main(void *main)
{
    settle();
    pthread_cancel(*(pthread_t *)main);
    return NULL;
}

static void main_is_cancelled(void)
{
    static pthread_t self;
    pthread_t t;
    self = pthread_self();
    if (pipe(pipe_ends) == 0 &&
        pthread_create(&t, NULL, cancel_main, &self) == 0) {
        read_long(NULL);
    }
    _exit(1);
}

static int status_of(char *argument)
{
    char *argv[] = {"pthread", argument, NULL};
    pid_t child;
    int status;
    return posix_spawn(&child, "/tests/pthread", NULL, NULL, argv, environ) ==
                       0 &&
                   waitpid(child, &status, 0) == child
               ? status
               : -1;
}

static void *stubborn(void *go)
{
    int old;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
    sem_wait(go);
    pthread_testcancel();
    pthread_setcancelstate(old, NULL);
    pthread_testcancel();
    return NULL;
}

static bool cancels(void *(*fn)(void *), void *argument)
{
    pthread_t t;
    void *result = NULL;
    pthread_create(&t, NULL, fn, argument);
    settle();
    pthread_cancel(t);
    return pthread_join(t, &result) == 0 && result == PTHREAD_CANCELED;
}

static void cancel_test(void)
{
    sem_t go;
    pthread_t t;
    void *result;
    char byte = 0;
    sem_init(&go, 0, 0);
    CHECK(cancels(sleep_long, NULL), "sleep is a cancellation point");
    CHECK(cancels(wait_for, &go), "so is sem_wait");
    CHECK(pipe(pipe_ends) == 0 && cancels(read_long, NULL),
          "so is read, from a pipe that nobody writes");
    CHECK(write(pipe_ends[1], "x", 1) == 1 &&
              read(pipe_ends[0], &byte, 1) == 1 && byte == 'x',
          "the pipe still works, and lost nothing");
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    pthread_create(&t, NULL, stubborn, &go);
    nap(MS);
    pthread_cancel(t);
    settle();
    CHECK(pthread_kill(t, 0) == 0, "who has disabled it is not cancelled");
    sem_post(&go);
    pthread_join(t, &result);
    CHECK(result == PTHREAD_CANCELED, "until it enables it again");
    CHECK(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL) == ENOTSUP &&
              pthread_setcancelstate(9, NULL) == EINVAL,
          "asynchronous cancellation is not there");
    CHECK(status_of("cancel") == 0,
          "the main thread can be cancelled; the last one ends the program");
    CHECK(pthread_cancel(t) == ESRCH, "who is gone cannot be cancelled");
}

/* ---- signals ----------------------------------------------------------- */

static volatile sig_atomic_t caught;
static pthread_t caught_on;

static void on_signal(int number)
{
    caught = number;
    caught_on = pthread_self();
}

static volatile bool interrupted;

static void *raise_here(void *unused)
{
    while (!interrupted) {
        raise(SIGUSR1);
        nap(5 * MS);
    }
    return unused;
}

static void signal_test(void)
{
    sem_t never;
    pthread_t t;
    struct sigaction action = {.sa_handler = on_signal};
    sem_init(&never, 0, 0);
    sigaction(SIGUSR1, &action, NULL);
    pthread_create(&t, NULL, raise_here, NULL);
    CHECK(fails(sem_wait(&never), EINTR) && caught == SIGUSR1 &&
              caught_on == pthread_self(),
          "a thread's signal reaches the main thread in its wait");
    interrupted = true;
    pthread_join(t, NULL);
    pthread_create(&t, NULL, wait_for, &never);
    CHECK(pthread_kill(t, SIGUSR1) == ENOTSUP &&
              pthread_kill(pthread_self(), SIGUSR1) == 0,
          "pthread_kill is for the main thread");
    sem_post(&never);
    pthread_join(t, NULL);
}

/* ---- timers ------------------------------------------------------------ */

static sem_t rang;
static pthread_t rang_on;

static void ring(union sigval value)
{
    rang_on = pthread_self();
    if (value.sival_int == 7) {
        sem_post(&rang);
    }
}

static void timer_test(void)
{
    timer_t id, quiet;
    struct sigevent e = {.sigev_notify = SIGEV_THREAD,
                         .sigev_notify_function = ring,
                         .sigev_value = {.sival_int = 7}};
    struct itimerspec every = {{0, 2 * MS}, {0, MS}}, got;
    struct itimerspec never = {{0, 0}, {0, 0}};
    sem_init(&rang, 0, 0);
    CHECK(timer_create(CLOCK_MONOTONIC, &e, &id) == 0 &&
              timer_settime(id, 0, &every, NULL) == 0,
          "a timer is set");
    for (int i = 0; i < 3; i++) {
        sem_wait(&rang);
    }
    CHECK(!pthread_equal(rang_on, pthread_self()) &&
              timer_settime(id, 0, &never, &got) == 0 &&
              got.it_interval.tv_nsec == 2 * MS &&
              timer_gettime(id, &got) == 0 && got.it_value.tv_nsec == 0,
          "it calls again and again on a thread, until it is disarmed");
    CHECK(timer_delete(id) == 0 && fails(timer_delete(id), EINVAL) &&
              fails(timer_getoverrun(99), EINVAL),
          "a deleted timer is EINVAL");
    e.sigev_notify = SIGEV_SIGNAL;
    e.sigev_signo = SIGUSR1;
    caught = 0;
    every.it_interval.tv_nsec = 0;
    CHECK(timer_create(CLOCK_REALTIME, &e, &id) == 0 &&
              timer_settime(id, 0, &every, NULL) == 0 && sleep(100) > 0 &&
              caught == SIGUSR1,
          "another one's signal ends a sleep");
    e.sigev_notify = SIGEV_NONE;
    every.it_value = after(CLOCK_MONOTONIC, 3600l * 1000000000l);
    CHECK(timer_create(CLOCK_MONOTONIC, &e, &quiet) == 0 &&
              timer_settime(quiet, TIMER_ABSTIME, &every, NULL) == 0 &&
              timer_gettime(quiet, &got) == 0 && got.it_value.tv_sec >= 3500 &&
              got.it_value.tv_sec <= 3600,
          "a quiet one tells how long is left");
    e.sigev_notify = 9;
    every.it_value.tv_nsec = -1;
    CHECK(fails(timer_create(CLOCK_MONOTONIC, &e, &quiet), EINVAL) &&
              fails(timer_settime(id, 0, &every, NULL), EINVAL),
          "what no timer can be is EINVAL");
    timer_delete(id);
    timer_delete(quiet);
}

/* ---- C11 --------------------------------------------------------------- */

static mtx_t c11_lock;
static cnd_t c11_changed;
static int c11_value;
static thread_local int c11_own = 3;

static int c11_work(void *argument)
{
    mtx_lock(&c11_lock);
    c11_value = *(int *)argument + c11_own++;
    cnd_signal(&c11_changed);
    mtx_unlock(&c11_lock);
    thrd_exit(c11_value);
}

static void c11_test(void)
{
    thrd_t t;
    int four = 4, result = 0;
    struct timespec until = after(CLOCK_REALTIME, 5 * MS);
    mtx_init(&c11_lock, mtx_timed | mtx_recursive);
    cnd_init(&c11_changed);
    mtx_lock(&c11_lock);
    mtx_lock(&c11_lock);
    CHECK(thrd_create(&t, c11_work, &four) == thrd_success,
          "thrd_create is there");
    while (c11_value == 0) {
        cnd_wait(&c11_changed, &c11_lock);
    }
    CHECK(mtx_unlock(&c11_lock) == thrd_success &&
              mtx_unlock(&c11_lock) == thrd_success &&
              mtx_unlock(&c11_lock) == thrd_error,
          "a wait keeps a recursive mutex as deep as it was");
    CHECK(thrd_join(t, &result) == thrd_success && result == 7 && c11_own == 3,
          "thrd_join gives the result; thread_local is each thread's own");
    mtx_lock(&c11_lock);
    CHECK(cnd_timedwait(&c11_changed, &c11_lock, &until) == thrd_timedout,
          "cnd_timedwait ends");
    mtx_unlock(&c11_lock);
    mtx_destroy(&c11_lock);
    CHECK(thrd_equal(thrd_current(), thrd_current()) &&
              thrd_sleep(&(struct timespec){0, MS}, NULL) == 0,
          "the rest is");
}

/* ---- many, deep, and too many ------------------------------------------ */

#define MANY 500

static pthread_mutex_t many_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned many_counted;

static void *count(void *all_here)
{
    for (int i = 0; i < 10; i++) {
        pthread_mutex_lock(&many_lock);
        many_counted++;
        pthread_mutex_unlock(&many_lock);
        sched_yield();
    }
    sem_wait(all_here);
    return NULL;
}

static void many_test(void)
{
    static pthread_t t[MANY];
    sem_t all_here;
    int made = 0;
    sem_init(&all_here, 0, 0);
    while (made < MANY &&
           pthread_create(&t[made], NULL, count, &all_here) == 0) {
        made++;
    }
    for (int i = 0; i < made; i++) {
        sem_post(&all_here);
    }
    for (int i = 0; i < made; i++) {
        pthread_join(t[i], NULL);
    }
    CHECK(made == MANY && many_counted == 10 * MANY,
          "500 threads at a time count with a lock");
}

static unsigned sum_down(volatile unsigned char *above, unsigned depth)
{
    volatile unsigned char here[1024];
    memset((void *)here, (int)depth, sizeof(here));
    unsigned below = depth > 0 ? sum_down(here, depth - 1) : 0;
    return below + here[1000] + above[0] % 2;
}

static void *deep(void *unused)
{
    volatile unsigned char top = 0;
    (void)unused;
    return (void *)(uintptr_t)sum_down(&top, 200);
}

static void deep_test(void)
{
    pthread_attr_t a;
    pthread_t t;
    void *result = NULL;
    unsigned expected = 0;
    for (unsigned i = 0; i <= 200; i++) {
        expected += i + (i < 200 ? (i + 1) % 2 : 0);
    }
    pthread_attr_init(&a);
    pthread_attr_setstacksize(&a, 512 << 10);
    CHECK(pthread_create(&t, &a, deep, NULL) == 0 &&
              pthread_join(t, &result) == 0 && (uintptr_t)result == expected,
          "a stack of 512 KiB grows on touch, each byte kept");
}

/* ---- CPU time ---------------------------------------------------------- */

static long cpu_us(clockid_t clock)
{
    struct timespec t;
    return clock_gettime(clock, &t) == 0
               ? (long)t.tv_sec * 1000000 + t.tv_nsec / 1000
               : -1;
}

/* Spins until it has had so many us, beginning with nothing. */
static void *spin(void *us)
{
    long began = cpu_us(CLOCK_THREAD_CPUTIME_ID);
    while (cpu_us(CLOCK_THREAD_CPUTIME_ID) < (long)(intptr_t)us) {
        sched_yield();
    }
    return (void *)(intptr_t)(began < 5000);
}

static void *spin_and_wait(void *semaphore)
{
    (void)spin((void *)20000);
    return wait_for(semaphore);
}

static void cpu_time_test(void)
{
    struct timespec t = {0, MS};
    clockid_t clock = 0, own = 0;
    pthread_t thread;
    sem_t end;
    long before = cpu_us(CLOCK_THREAD_CPUTIME_ID);
    CHECK(elsewhere(spin, (void *)30000) == 1,
          "a thread begins with no CPU time, and has had 30 ms");
    nap(30 * MS);
    CHECK(cpu_us(CLOCK_THREAD_CPUTIME_ID) - before < 25000,
          "which are not those of who waits or sleeps");
    CHECK(pthread_getcpuclockid(pthread_self(), &own) == 0 &&
              cpu_us(own) >= before && clock_getres(own, &t) == 0 &&
              sysconf(_SC_THREAD_CPUTIME) == 200809L,
          "the calling thread by its own clock");
    sem_init(&end, 0, 0);
    pthread_create(&thread, NULL, spin_and_wait, &end);
    CHECK(pthread_getcpuclockid(thread, &clock) == 0 && clock != own,
          "another has another clock");
    nap(60 * MS);
    before = cpu_us(clock);
    nap(5 * MS);
    CHECK(before >= 20000 && cpu_us(clock) == before &&
              cpu_us(CLOCK_PROCESS_CPUTIME_ID) > before,
          "which stands while it waits");
    sem_post(&end);
    settle();
    CHECK(pthread_getcpuclockid(thread, &own) == ESRCH && cpu_us(clock) == -1 &&
              errno == EINVAL && pthread_join(thread, NULL) == 0,
          "one that ended has no clock");
    CHECK(pthread_getcpuclockid(thread, &own) == ESRCH &&
              pthread_getcpuclockid((pthread_t)&end, &own) == ESRCH,
          "what is no thread has none");
    CHECK(cpu_us(1ul << 32) == -1 && cpu_us(1ul << 33) == -1 &&
              cpu_us(~0ul) == -1 && cpu_us(77) == -1 && errno == EINVAL,
          "what is no clock is EINVAL");
    CHECK(fails(clock_settime(CLOCK_THREAD_CPUTIME_ID, &t), EINVAL) &&
              clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &t, NULL) == EINVAL,
          "CPU time is not set or slept for");
}

static void exhaustion_test(void)
{
    static pthread_t t[5000]; /* more than there are slots */
    sem_t end;
    int made = 0, error = 0;
    sem_init(&end, 0, 0);
    while (made < 5000 &&
           (error = pthread_create(&t[made], NULL, wait_for, &end)) == 0) {
        made++;
    }
    printf("# %d threads\n", made);
    CHECK(error == EAGAIN && made >= MANY, "too many threads are EAGAIN");
    for (int i = 0; i < made; i++) {
        sem_post(&end);
    }
    bool good = true;
    for (int i = 0; i < made; i++) {
        good &= pthread_join(t[i], NULL) == 0;
    }
    CHECK(good && elsewhere(pass, NULL) == 0,
          "those that are there work on, and their memory serves others");
}

int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1) {
        main_is_cancelled();
    }
    join_test();
    attributes_test();
    priorities_test();
    cancel_test();
    signal_test();
    timer_test();
    c11_test();
    deep_test();
    many_test();
    cpu_time_test();
    exhaustion_test();
    return tap_end();
}
