/* SPDX-License-Identifier: BSL-1.0
 *
 * vesper/authority.h: words of the root server's answers, as structures.
 */
#include <string.h>
#include <vesper/authority.h>
#include <vesper/root_call.h>

#include "result.h"

static void text_copy(char to[SYS_TEXT_BYTES], const uint64_t *words, size_t n)
{
    memset(to, 0, SYS_TEXT_BYTES);
    memcpy(to, words, n * sizeof(*words));
}

int sys_ledger(uint32_t *row, struct sys_ledger *out)
{
    uint64_t w[8] = {ROOT_LEDGER, *row};
    int error = root_call(w, 0);

    if (error != 0) {
        return result(error);
    }
    *row = (uint32_t)w[1];
    *out = (struct sys_ledger){.changes = (uint32_t)(w[1] >> 32),
                               .owner = (uint32_t)w[2],
                               .id = (uint32_t)(w[2] >> 32)};
    if (out->owner == LEDGER_REGION) {
        out->region = (uint32_t)w[3];
        out->address = w[4];
        out->bytes = w[5];
    } else if (out->owner == LEDGER_BOARD || out->owner == LEDGER_FREE) {
        out->bytes = w[3];
        out->small_bytes = out->owner == LEDGER_FREE ? w[4] : 0;
    } else {
        for (uint32_t i = 0; i < LEDGER_TYPES; i++) {
            out->type[i] = (uint32_t)(w[3 + i / 2] >> i % 2 * 32);
        }
    }
    return 0;
}

static void cap_fill(const uint64_t w[8], struct sys_cap *out)
{
    *out = (struct sys_cap){.slot = (uint32_t)w[2],
                            .type = w[3] & 0xff,
                            .rights = w[3] >> 8 & 0xff,
                            .size_log2 = w[3] >> 16 & 0xff,
                            .depth = w[3] >> 24 & 0xff,
                            .device = w[3] >> 32 & 1,
                            .address = w[4],
                            .word = w[5],
                            .owner = (uint32_t)w[6],
                            .id = (uint32_t)(w[6] >> 32)};
}

int sys_cap(uint32_t domain, enum sys_table table, uint32_t *at,
            struct sys_cap *out)
{
    const uint64_t which = (uint64_t)table << 32;

    while (*at != UINT32_MAX) {
        uint64_t w[8] = {ROOT_CAPS, domain, which | *at};
        int error = root_call(w, 0);

        if (error != 0) {
            return result(error);
        }
        *at = w[1] == 0 ? UINT32_MAX : (uint32_t)w[1];
        if (w[2] != 0) {
            cap_fill(w, out);
            return 0;
        }
    }
    return result(ENOENT);
}

int sys_channel(uint32_t index, struct sys_channel *out)
{
    uint64_t w[8] = {ROOT_CHANNELS, index};
    int error = root_call(w, 0);

    if (error == 0) {
        *out = (struct sys_channel){.id = (uint32_t)w[1],
                                    .client = (uint32_t)(w[1] >> 32),
                                    .server = (uint32_t)w[2],
                                    .address = w[3],
                                    .bytes = w[4]};
        text_copy(out->service, &w[5], 2);
    }
    return result(error);
}

int sys_service(uint32_t index, struct sys_service *out)
{
    uint64_t w[8] = {ROOT_SERVICES, index};
    int error = root_call(w, 0);

    if (error == 0) {
        out->server = (uint32_t)w[1];
        text_copy(out->name, &w[2], 2);
    }
    return result(error);
}

int sys_fact(uint32_t index, struct sys_fact *out)
{
    uint64_t w[8] = {ROOT_DECLARED, index};
    int error = root_call(w, 0);

    if (error == 0) {
        *out = (struct sys_fact){.kind = w[1] & 0xffff,
                                 .domain = w[1] >> 16 & 0xffff,
                                 .line = (uint32_t)(w[1] >> 32),
                                 .value = w[2],
                                 .bytes = w[3]};
        text_copy(out->text, &w[4], 4);
    }
    return result(error);
}

int sys_origin(uint32_t domain, struct sys_origin *out)
{
    uint64_t w[8] = {ROOT_ORIGIN, domain};
    int error = root_call(w, 0);

    if (error == 0) {
        *out = (struct sys_origin){.declared = (int32_t)w[1] - 1,
                                   .rights = (int32_t)w[2] - 1,
                                   .address = w[3],
                                   .bytes = w[4]};
    }
    return result(error);
}
