/* SPDX-License-Identifier: BSL-1.0
 *
 * The DMA broker against hostile requests, with a model of the controller under
 * it: what it refuses must not start the engine, and when it answers, nothing
 * moves any more. The model ends at once, as QEMU's, or later, as a board's.
 */
#include "../../drivers/cache.h"
#include "../../drivers/dma/broker.h"
#include "../../drivers/dma/engine.h"
#include "../../drivers/dma/regs.h"
#include "../../drivers/mmio.h"
#include "../../drivers/pause.h"
#include "tap.h"

#include <errno.h>
#include <string.h>
#include <vesper/dma.h>

#define BASE     0x3f007000u
#define CHANNEL  (BASE + DMA_CHANNEL * DMA_STRIDE)
#define CONTROL  0x123440u /* physical address of the control block */
#define PHYSICAL 0x2345000u
#define ADDRESS  0x4050001000u
#define BYTES    8192u

/* Domains and channels. */
enum { SD = 5, FILES = 6, SHELL = 7, OWN = 11, FOREIGN, LENT, AWAY };

static struct {
    uint32_t reg[DMA_STRIDE / 4], enabled;
    uint32_t delay; /* sleeps until it moves on */
    uint32_t step;  /* words between two sleeps; 0: all at once */
    uint32_t stall; /* words after which nothing comes; 0: all come */
    bool stuck, bus_error;
    uint32_t moved;  /* words */
    uint32_t starts; /* of transfers */
    uint64_t now_us;
    uint32_t fifo[BYTES / 4], memory[BYTES / 4];
    char order[64]; /* what happened: c lean, f lush, s tart, e nd */
    uint32_t holds;
    bool held;
} model;

static void happened(char what)
{
    size_t n = strlen(model.order);

    model.order[n < sizeof model.order - 1 ? n : 0] = what;
}

/* ---- the controller --------------------------------------------------- */

static const struct dma_control *control(void)
{
    return (const struct dma_control *)(uintptr_t)engine_control();
}

static void word_move(const struct dma_control *c, uint32_t i)
{
    bool in = (c->info & INFO_SOURCE_PACED) != 0;
    uint32_t at = (in ? c->target : c->source) - DMA_BUS(PHYSICAL) + i * 4;

    if (at >= BYTES) {
        CHECK(0, "the engine stays in the channel");
    } else if (in) {
        model.memory[at / 4] = model.fifo[i];
    } else {
        model.fifo[i] = model.memory[at / 4];
    }
}

static void engine_goes_on(void)
{
    const struct dma_control *c = control();
    uint32_t all = c->bytes / 4;

    for (uint32_t n = 0; model.step == 0 || n < model.step; n++) {
        if (model.moved == all ||
            (model.stall != 0 && model.moved == model.stall)) {
            break;
        }
        word_move(c, model.moved++);
    }
    model.reg[DMA_LEFT / 4] = (all - model.moved) * 4;
    if (model.moved == all) {
        happened('e');
        model.reg[DMA_STATUS / 4] &= ~STATUS_ACTIVE;
        model.reg[DMA_STATUS / 4] |= STATUS_END | STATUS_INT;
    }
}

static void status_write(uint32_t value)
{
    uint32_t *status = &model.reg[DMA_STATUS / 4];

    if (value & STATUS_RESET) {
        *status = model.stuck ? STATUS_ACTIVE : 0;
        return;
    }
    *status &= ~(value & (STATUS_INT | STATUS_END));
    if (!(value & STATUS_ACTIVE)) {
        *status &= model.stuck ? ~0u : ~STATUS_ACTIVE;
        return;
    }
    model.starts++;
    model.moved = 0;
    happened('s');
    *status |= STATUS_ACTIVE;
    if (model.bus_error) {
        *status = STATUS_ERROR;
    } else if (model.delay == 0) {
        engine_goes_on();
    }
}

uint32_t mmio_hook_read(uint64_t address)
{
    return address == BASE + DMA_ENABLE ? model.enabled
                                        : model.reg[(address - CHANNEL) / 4];
}

void mmio_hook_write(uint64_t address, uint32_t value)
{
    if (address == BASE + DMA_ENABLE) {
        model.enabled = value;
    } else if (address == CHANNEL + DMA_STATUS) {
        status_write(value);
    } else {
        model.reg[(address - CHANNEL) / 4] = value;
    }
}

void mmio_hook_barrier(void)
{
}

void cache_hook_clean(uint64_t from, uint64_t bytes)
{
    if (from != engine_control()) {
        happened('c');
        CHECK(from >= ADDRESS && from + bytes <= ADDRESS + BYTES, "cleaned");
    }
}

