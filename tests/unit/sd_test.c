/* SPDX-License-Identifier: BSL-1.0
 *
 * The SD driver against a model of the SDHOST controller and a card, put under
 * it by CONFIG_MMIO_HOOK: identification of every kind of card, transfers, and
 * the faults that cannot be had from a good card. The model has its own clock,
 * so that time limits are tested without waiting.
 */
#include "../../drivers/mmio.h"
#include "../../drivers/pause.h"
#include "../../drivers/sd/card.h"
#include "../../drivers/sd/csd.h"
#include "../../drivers/sd/engine.h"
#include "../../drivers/sd/regs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <vesper/dma.h>

#define BASE    0x3f202000u
#define SECTORS 4096u
#define MS      1000u
#define CPU(at) (&(struct sdhost_memory){.data = (at)})

enum card_kind { NO_CARD, CARD_V1, CARD_V2, CARD_HC, CARD_MMC };

/* What is to go wrong, and how often still. */
struct faults {
    int command_crc, data_crc, lost_command, stuck_command;
    int stall;       /* data transfers that end after some words */
    int busy_status; /* status requests answered "busy"; -1: for ever */
    bool never_ready;
    bool no_wide;
    bool gone_on_fault; /* the card vanishes with the first stall */
};

static struct {
    enum card_kind kind;
    struct faults faults;
    uint32_t serial;
    bool protected;
    uint64_t now_us;
    /* controller */
    uint32_t reg[0x60 / 4];
    uint32_t fifo[FIFO_WORDS];
    uint32_t fifo_head, fifo_words;
    uint32_t data_left; /* words of the transfer */
    /* card */
    uint8_t content[SECTORS * 512];
    uint64_t position;
    bool application, selected, wide, streaming, writing, stalled;
    int condition_asked;
    bool ever_busy;
    uint32_t block_bytes;
    int commands[64], reads_of_data, interrupts_waited;
} model;

static int count, failures;

static void check(int good, const char *what)
{
    printf("%sok %d - %s\n", good ? "" : "not ", ++count, what);
    failures += !good;
}

/* ---- time ------------------------------------------------------------- */

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
    model.interrupts_waited++;
    if (us > 500 * MS) {
        check(0, "no sleep over the limit");
    }
    model.now_us += us;
}

/* ---- the card --------------------------------------------------------- */

static bool happens(int *fault)
{
    if (*fault > 0) {
        --*fault;
        return true;
    }
    return false;
}

static uint32_t csd_word(int i)
{
    /* 2 MiB: v1: C_SIZE 1023, MULT 0 (4), READ_BL_LEN 9 = 4096 sectors;
     * v2: C_SIZE 3 = 4096 sectors. */
    static const uint32_t v1[4] = {0, 0xc0000000u, 0x000900ffu, 0};
    static const uint32_t v2[4] = {0, 3u << 16, 0, 0x40000000u};
    uint32_t word = model.kind == CARD_HC ? v2[i] : v1[i];

    return i == 0 && model.protected ? word | 1u << 12 : word;
}

static void answer(uint32_t word)
{
    model.reg[SDHOST_RESPONSE / 4] = word;
}

static uint32_t card_status(void)
{
    uint32_t state = model.selected ? 4u : 3u;

    if (model.faults.busy_status != 0) {
        model.faults.busy_status -= model.faults.busy_status > 0;
        model.ever_busy = true;
        return 7u << 9;
    }
    return state << 9 | 1u << 8;
}

static bool transfer_begin(uint32_t index, uint32_t argument)
{
    uint64_t byte = model.kind == CARD_HC ? (uint64_t)argument * 512 : argument;

    if (!model.selected || model.block_bytes != 512 || byte % 512 != 0) {
        return false;
    }
    if (byte >= sizeof model.content) {
        answer(1u << 31 | 4u << 9); /* out of range; and no data */
        return true;
    }
    answer(4u << 9 | 1u << 8);
    model.position = byte;
    model.writing = index == 24 || index == 25;
    model.streaming = index == 18 || index == 25;
    model.data_left =
        model.reg[SDHOST_BLOCKS / 4] * model.reg[SDHOST_BLOCK_BYTES / 4] / 4;
    if ((index == 17 || index == 24) && model.data_left > 128) {
        model.data_left = 128;
    }
    model.stalled = happens(&model.faults.stall);
    if (model.stalled && model.faults.gone_on_fault) {
        model.kind = NO_CARD;
    }
    return true;
}

