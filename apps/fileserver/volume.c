/* SPDX-License-Identifier: BSL-1.0 */
/* Mounting, and the seam between fat.h and the block service; see volume.h. */
#include "volume.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vesper/root.h>
#include <vesper/root_call.h>
#include <vesper/thread.h>

#include "block.h"
#include "log.h"

#define NS_PER_SECOND 1000000000

static struct {
    bool mounted, fault_told;
    uint32_t generation;
    uint64_t told_card; /* whose reason was told; 0: none's */
    struct fat_device device;
    struct fat_volume fat;
} volume;

/* To fat.h, EINVAL means "no FAT"; from the card it means that the volume
 * claims sectors the card does not have. */
static int device_result(int error)
{
    return error == EINVAL ? -EIO : -error;
}

static int device_read(void *ctx, uint64_t sector, uint32_t count, void *to)
{
    (void)ctx;
    return device_result(block_read(sector, count, to));
}

static int device_write(void *ctx, uint64_t sector, uint32_t count,
                        const void *from)
{
    (void)ctx;
    return device_result(block_write(sector, count, from));
}

static int device_flush(void *ctx)
{
    (void)ctx;
    return device_result(block_flush());
}

/* The wall clock may be set while we run, so the root server is asked. */
static int64_t now_seconds(void *ctx)
{
    uint64_t w[8] = {ROOT_WALL, (uint64_t)INT64_MIN};

    (void)ctx;
    if (root_call(w, 0) != 0) {
        return 0;
    }
    return ((int64_t)w[1] + (int64_t)time_ns()) / NS_PER_SECOND;
}

static void reason_tell(const char *reason, uint64_t card)
{
    if (volume.told_card != card) {
        volume.told_card = card;
        log_line("card", reason);
    }
}

static void repairs_tell(const struct fat_repairs *done)
{
    char text[80];

    (void)snprintf(text, sizeof(text),
                   "mended: %u lost clusters, %u chains, %u names, %u dots",
                   (unsigned)done->lost_clusters, (unsigned)done->long_chains,
                   (unsigned)done->double_names, (unsigned)done->wrong_dots);
    log_line("card", text);
}

/* The volume was in use when the server or the power ended. Without memory, or
 * with folders too deep to walk, the volume works, but what was lost stays. */
static int volume_mend(void)
{
    size_t bytes = fat_repair_bytes(&volume.fat);
    struct fat_repairs done = {0};
    void *map = malloc(bytes);
    int error =
        map != NULL ? -fat_repair(&volume.fat, map, bytes, &done) : ENOMEM;

    free(map);
    if (error == 0) {
        error = -fat_sync(&volume.fat);
    }
    if (done.lost_clusters + done.long_chains + done.double_names +
            done.wrong_dots >
        0) {
        repairs_tell(&done);
    }
    if (error == ENOMEM || error == ELOOP) {
        log_line("card", "was not closed, and is too large to be mended");
        error = 0;
    }
    /* Read-only now, and the reason is told with the first result. */
    return volume.fat.fault != NULL ? 0 : error;
}

static int volume_mount(void)
{
    const char *reason = "unknown";
    struct block_facts facts;
    int error = block_info(&facts);

    if (error != 0) {
        return error;
    }
    volume.device = (struct fat_device){
        .sectors = facts.sectors,
        .read_only = facts.read_only,
        .read = device_read,
        .write = device_write,
        .flush = device_flush,
    };
    error = -fat_mount(&volume.fat, &volume.device, &reason);
    if (error == EINVAL) {
        reason_tell(reason, facts.card);
        return EMEDIUMTYPE;
    }
    if (error != 0) {
        return error;
    }
    volume.fat.now = now_seconds;
    if (volume.fat.was_dirty && !volume.fat.read_only) {
        error = volume_mend();
    }
    if (error != 0) {
        return error;
    }
    volume.mounted = true;
    volume.fault_told = false;
    volume.told_card = 0;
    return 0;
}

int volume_get(struct fat_volume **out)
{
    if (!volume.mounted) {
        int error = volume_mount();

        if (error != 0) {
            return error;
        }
    }
    *out = &volume.fat;
    return 0;
}

uint32_t volume_generation(void)
{
    return volume.generation;
}

/* No unmount: there is nothing left to write to. */
static void volume_lose(void)
{
    if (volume.mounted) {
        volume.mounted = false;
        volume.generation++;
        log_line("card", "removed; open files are lost");
    }
}

int volume_result(int64_t result)
{
    if (result == -ENOMEDIUM) {
        volume_lose();
    }
    if (volume.mounted && volume.fat.fault != NULL && !volume.fault_told) {
        volume.fault_told = true;
        log_line("card, now read-only", volume.fat.fault);
    }
    return result < 0 ? (int)-result : 0;
}

bool volume_in_use(void)
{
    return volume.mounted && volume.fat.marked && !volume.fat.was_dirty &&
           !volume.fat.read_only;
}

int volume_sync(void)
{
    return volume.mounted ? volume_result(fat_sync(&volume.fat)) : 0;
}