void cache_hook_flush(uint64_t from, uint64_t bytes)
{
    happened('f');
    CHECK(from >= ADDRESS && from + bytes <= ADDRESS + BYTES, "flushed");
}

uint64_t pause_now_us(void)
{
    return model.now_us++;
}

void pause_us(uint32_t us)
{
    model.now_us += us;
}

void pause_interrupt(uint32_t us)
{
    bool active = (model.reg[DMA_STATUS / 4] & STATUS_ACTIVE) != 0;

    if (active && model.delay > 0 && !model.stuck &&
        (model.stall == 0 || model.moved < model.stall)) {
        model.delay--;
        model.now_us += us / 2;
        engine_goes_on();
    } else {
        model.now_us += us;
    }
}

/* ---- the root server -------------------------------------------------- */

int broker_hold(uint32_t channel, uint32_t asker, struct broker_memory *out)
{
    static const struct broker_memory memory[] = {
        [OWN] = {PHYSICAL, ADDRESS, BYTES, FILES, SD, 0, 0, 0},
        [FOREIGN] = {PHYSICAL, ADDRESS, BYTES, SHELL, FILES, 0, 0, 0},
        [LENT] = {PHYSICAL, ADDRESS, BYTES, SHELL, FILES, SD, 1024, 8192},
        [AWAY] = {PHYSICAL, ADDRESS, BYTES, SHELL, FILES, 4, 0, 8192},
    };

    if (channel < OWN || channel > AWAY || asker == 0) {
        return ESRCH;
    }
    model.holds++;
    model.held = true;
    *out = memory[channel];
    return 0;
}

void broker_let_go(void)
{
    CHECK(model.held && !(model.reg[DMA_STATUS / 4] & STATUS_ACTIVE),
          "memory is let go of when nothing moves");
    model.held = false;
}

bool broker_has_device(uint32_t domain, uint64_t device)
{
    return domain == SD && device == 0x3f202000u;
}

/* ---- tests ------------------------------------------------------------ */

static void reset(void)
{
    memset(&model, 0, sizeof model);
    for (uint32_t i = 0; i < BYTES / 4; i++) {
        model.fifo[i] = i * 77 + 1;
        model.memory[i] = i * 91 + 5;
    }
    CHECK(engine_start(BASE, CONTROL), "the engine starts");
}

static int ask(uint32_t op, uint32_t channel, uint64_t offset, uint64_t bytes)
{
    const struct channel_request r = {.op = op,
                                      .handle = DMA_PLACE(channel, offset),
                                      .arg = {bytes, DMA_SDHOST}};

    return broker_request(SD, broker_peripherals(SD), &r);
}

static void test_refused(void)
{
    static const struct {
        uint32_t op, channel;
        uint64_t offset, bytes;
        int error;
        const char *what;
    } rows[] = {
        {0, OWN, 0, 512, ENOSYS, "no operation"},
        {DMA_OUT + 1, OWN, 0, 512, ENOSYS, "an unknown operation"},
        {DMA_IN, OWN, 0, 0, EINVAL, "nothing at all"},
        {DMA_IN, OWN, 0, 1, EINVAL, "an odd length: 1"},
        {DMA_IN, OWN, 0, 510, EINVAL, "an odd length: 510"},
        {DMA_OUT, OWN, 0, 511, EINVAL, "an odd length: 511"},
        {DMA_IN, OWN, 4, 512, EINVAL, "an offset inside a cache line"},
        {DMA_OUT, OWN, 63, 512, EINVAL, "an odd offset"},
        {DMA_IN, OWN, 0, BYTES + 4, EINVAL, "a word too many"},
        {DMA_IN, OWN, BYTES, 4, EINVAL, "behind the end"},
        {DMA_OUT, OWN, BYTES - 64, 128, EINVAL, "across the end"},
        {DMA_IN, OWN, 0xffffffc0u, 4, EINVAL, "far behind the end"},
        {DMA_IN, OWN, 64, 0xffffffc0u, EINVAL, "4 GiB round to the start"},
        {DMA_IN, OWN, 64, ~63ull, EINVAL, "2^64 round to the start"},
        {DMA_IN, OWN, 0, (1ull << 32) + 512, EINVAL, "a length cut off"},
        {DMA_IN, FOREIGN, 0, 512, EACCES, "a channel of others"},
        {DMA_OUT, FOREIGN, 0, 512, EACCES, "a channel of others, out"},
        {DMA_IN, AWAY, 0, 512, EACCES, "lent to somebody else"},
        {DMA_IN, 0, 0, 512, ESRCH, "no channel"},
        {DMA_IN, 99, 0, 512, ESRCH, "a channel that is not there"},
        {DMA_IN, LENT, 960, 512, EACCES, "before what is lent"},
        {DMA_IN, LENT, 1024, 8196, EACCES, "more than is lent"},
        {DMA_OUT, LENT, 1024, 8192, EINVAL, "lent beyond the end"},
    };

    for (uint32_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        reset();
        CHECK(ask(rows[i].op, rows[i].channel, rows[i].offset, rows[i].bytes) ==
                      rows[i].error &&
                  model.starts == 0 && !model.held && model.order[0] == 0,
              rows[i].what);
    }
}