/* False: no response. */
static bool condition_answer(void)
{
    bool ready = ++model.condition_asked > 3 && !model.faults.never_ready;

    if (model.kind == CARD_MMC) {
        return false;
    }
    answer(0x00ff8000u | (ready ? 1u << 31 : 0) |
           (model.kind == CARD_HC && ready ? 1u << 30 : 0));
    return true;
}

static bool application_command(uint32_t index, uint32_t argument)
{
    if (index == 41) {
        return condition_answer();
    }
    if (index == 6 && argument == 2 && model.selected) {
        model.wide = !model.faults.no_wide;
        answer(model.wide ? 4u << 9 | 1u << 8 : 1u << 22);
        return true;
    }
    return false;
}

static void card_reset(void)
{
    model.selected = model.wide = model.streaming = false;
    model.condition_asked = 0;
    model.block_bytes = model.kind == CARD_HC ? 512 : 1024;
    model.data_left = 0;
}

static bool card_command(uint32_t index, uint32_t argument)
{
    bool application = model.application;

    model.application = false;
    if (model.kind == NO_CARD) {
        return index == 0;
    }
    if (application) {
        return application_command(index, argument);
    }
    switch (index) {
    case 0:
        card_reset();
        return true;
    case 2:
        for (int i = 0; i < 4; i++) {
            model.reg[SDHOST_RESPONSE / 4 + i] = model.serial + (uint32_t)i;
        }
        return true;
    case 3:
        answer(0x45670500u);
        return true;
    case 7:
        model.selected = argument >> 16 == 0x4567;
        answer(3u << 9 | 1u << 8);
        return model.selected;
    case 8:
        answer(argument);
        return model.kind == CARD_V2 || model.kind == CARD_HC;
    case 9:
        for (int i = 0; i < 4; i++) {
            model.reg[SDHOST_RESPONSE / 4 + i] = csd_word(i);
        }
        return !model.selected;
    case 12:
        if (!model.streaming) {
            return false;
        }
        model.streaming = false;
        model.data_left = 0;
        answer(5u << 9 | 1u << 8);
        return true;
    case 13:
        answer(card_status());
        return model.selected;
    case 16:
        model.block_bytes = argument;
        answer(4u << 9 | 1u << 8);
        return true;
    case 17:
    case 18:
    case 24:
    case 25:
        return transfer_begin(index, argument);
    case 55:
        model.application = true;
        answer(1u << 5);
        return true;
    default:
        return false;
    }
}

/* ---- the controller --------------------------------------------------- */

static void fifo_run(void)
{
    uint32_t word;

    if (model.stalled && model.data_left < 100) {
        return;
    }
    while (model.data_left > 0) {
        if (model.writing ? model.fifo_words == 0
                          : model.fifo_words == FIFO_WORDS) {
            return;
        }
        if (model.writing) {
            word = model.fifo[model.fifo_head++ % FIFO_WORDS];
            model.fifo_words--;
            memcpy(&model.content[model.position], &word, 4);
        } else {
            memcpy(&word, &model.content[model.position], 4);
            model.fifo[(model.fifo_head + model.fifo_words++) % FIFO_WORDS] =
                word;
        }
        model.position += 4;
        model.data_left--;
    }
}

