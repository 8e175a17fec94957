/* SPDX-License-Identifier: BSL-1.0 */
/* See engine.h. On QEMU a transfer is over when the write that starts it is; on
 * a board the thread sleeps until the interrupt. */
#include "engine.h"

#include <errno.h>

#include "../cache.h"
#include "../mmio.h"
#include "../pause.h"
#include "regs.h"

#define STOP_LIMIT_US 1000u

static struct dma_control control __attribute__((aligned(CACHE_LINE_BYTES)));
static uint64_t registers;
static uint32_t control_bus;

static uint32_t reg_read(uint32_t offset)
{
    return mmio_read32(registers + offset);
}

static void reg_write(uint32_t offset, uint32_t value)
{
    mmio_write32(registers + offset, value);
}

static bool settles(uint32_t bits)
{
    uint64_t start = pause_now_us();

    while (reg_read(DMA_STATUS) & bits) {
        if (pause_now_us() - start >= STOP_LIMIT_US) {
            return false;
        }
    }
    return true;
}

/* Stop it between two accesses, let what it wrote arrive, forget the rest. */
static bool stop(void)
{
    bool good;

    reg_write(DMA_STATUS, 0);
    good = settles(STATUS_WRITING);
    reg_write(DMA_STATUS, STATUS_RESET);
    return settles(STATUS_RESET | STATUS_ACTIVE) && good;
}

uint64_t engine_control(void)
{
    return (uintptr_t)&control;
}

bool engine_start(uint64_t base, uint64_t physical)
{
    bool good;

    control_bus = DMA_BUS(physical);
    registers = base + (uint64_t)DMA_CHANNEL * DMA_STRIDE;
    mmio_barrier();
    mmio_write32(base + DMA_ENABLE,
                 mmio_read32(base + DMA_ENABLE) | 1u << DMA_CHANNEL);
    good = stop();
    mmio_barrier();
    return good;
}

/* Until it ends; the limit counts from the last progress. */
static int wait(void)
{
    uint32_t left = reg_read(DMA_LEFT);
    uint64_t start = pause_now_us();

    while (reg_read(DMA_STATUS) & STATUS_ACTIVE) {
        uint32_t now_left = reg_read(DMA_LEFT);

        if (now_left != left) {
            left = now_left;
            start = pause_now_us();
        } else if (pause_now_us() - start >= ENGINE_LIMIT_US) {
            return ETIMEDOUT;
        }
        mmio_barrier();
        pause_interrupt(ENGINE_LIMIT_US);
        mmio_barrier();
    }
    return reg_read(DMA_STATUS) & STATUS_ERROR ? EIO : 0;
}

int engine_run(const struct engine_move *move)
{
    int error;

    control = (struct dma_control){
        .info = INFO_INTERRUPT | INFO_WAIT | INFO_LINE(move->line) |
                (move->to_memory ? INFO_SOURCE_PACED | INFO_TARGET_NEXT
                                 : INFO_TARGET_PACED | INFO_SOURCE_NEXT),
        .source = move->to_memory ? move->fifo : DMA_BUS(move->memory),
        .target = move->to_memory ? DMA_BUS(move->memory) : move->fifo,
        .bytes = move->bytes,
    };
    cache_clean(engine_control(), sizeof control);
    mmio_barrier();
    reg_write(DMA_CONTROL, control_bus);
    reg_write(DMA_STATUS, STATUS_PRIORITY | STATUS_ORDERLY | STATUS_ACTIVE);
    error = wait();
    if (error != 0 && !stop()) {
        error = EFAULT;
    }
    reg_write(DMA_STATUS, STATUS_INT | STATUS_END);
    mmio_barrier();
    return error;
}
