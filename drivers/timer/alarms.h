/* SPDX-License-Identifier: BSL-1.0
 *
 * The alarms that clients wait for, earliest first. A fixed pool; each client
 * can have ALARMS_EACH. Errors are positive errno values.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define ALARMS_EACH 8u
#define ALARMS_MAX  256u

struct alarm {
    struct alarm *next;
    uint64_t time_us;
    void *client; /* only compared here */
    uint32_t id;
};

struct alarms {
    struct alarm *first, *free;
    struct alarm pool[ALARMS_MAX];
};

void alarms_start(struct alarms *a);

/* 0, or EAGAIN: the client has ALARMS_EACH, or ALARMS_MAX are waiting. */
int alarms_add(struct alarms *a, void *client, uint32_t id, uint64_t time_us);

/* Take out one that is due, in order of time (and of arrival); false: none. */
bool alarms_due(struct alarms *a, uint64_t now_us, struct alarm *out);

/* Take out the client's alarm of this id; false: there is none. */
bool alarms_cancel(struct alarms *a, void *client, uint32_t id);

/* Take out all of a client's. */
void alarms_drop(struct alarms *a, void *client);
