/* SPDX-License-Identifier: BSL-1.0 */
/*
 * The file server's side of pipes whose ends their holders move themselves: the
 * test is such a holder, honest or not.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <vesper/file.h>
#include <vesper/pipe.h>

#include "files_server.h"

static struct client one, two;
static uint64_t ends[2];

static void pipe_make(void)
{
    struct channel_request r = {.op = FILE_PIPE};
    uint32_t id = submit(&one, r, 0, 0);

    require(came(&one, id) && one.answers[id].error == 0, "a pipe");
    ends[0] = one.answers[id].value[0];
    ends[1] = one.answers[id].value[1];
}

static void pipe_close(void)
{
    (void)call_handle(&one, FILE_CLOSE, ends[0], 0, NULL);
    (void)call_handle(&one, FILE_CLOSE, ends[1], 0, NULL);
}

/* The client has that end from now on. */
static struct link *have(int end)
{
    uint64_t link = 0;

    require(call_handle(&one, FILE_DIRECT, ends[end], 1, &link) == 0,
            "an end is given");
    return link_of(link);
}

static uint32_t read_submit(uint32_t offset)
{
    struct channel_request r = {.op = FILE_READ,
                                .handle = ends[0],
                                .arg = {OWN}};

    return submit(&one, r, offset, 100);
}

static uint32_t write_submit(uint32_t bytes)
{
    struct channel_request r = {.op = FILE_WRITE,
                                .handle = ends[1],
                                .arg = {OWN}};

    return submit(&one, r, 0, bytes);
}

static bool answered(uint32_t id, int error, uint64_t value)
{
    return came(&one, id) && one.answers[id].error == error &&
           one.answers[id].value[0] == value;
}

/* ------------------------------------------------------------------------- */

static void test_having(void)
{
    uint64_t h, link = 77;
    uint32_t id;
    struct link *l;

    pipe_make();
    id = read_submit(1000);
    check(call_handle(&one, FILE_DIRECT, ends[0], 1, NULL) == EBUSY,
          "an end where a request waits is not given away");
    check(call_write(&one, ends[1], "x") == 0 && answered(id, 0, 1), "served");
    l = have(0);
    check(l->allowed[0] == one.c.id && l->ring->direct == PIPE_BIT(0),
          "an end that one client holds is, to it");
    check(call_read(&one, ends[0], OWN, "") == EALREADY,
          "and the server moves it no more");
    check(call_write(&one, ends[1], "y") == 0 && pipe_used(l->ring) == 1,
          "only the other one");
    check(call_handle(&one, FILE_DIRECT, ends[0], 0, NULL) == 0 &&
              l->allowed[0] == 0 && l->ring->direct == 0 && l->told[1] == 2 &&
              call_read(&one, ends[0], OWN, "y") == 0,
          "until the client gives it back; the other end is told");
    (void)have(1);
    check(call_handle(&one, FILE_GRANT, ends[1], 0, &h) == 0 &&
              l->ring->direct == 0 && l->allowed[1] == 0 && l->told[0] == 2,
          "or grants it to somebody else");
    check(call_handle(&one, FILE_DIRECT, ends[1], 1, &link) == EBUSY,
          "then it is not given away");
    pipe_close();
    check(call_open(&one, "/lost", O_RDONLY, &h) == 0 &&
              call_handle(&one, FILE_DIRECT, h, 1, NULL) == EINVAL &&
              call_handle(&one, FILE_PUMP, h, 0, NULL) == EINVAL,
          "a file is no end of a pipe");
    check(call_handle(&one, FILE_DIRECT, 12345, 1, NULL) == EBADF,
          "nor is what one has not");
    (void)call_handle(&one, FILE_CLOSE, h, 0, NULL);
}

static void test_waiting(void)
{
    struct channel_request poll = {.op = FILE_POLL, .arg = {1}};
    struct file_poll *list = (struct file_poll *)(void *)(one.data + 4096);
    struct link *l;
    uint32_t id;

    pipe_make();
    l = have(1);
    id = read_submit(1000);
    check(!came(&one, id) && l->ring->waits[0] == PIPE_WAITS_SERVER,
          "the server waits for who moves the writing end");
    check(pipe_put(l->ring, "abc", 3, 3) == 3 &&
              pipe_waiters(l->ring, PIPE_WRITING) == PIPE_WAITS_SERVER &&
              call_handle(&one, FILE_PUMP, ends[1], 0, NULL) == 0 &&
              answered(id, 0, 3) && memcmp(one.data + 1000, "abc", 3) == 0,
          "... and answers when that says so");
    *list = (struct file_poll){ends[0], READY_READ, 0};
    id = submit(&one, poll, 4096, sizeof(*list));
    check(!came(&one, id) && l->ring->waits[0] == PIPE_WAITS_SERVER,
          "so it does for a poll");
    (void)pipe_put(l->ring, "d", 1, 1);
    (void)call_handle(&one, FILE_PUMP, ends[1], 0, NULL);
    check(answered(id, 0, 1) && list->ready == READY_READ, "... as well");
    pipe_close();
    pipe_make();
    id = read_submit(1000);
    require(!came(&one, id), "a read waits");
    l = have(1);
    check(l->ring->waits[0] == PIPE_WAITS_SERVER,
          "also if it waited before the end was given away");
    pipe_close();
    check(answered(id, EBADF, 0), "and is over when its end is closed");
}