static void command_start(uint32_t value)
{
    uint32_t index = value & 0x3f;
    bool good;

    model.commands[index]++;
    good = card_command(index, model.reg[SDHOST_ARGUMENT / 4]);
    if (happens(&model.faults.stuck_command)) {
        model.reg[SDHOST_COMMAND / 4] = value;
        return;
    }
    value &= ~COMMAND_NEW;
    if (happens(&model.faults.lost_command)) {
        good = false;
    }
    if (!good) {
        value |= COMMAND_FAIL;
        model.reg[SDHOST_STATUS / 4] |= STATUS_COMMAND_TIMEOUT;
    } else if (happens(&model.faults.command_crc)) {
        value |= COMMAND_FAIL;
        model.reg[SDHOST_STATUS / 4] |= STATUS_COMMAND_CRC;
    }
    if (model.data_left > 0 && happens(&model.faults.data_crc)) {
        model.reg[SDHOST_STATUS / 4] |= STATUS_DATA_CRC;
    }
    model.reg[SDHOST_COMMAND / 4] = value;
    fifo_run();
}

uint32_t mmio_hook_read(uint64_t address)
{
    uint32_t offset = (uint32_t)(address - BASE), value;

    model.now_us += offset == SDHOST_COMMAND;
    if (offset == SDHOST_DEBUG) {
        return model.reg[SDHOST_DEBUG / 4] | model.fifo_words << 4 |
               (model.data_left > 0 ? 2u : DEBUG_STATE_DATA);
    }
    if (offset != SDHOST_DATA) {
        return model.reg[offset / 4];
    }
    model.reads_of_data++;
    if (model.fifo_words == 0) {
        return 0xdeadbeef;
    }
    value = model.fifo[model.fifo_head++ % FIFO_WORDS];
    model.fifo_words--;
    fifo_run();
    return value;
}

void mmio_hook_write(uint64_t address, uint32_t value)
{
    uint32_t offset = (uint32_t)(address - BASE);

    if (offset == SDHOST_STATUS) {
        model.reg[offset / 4] &= ~value;
    } else if (offset == SDHOST_DATA) {
        if (model.fifo_words < FIFO_WORDS) {
            model.fifo[(model.fifo_head + model.fifo_words++) % FIFO_WORDS] =
                value;
        }
        fifo_run();
    } else if (offset == SDHOST_COMMAND && value & COMMAND_NEW) {
        command_start(value);
    } else if (offset != SDHOST_DEBUG) {
        model.reg[offset / 4] = value;
    }
}

void mmio_hook_barrier(void)
{
}

/* ---- the DMA engine --------------------------------------------------- */

static struct {
    uint8_t memory[64 * 512];
    uint32_t words, fails_after; /* 0: never */
} engine;

static bool engine_moves(void)
{
    return engine.fails_after == 0 || engine.words < engine.fails_after;
}

int engine_read(uint64_t place, uint32_t bytes)
{
    engine.words = 0;
    for (uint32_t at = 0; at < bytes && engine_moves(); at += 4) {
        uint32_t word = mmio_hook_read(BASE + SDHOST_DATA);

        memcpy(&engine.memory[DMA_OFFSET_OF(place) + at], &word, 4);
        engine.words++;
    }
    return engine_moves() ? 0 : EPIPE;
}

int engine_write(uint64_t place, uint32_t bytes)
{
    engine.words = 0;
    for (uint32_t at = 0; at < bytes && engine_moves(); at += 4) {
        uint32_t word;

        memcpy(&word, &engine.memory[DMA_OFFSET_OF(place) + at], 4);
        mmio_hook_write(BASE + SDHOST_DATA, word);
        engine.words++;
    }
    return engine_moves() ? 0 : EPIPE;
}

/* ---- tests ------------------------------------------------------------ */

static struct card_facts facts;
static uint8_t buffer[64 * 512], expected[64 * 512];

/* A new machine with this card; what card_check says. */
static int insert(enum card_kind kind)
{
    memset(&model, 0, sizeof model);
    for (uint32_t i = 0; i < sizeof model.content; i++) {
        model.content[i] = (uint8_t)(i * 31 + i / 512);
    }
    model.kind = kind;
    model.serial = 77;
    card_start(BASE);
    return card_check(&facts);
}