static void test_peripherals(void)
{
    struct channel_request r = {.op = DMA_IN,
                                .handle = DMA_PLACE(OWN, 0),
                                .arg = {512, DMA_SDHOST}};

    reset();
    CHECK(broker_request(FILES, broker_peripherals(FILES), &r) == EACCES &&
              model.starts == 0 && model.holds == 0,
          "a party of the channel without the peripheral");
    for (uint64_t p = DMA_PERIPHERALS; p != 0; p <<= 1) {
        r.arg[1] = p;
        CHECK(broker_request(SD, ~0ull, &r) == EINVAL && model.starts == 0,
              "an unknown peripheral");
    }
}

static void test_in(void)
{
    const struct dma_control *c = control();

    reset();
    CHECK(ask(DMA_IN, OWN, 64, 4084) == 0 &&
              memcmp(&model.memory[16], model.fifo, 4084) == 0 &&
              model.memory[15] == 15 * 91 + 5 &&
              model.memory[16 + 1021] == (16 + 1021) * 91 + 5,
          "in: these bytes and no others");
    CHECK(c->source == 0x7e202040u && c->target == 0xc2345040u &&
              c->next == 0 && c->info >> 16 == 13 &&
              !(c->info & (INFO_SOURCE_NEXT | INFO_TARGET_PACED)),
          "... from the FIFO, paced by its line");
    CHECK(strcmp(model.order, "fsef") == 0, "... caches flushed around it");
    CHECK(model.reg[DMA_CONTROL / 4] == DMA_BUS(CONTROL) && !model.held &&
              !(model.reg[DMA_STATUS / 4] & STATUS_INT),
          "... and the interrupt is quenched");
    reset();
    CHECK(ask(DMA_IN, OWN, 0, BYTES) == 0 &&
              memcmp(model.memory, model.fifo, BYTES) == 0,
          "in: the whole area");
    reset();
    CHECK(ask(DMA_IN, LENT, 1024, 2048) == 0 &&
              memcmp(&model.memory[256], model.fifo, 2048) == 0,
          "in: what was lent");
}

static void test_out(void)
{
    const struct dma_control *c = control();

    reset();
    CHECK(ask(DMA_OUT, OWN, 128, 1024) == 0 &&
              memcmp(&model.memory[32], model.fifo, 1024) == 0,
          "out: these bytes");
    CHECK(c->target == 0x7e202040u && c->source == 0xc2345080u &&
              c->next == 0 && c->info >> 16 == 13 &&
              !(c->info & (INFO_TARGET_NEXT | INFO_SOURCE_PACED)),
          "... to the FIFO, paced by its line");
    CHECK(strcmp(model.order, "cse") == 0, "... from caches cleaned before");
}

static void test_board(void)
{
    reset();
    model.delay = 20;
    model.step = 128;
    CHECK(ask(DMA_IN, OWN, 0, 4096) == 0 &&
              memcmp(model.memory, model.fifo, 4096) == 0 &&
              strcmp(model.order, "fsef") == 0,
          "an engine that takes its time is waited for");
    CHECK(model.now_us > 3 * ENGINE_LIMIT_US, "... as long as words come");
}

static void test_faults(void)
{
    reset();
    model.delay = 20;
    model.step = 128;
    model.stall = 300;
    CHECK(ask(DMA_IN, OWN, 0, 4096) == ETIMEDOUT && !model.held &&
              model.reg[DMA_STATUS / 4] == 0,
          "one that stalls: ETIMEDOUT, and it is stopped");
    CHECK(model.now_us < 5 * ENGINE_LIMIT_US, "... within the limit");
    model.stall = model.delay = model.step = 0;
    CHECK(ask(DMA_IN, OWN, 0, 4096) == 0, "... and used again");
    reset();
    model.bus_error = true;
    CHECK(ask(DMA_OUT, OWN, 0, 4096) == EIO && !model.held, "bus error: EIO");
    reset();
    model.delay = 20;
    model.step = 128;
    model.stuck = true;
    CHECK(ask(DMA_IN, OWN, 0, 4096) == EFAULT && model.held,
          "one that cannot be stopped: the memory is not let go of");
    CHECK(!engine_start(BASE, CONTROL), "... nor started anew");
}

int main(void)
{
    test_refused();
    test_peripherals();
    test_in();
    test_out();
    test_board();
    test_faults();
    return tap_end();
}
