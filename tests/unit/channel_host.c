/* SPDX-License-Identifier: BSL-1.0
 *
 * See channel_host.h. One big lock and one big condition: slow and obvious.
 */
#include "channel_host.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <abi/calls.h>
#include <vesper/root.h>
#include <vesper/root_call.h>
#include <vesper/thread.h>

#include "../../libos/core/doorbell.h"
#include "../../libos/core/event.h"
#include "../../libos/core/slots.h"
#include "../../libos/core/sync.h"

#define HOST_BIT 20

static pthread_mutex_t big = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t something = PTHREAD_COND_INITIALIZER;
static uint64_t events; /* guarded by big, as all of these */
static bool server_called, server_alive = true, interrupt_next;
static bool server_waits, doorbell_there;
static uint64_t at_door; /* who rang, until it is answered */
static uint64_t patience_ms = 50;
static uint32_t rings, vain_waits;
static _Alignas(4096) uint8_t memory[HOST_PAGES * 4096];

struct channel_page *host_page(void)
{
    return (struct channel_page *)memory;
}

void host_page_reset(void)
{
    struct channel_page *page = host_page();
    memset(memory, 0, sizeof(memory));
    page->magic = CHANNEL_MAGIC;
    page->id = 5;
    page->data_offset = 4096;
    page->data_bytes = sizeof(memory) - 4096;
}

/* Wait on the big condition for at most ms. */
static void wait_ms(uint64_t ms)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += (long)ms * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&something, &big, &until);
}

void host_server_alive(bool alive)
{
    pthread_mutex_lock(&big);
    server_alive = alive;
    pthread_mutex_unlock(&big);
}

void host_server_wait(void)
{
    pthread_mutex_lock(&big);
    at_door = 0;
    server_waits = true;
    pthread_cond_broadcast(&something);
    if (!server_called) {
        wait_ms(10);
    }
    server_called = server_waits = false;
    pthread_mutex_unlock(&big);
}

/* ---- the doorbell ------------------------------------------------------ */

void host_doorbell(bool there)
{
    pthread_mutex_lock(&big);
    doorbell_there = there;
    pthread_mutex_unlock(&big);
}

uint32_t host_rings(void)
{
    return rings;
}

/* Unlike a domain, a host's other threads go on while one is at the door. */
bool doorbell_ring(cptr_t bell)
{
    (void)bell;
    pthread_mutex_lock(&big);
    bool free = doorbell_there && server_alive && server_waits;
    if (free) {
        at_door = HOST_CHANNEL;
        server_waits = false;
        server_called = true;
        rings++;
        pthread_cond_broadcast(&something);
        while (at_door != 0) {
            wait_ms(5);
        }
    }
    pthread_mutex_unlock(&big);
    return free;
}

uint64_t doorbell_caller(void)
{
    pthread_mutex_lock(&big);
    uint64_t caller = at_door;
    pthread_mutex_unlock(&big);
    return caller;
}

void event_post(int bit)
{
    pthread_mutex_lock(&big);
    events |= 1ull << bit;
    pthread_cond_broadcast(&something);
    pthread_mutex_unlock(&big);
}

void host_interrupt(void)
{
    pthread_mutex_lock(&big);
    interrupt_next = true;
    pthread_cond_broadcast(&something);
    pthread_mutex_unlock(&big);
}

/* ---- calls ------------------------------------------------------------- */

enum abi_error sys_event_signal(uint64_t event)
{
    enum abi_error error = ERR_OK;
    pthread_mutex_lock(&big);
    if (event == HOST_CLIENT) {
        events |= 1ull << HOST_BIT;
    } else if (server_alive) {
        server_called = true;
    } else {
        error = ERR_EMPTY;
    }
    pthread_cond_broadcast(&something);
    pthread_mutex_unlock(&big);
    return error;
}

enum abi_error sys_cap_delete(uint64_t slot)
{
    (void)slot;
    return ERR_OK;
}

int root_call(uint64_t w[8], uint64_t loan)
{
    (void)loan;
    if (w[0] != ROOT_CONNECT || memcmp(&w[1], "echo\0\0\0\0", 8) != 0) {
        return ENOENT;
    }
    w[1] = (uintptr_t)memory;
    w[2] = sizeof(memory);
    return 0;
}

cptr_t slot_take(void)
{
    return HOST_SERVER;
}

void slot_give(cptr_t slot)
{
    (void)slot;
}

int event_take(void)
{
    return HOST_BIT;
}

void event_give(int bit)
{
    (void)bit;
}

/* ---- threads ----------------------------------------------------------- */

uint64_t time_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void host_patience(uint64_t ms)
{
    patience_ms = ms;
}

uint32_t host_vain_waits(void)
{
    return vain_waits;
}

/* Waits that should be long (is the server alive?) are cut. */
uint64_t event_wait(uint64_t mask, uint64_t until_ns, bool *interrupted)
{
    uint64_t end = time_ns() + patience_ms * 1000000, bits;
    end = until_ns < end ? until_ns : end;
    pthread_mutex_lock(&big);
    for (;;) {
        bits = events & mask;
        events &= ~bits;
        if (bits == 0 && interrupted != NULL && interrupt_next) {
            interrupt_next = false;
            *interrupted = true;
            break;
        }
        if (bits != 0 || time_ns() >= end) {
            vain_waits += bits == 0;
            break;
        }
        wait_ms(5);
    }
    pthread_mutex_unlock(&big);
    return bits;
}

void thread_sleep_until(uint64_t until_ns)
{
    while (time_ns() < until_ns) {
        sched_yield();
    }
}

static void lock_big(struct mutex *m)
{
    while (m->depth != 0) {
        pthread_cond_wait(&something, &big);
    }
    m->depth = 1;
}

void mutex_lock(struct mutex *m)
{
    pthread_mutex_lock(&big);
    lock_big(m);
    pthread_mutex_unlock(&big);
}

void mutex_unlock(struct mutex *m)
{
    pthread_mutex_lock(&big);
    if (m->depth != 1) {
        abort();
    }
    m->depth = 0;
    pthread_cond_broadcast(&something);
    pthread_mutex_unlock(&big);
}

/* Every broadcast wakes everybody; spurious wakes are the caller's to stand. */
bool condition_wait_signal(struct condition *c, struct mutex *m,
                           uint64_t until_ns, bool *interrupted)
{
    (void)c;
    (void)until_ns;
    (void)interrupted;
    pthread_mutex_lock(&big);
    m->depth = 0;
    pthread_cond_broadcast(&something);
    wait_ms(20);
    lock_big(m);
    pthread_mutex_unlock(&big);
    return true;
}

bool condition_wait(struct condition *c, struct mutex *m, uint64_t until_ns)
{
    return condition_wait_signal(c, m, until_ns, NULL);
}

void condition_broadcast(struct condition *c)
{
    (void)c;
    pthread_mutex_lock(&big);
    pthread_cond_broadcast(&something);
    pthread_mutex_unlock(&big);
}