/* Let the driver forget what it knew of the card before. */
static void forget(void)
{
    memset(&model, 0, sizeof model);
    (void)card_check(&facts);
}

static bool reads_right(uint64_t sector, uint32_t n)
{
    memset(buffer, 0xee, sizeof buffer);
    return card_read(sector, CPU(buffer), n) == 0 &&
           memcmp(buffer, &model.content[sector * 512], n * 512) == 0;
}

static bool writes_right(uint64_t sector, uint32_t n, uint8_t seed)
{
    for (uint32_t i = 0; i < n * 512; i++) {
        expected[i] = (uint8_t)(i * 7 + seed);
    }
    return card_write(sector, CPU(expected), n) == 0 &&
           memcmp(expected, &model.content[sector * 512], n * 512) == 0;
}

static void test_kind(enum card_kind kind, const char *name)
{
    char text[100];

    forget();
    snprintf(text, sizeof text, "%s: found", name);
    check(insert(kind) == 0 && facts.sectors == SECTORS && !facts.read_only &&
              facts.id != 0,
          text);
    snprintf(text, sizeof text, "%s: on four lines at full clock", name);
    check(model.wide && model.reg[SDHOST_CONFIG / 4] & CONFIG_WIDE_CARD &&
              model.reg[SDHOST_DIVIDER / 4] == DIVIDER_TRANSFER,
          text);
    snprintf(text, sizeof text, "%s: reads one and many", name);
    check(reads_right(0, 1) && reads_right(SECTORS - 1, 1) &&
              reads_right(5, 64),
          text);
    snprintf(text, sizeof text, "%s: writes one and many", name);
    check(writes_right(9, 1, 1) && writes_right(SECTORS - 64, 64, 2), text);
    snprintf(text, sizeof text, "%s: no CMD23, many ended by CMD12", name);
    check(model.commands[23] == 0 && model.commands[12] == 2, text);
}

static void test_no_card(void)
{
    forget();
    check(insert(NO_CARD) == ENOMEDIUM, "no card: ENOMEDIUM");
    check(model.now_us < 50 * MS, "... soon");
    check(card_read(0, CPU(buffer), 1) == ENOMEDIUM, "... for reads too");
    model.kind = CARD_HC;
    check(card_check(&facts) == 0 && reads_right(0, 1),
          "a card that comes later is found");
    model.kind = NO_CARD;
    check(card_check(&facts) == ENOMEDIUM, "one that goes is missed");
}

static void test_strange_cards(void)
{
    forget();
    check(insert(CARD_MMC) == ENOTSUP, "an MMC is not supported");
    forget();
    memset(&model, 0, sizeof model);
    model.kind = CARD_V2;
    model.faults.never_ready = true;
    check(card_check(&facts) == ETIMEDOUT && model.now_us < 2000 * MS,
          "a card that is never ready: ETIMEDOUT, within 2 s");
    forget();
    memset(&model, 0, sizeof model);
    model.kind = CARD_HC;
    model.faults.no_wide = true;
    check(card_check(&facts) == 0 &&
              !(model.reg[SDHOST_CONFIG / 4] & CONFIG_WIDE_CARD),
          "a card that refuses four lines is used with one");
}

static void test_range(void)
{
    int sent = 0;

    forget();
    (void)insert(CARD_HC);
    memset(model.commands, 0, sizeof model.commands);
    check(card_read(SECTORS, CPU(buffer), 1) == EINVAL,
          "behind the end: EINVAL");
    check(card_read(SECTORS - 1, CPU(buffer), 2) == EINVAL, "... across it");
    check(card_read(~0ull, CPU(buffer), 2) == EINVAL, "... wrapping round");
    check(card_write(SECTORS, CPU(buffer), 1) == EINVAL, "... writing");
    check(card_read(0, CPU(buffer), 0) == EINVAL, "... nothing at all");
    for (int i = 0; i < 64; i++) {
        sent += model.commands[i];
    }
    check(sent == 0, "... and the card was not touched");
}