static void test_writing(void)
{
    static char bytes[PIPE_BYTES];
    struct link *l;
    uint32_t id;

    pipe_make();
    l = have(0);
    id = write_submit(PIPE_BYTES + 1000);
    check(!came(&one, id) && pipe_used(l->ring) == PIPE_BYTES &&
              l->ring->waits[1] == PIPE_WAITS_SERVER,
          "a write of more than fits waits for who reads himself");
    check(pipe_take(l->ring, bytes, PIPE_BYTES) == PIPE_BYTES &&
              call_handle(&one, FILE_PUMP, ends[0], 0, NULL) == 0 &&
              answered(id, 0, PIPE_BYTES + 1000) && pipe_used(l->ring) == 1000,
          "... and goes on");
    pipe_close();
}

/* Who closes, or dies, is gone: in the ring, and with a knock. */
static void test_ends(void)
{
    unsigned before = links_used;
    uint64_t granted;
    struct link *l;

    pipe_make();
    l = have(0);
    (void)have(1);
    (void)call_handle(&one, FILE_CLOSE, ends[1], 0, NULL);
    check(l->ring->gone == PIPE_BIT(1) && l->ring->direct == PIPE_BIT(0) &&
              l->told[0] == 2 && l->allowed[1] == 0,
          "who reads himself is told that the writer closed");
    (void)call_handle(&one, FILE_CLOSE, ends[0], 0, NULL);
    pipe_make();
    l = have(0);
    domain_add(501, 500);
    client_start(&two, 501);
    require(call_handle(&one, FILE_GRANT, ends[1], 501, &granted) == 0 &&
                call_handle(&one, FILE_CLOSE, ends[1], 0, NULL) == 0 &&
                call_write(&two, granted, "z") == 0,
            "the other end is another client's");
    require(call_handle(&two, FILE_DIRECT, granted, 1, NULL) == 0, "and moved");
    server->closed(&two.c);
    check(l->ring->gone == PIPE_BIT(1) && l->ring->direct == PIPE_BIT(0) &&
              pipe_used(l->ring) == 1,
          "... or has died; what it wrote is there");
    (void)call_handle(&one, FILE_CLOSE, ends[0], 0, NULL);
    check(links_used == before, "nothing is left of pipes that are closed");
}

/* Who moves an end can write what it likes. */
static void test_hostile(void)
{
    struct link *l;
    uint32_t id;

    pipe_make();
    l = have(1);
    id = read_submit(1000);
    l->ring->tail = l->ring->head + PIPE_BYTES + 1;
    (void)call_handle(&one, FILE_PUMP, ends[1], 0, NULL);
    check(answered(id, EIO, 0), "nonsense in the ring ends a read");
    check(answered(read_submit(1000), EIO, 0), "... and the next one");
    (void)call_handle(&one, FILE_DIRECT, ends[1], 0, NULL);
    check(answered(write_submit(5), EIO, 0), "... and writes");
    check(call_handle(&one, FILE_CLOSE, ends[1], 0, NULL) == 0 &&
              call_handle(&one, FILE_CLOSE, ends[0], 0, NULL) == 0,
          "the pipe can be closed");
    pipe_make();
    l = have(1);
    l->ring->head = 12345;
    l->ring->tail = 12345 + 4;
    check(answered(read_submit(1000), 0, 4),
          "numbers that can be true are taken for true");
    pipe_close();
    link_error = ENOMEM;
    check(call_handle(&one, FILE_PIPE, 0, 0, NULL) == ENOMEM,
          "no memory for a pipe");
    link_error = 0;
}

void direct_tests(void)
{
    domain_add(500, 3);
    client_start(&one, 500);
    test_having();
    test_waiting();
    test_writing();
    test_ends();
    test_hostile();
    server->closed(&one.c);
}
