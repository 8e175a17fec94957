/* SPDX-License-Identifier: BSL-1.0 */
/*
 * dma_test.c - contents of files that went by DMA, compared with what went
 * another way; and what a program is refused that wants the engine to work for
 * it. With an argument, the manifest lets it connect to the broker: then it
 * asks for every channel. Prints TAP.
 */
#include "tests/unit/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vesper/authority.h>
#include <vesper/channel.h>
#include <vesper/dma.h>
#include <vesper/root.h>
#include <vesper/root_call.h>
#include <vesper/start.h>

#define NAME  "/dma.tmp"
#define BYTES 300000u /* not a whole number of sectors */
#define SMALL 1000u   /* moved in parts of this: too little for DMA */

static uint8_t wanted[BYTES], found[BYTES + 64];

static void fill(uint32_t seed)
{
    for (uint32_t i = 0; i < BYTES; i++) {
        seed = seed * 1664525u + 1013904223u;
        wanted[i] = (uint8_t)(seed >> 24);
    }
}

/* All of [offset, offset + bytes) in parts; false: an error. */
static bool moved(int fd, bool out, uint32_t offset, uint32_t bytes,
                  uint32_t part, uint32_t shift)
{
    for (uint32_t at = 0; at < bytes; at += part) {
        uint32_t n = bytes - at < part ? bytes - at : part;
        ssize_t done = out ? pwrite(fd, wanted + offset + at, n, offset + at)
                           : pread(fd, found + shift + at, n, offset + at);

        if (done != (ssize_t)n) {
            return false;
        }
    }
    return out || memcmp(found + shift, wanted + offset, bytes) == 0;
}

static void test_contents(void)
{
    /* First byte, bytes, address in a cache line. */
    static const uint32_t part[][3] = {
        {0, BYTES, 0},    {0, 65536, 0},   {512, 32768, 1},
        {1, 65536, 0},    {511, 40000, 4}, {1024, 16384, 0},
        {4096, 8192, 32}, {0, 8191, 0},    {200000, 100000, 0},
        {299999, 1, 0},   {512, 12, 0},    {65536, 32768 - 12, 3},
    };
    int fd = open(NAME, O_RDWR | O_CREAT | O_TRUNC, 0644);

    fill(1);
    CHECK(fd >= 0 && moved(fd, true, 0, BYTES, BYTES, 0) &&
              moved(fd, false, 0, BYTES, SMALL, 0),
          "written in large parts, read in small ones");
    fill(2);
    CHECK(moved(fd, true, 0, BYTES, SMALL, 0) &&
              moved(fd, false, 0, BYTES, BYTES, 0),
          "written in small parts, read in large ones");
    for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
        memset(found, 0xee, sizeof(found));
        CHECK(moved(fd, false, part[i][0], part[i][1], BYTES, part[i][2]) &&
                  found[part[i][2] + part[i][1]] == 0xee,
              "any part of it, to any address");
    }
    for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
        fill((uint32_t)i + 3);
        CHECK(moved(fd, true, 0, BYTES, 32768, 0) &&
                  moved(fd, true, part[i][0], part[i][1], BYTES, 0) &&
                  moved(fd, false, 0, BYTES, SMALL, 0),
              "any part of it written");
    }
    CHECK(close(fd) == 0 && unlink(NAME) == 0, "and away");
}

static int root(uint64_t op, uint64_t w1, uint64_t w4, uint64_t w5)
{
    uint64_t w[8] = {op, w1, 0, 0, w4, w5};

    if (op == ROOT_DMA_LEND) {
        memcpy(&w[2], "files", sizeof("files"));
    } else {
        w[2] = start_self->id;
    }
    return root_call(w, 0);
}

static void test_root_refuses(void)
{
    struct sys_channel c;
    bool good = true;
    uint32_t n = 0;

    for (; sys_channel(n, &c) == 0; n++) {
        good = good && root(ROOT_DMA_BEGIN, c.id, 0, 0) == EPERM &&
               root(ROOT_DMA_LEND, c.id, 0, 4096) == EINVAL;
    }
    CHECK(n > 3 && good, "no channel's memory is told, nor can be lent");
    CHECK(root(ROOT_DMA_END, 0, 0, 0) == EPERM, "nothing to end");
    CHECK(root(ROOT_DMA_BEGIN, ~0ull, 0, 0) == EPERM &&
              root(ROOT_DMA_LEND, ~0ull, 0, 1) == EINVAL &&
              root(ROOT_DMA_LEND, 1, ~0ull, ~0ull) == EINVAL,
          "nor by strange numbers");
}

static int ask(struct channel *dma, uint32_t op, uint32_t channel,
               uint64_t offset, uint64_t bytes)
{
    struct channel_request r = {.op = op,
                                .handle = DMA_PLACE(channel, offset),
                                .arg = {bytes, DMA_SDHOST}};
    struct channel_completion answer;

    return channel_call(dma, &r, &answer);
}

static void test_broker_refuses(struct channel *dma)
{
    struct sys_channel c;
    bool good = true;
    uint32_t own = 0;

    for (uint32_t i = 0; sys_channel(i, &c) == 0; i++) {
        own += c.client == start_self->id;
        good = good && ask(dma, DMA_IN, c.id, 0, 4096) == EACCES &&
               ask(dma, DMA_OUT, c.id, 64, 512) == EACCES;
    }
    CHECK(own > 1 && good, "the card's data for no channel, its own neither");
    CHECK(ask(dma, DMA_IN, 1, 0, 511) == EINVAL &&
              ask(dma, DMA_IN, 1, 4, 512) == EINVAL &&
              ask(dma, DMA_IN, 1, 0, 0) == EINVAL,
          "odd lengths and offsets");
    CHECK(ask(dma, DMA_OUT + 7, 1, 0, 512) == ENOSYS, "no such operation");
}

int main(int argc, char **argv)
{
    struct channel *dma;
    int error = channel_connect("dma", 4096, &dma);

    (void)argv;
    test_contents();
    test_root_refuses();
    if (argc > 1) {
        CHECK(error == 0, "the manifest lets it connect");
        test_broker_refuses(dma);
    } else {
        CHECK(error == EACCES, "the broker is not for programs");
    }
    test_contents();
    return tap_end();
}