static void test_protected(void)
{
    forget();
    memset(&model, 0, sizeof model);
    model.kind = CARD_V2;
    model.protected = true;
    check(card_check(&facts) == 0 && facts.read_only, "protected: known");
    check(card_write(0, CPU(buffer), 1) == EROFS && model.commands[24] == 0,
          "protected: EROFS before the card is touched");
    check(reads_right(3, 2), "protected: reads");
}

static void test_retries(void)
{
    forget();
    (void)insert(CARD_HC);
    model.faults.command_crc = 1;
    check(reads_right(1, 1), "a damaged response: tried again");
    model.faults.data_crc = 2;
    check(reads_right(2, 8), "damaged data, twice: tried again");
    model.faults.lost_command = 1;
    check(writes_right(3, 4, 9), "a lost command: tried again");
    model.faults.stuck_command = 1;
    check(reads_right(4, 1), "a stuck controller: started again");
    model.faults.stall = 1;
    check(reads_right(5, 2), "a read that stalls: tried again");
    model.faults.stall = 1;
    check(writes_right(6, 2, 5), "a write that stalls: tried again");
    check(model.interrupts_waited > 0, "... after sleeping on the interrupt");
}

static void test_failures(void)
{
    uint64_t start;

    forget();
    (void)insert(CARD_HC);
    start = model.now_us;
    model.faults.data_crc = 100;
    check(card_read(1, CPU(buffer), 1) == EIO, "always damaged: EIO");
    check(model.commands[17] == CARD_TRIES, "... after three tries");
    model.faults.data_crc = 0;
    check(card_check(&facts) == 0 && reads_right(1, 1), "... and recovers");
    start = model.now_us;
    model.faults.stall = 100;
    check(card_read(1, CPU(buffer), 1) == ETIMEDOUT,
          "always stalled: ETIMEDOUT");
    check(model.now_us - start < 2500 * MS, "... within 2.5 s");
    model.faults.stall = 0;
    check(card_check(&facts) == 0 && writes_right(1, 1, 3), "... and recovers");
    start = model.now_us;
    model.faults.busy_status = -1;
    check(card_write(1, CPU(buffer), 1) == ETIMEDOUT,
          "busy for ever: ETIMEDOUT");
    check(model.now_us - start < 2500 * MS, "... within 2.5 s");
    model.faults.busy_status = 0;
    check(card_check(&facts) == 0, "... and recovers");
    model.faults.busy_status = 20;
    check(writes_right(2, 8, 4) && model.faults.busy_status == 0,
          "busy for a while: waited for");
}

static void test_removal(void)
{
    uint32_t id;

    forget();
    (void)insert(CARD_HC);
    model.faults.stall = 1;
    model.faults.gone_on_fault = true;
    check(card_write(1, CPU(buffer), 4) == ENOMEDIUM, "pulled while writing");
    (void)insert(CARD_HC);
    id = facts.id;
    model.faults.data_crc = 1;
    model.serial = 78;
    check(card_write(1, CPU(buffer), 4) == ENOMEDIUM,
          "exchanged: nothing is written to the other card");
    check(card_select(id) == ENOMEDIUM, "... and never will be");
    check(card_select(0) == 0 && reads_right(1, 1), "... unless meant");
    forget();
    (void)insert(CARD_HC);
    model.faults.data_crc = 100;
    (void)card_read(1, CPU(buffer), 1);
    model.faults.data_crc = 0;
    check(card_select(facts.id) == 0 && reads_right(1, 1),
          "a card that failed is tried again");
}

static bool is_content(const uint8_t *at, uint64_t sector, uint32_t n)
{
    return memcmp(at, &model.content[sector * 512], n * 512) == 0;
}

/* The same memory, as the CPU and as the engine reach it. */
static const struct sdhost_memory both = {.data = engine.memory + 512,
                                          .place = DMA_PLACE(5u, 512)};

static void test_engine(void)
{
    forget();
    (void)insert(CARD_HC);
    memset(&engine, 0, sizeof engine);
    model.reads_of_data = 0;
    check(card_read(3, &both, 8) == 0 && is_content(both.data, 3, 8),
          "by DMA: read");
    check(engine.words == 8 * 128 - 3 && model.reads_of_data == 8 * 128,
          "... but for the last three words");
    memset(both.data, 0x5a, 8 * 512);
    check(card_write(9, &both, 8) == 0 && is_content(both.data, 9, 8) &&
              engine.words == 8 * 128,
          "by DMA: written");
}

/* The words that are left in the FIFO must not get into what is next. */
static void test_engine_fails(void)
{
    forget();
    (void)insert(CARD_HC);
    memset(&engine, 0, sizeof engine);
    engine.fails_after = 40;
    check(card_read(3, &both, 8) == 0 && is_content(both.data, 3, 8),
          "an engine that stops while reading: read without");
    check(model.commands[18] == 2 && engine.words == 40, "... at once");
    check(reads_right(7, 1) && reads_right(20, 4), "... and so on");
    memset(both.data, 0x5b, 8 * 512);
    check(card_write(9, &both, 8) == 0 && is_content(both.data, 9, 8),
          "an engine that stops while writing: written without");
    check(reads_right(8, 1) && reads_right(16, 4), "... and nothing else");
}

static void test_engine_alone(void)
{
    uint8_t last[SDHOST_LAST_BYTES];
    const struct sdhost_memory far = {.place = DMA_PLACE(5u, 512),
                                      .last = last};

    forget();
    (void)insert(CARD_HC);
    memset(&engine, 0, sizeof engine);
    check(card_read(3, &far, 8) == 0 &&
              memcmp(both.data, &model.content[3 * 512], 8 * 512 - 12) == 0 &&
              memcmp(last, &model.content[11 * 512 - 12], 12) == 0,
          "memory of others: read, the end apart");
    engine.fails_after = 40;
    memset(model.commands, 0, sizeof model.commands);
    check(card_read(3, &far, 8) == EPIPE && model.commands[18] == 1,
          "... one try");
    (void)card_select(facts.id);
    check(card_write(3, &far, 8) == EPIPE && model.commands[25] == 1,
          "... one try to write");
    check(card_select(facts.id) == 0 && reads_right(1, 4), "... and recovers");
}

static void test_csd(void)
{
    uint32_t raw[4] = {0, 0, 0, 0};
    struct csd csd = {.sectors = 5};

    raw[3] = 0x80000000u;
    check(csd_read(raw, &csd) == ENOTSUP && csd.sectors == 5,
          "an unknown CSD structure is refused");
    raw[3] = 0;
    check(csd_read(raw, &csd) == ENOTSUP, "so is a block length of 1");
    raw[3] = 0x40000000u;
    raw[1] = 0xffff0000u;
    raw[2] = 0x3f;
    check(csd_read(raw, &csd) == 0 && csd.sectors == 0x400000ull * 1024,
          "the largest card: 2 TiB");
    raw[3] = 0;
    raw[2] = 0xa03ffu; /* 2^10 bytes a block, C_SIZE 4095, MULT 7 */
    raw[1] = 0xc0038000u;
    check(csd_read(raw, &csd) == 0 && csd.sectors == 4096ull * 512 * 2,
          "the largest SDSC: 2 GiB");
    raw[0] = 1u << 13;
    check(csd_read(raw, &csd) == 0 && csd.read_only, "protected for good");
}

int main(void)
{
    card_start(BASE);
    test_kind(CARD_V1, "SDSC of version 1");
    test_kind(CARD_V2, "SDSC of version 2");
    test_kind(CARD_HC, "SDHC");
    test_no_card();
    test_strange_cards();
    test_range();
    test_protected();
    test_retries();
    test_failures();
    test_removal();
    test_engine();
    test_engine_fails();
    test_engine_alone();
    test_csd();
    printf("1..%d\n", count);
    return failures != 0;
}
