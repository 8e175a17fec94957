/* SPDX-License-Identifier: BSL-1.0 */
/* Waiting alarms; the contract is in alarms.h. */
#include "alarms.h"

#include <errno.h>
#include <stddef.h>

void alarms_start(struct alarms *a)
{
    a->first = NULL;
    a->free = NULL;
    for (uint32_t i = 0; i < ALARMS_MAX; i++) {
        a->pool[i].next = a->free;
        a->free = &a->pool[i];
    }
}

static bool may_add(const struct alarms *a, void *client)
{
    uint32_t n = 0;

    for (const struct alarm *i = a->first; i != NULL; i = i->next) {
        n += i->client == client;
    }
    return a->free != NULL && n < ALARMS_EACH;
}

int alarms_add(struct alarms *a, void *client, uint32_t id, uint64_t time_us)
{
    struct alarm **place = &a->first;
    struct alarm *own = a->free;

    if (!may_add(a, client)) {
        return EAGAIN;
    }
    a->free = own->next;
    while (*place != NULL && (*place)->time_us <= time_us) {
        place = &(*place)->next;
    }
    *own = (struct alarm){*place, time_us, client, id};
    *place = own;
    return 0;
}

static void alarm_remove(struct alarms *a, struct alarm **place)
{
    struct alarm *gone = *place;

    *place = gone->next;
    gone->next = a->free;
    a->free = gone;
}

bool alarms_due(struct alarms *a, uint64_t now_us, struct alarm *out)
{
    if (a->first == NULL || a->first->time_us > now_us) {
        return false;
    }
    *out = *a->first;
    alarm_remove(a, &a->first);
    return true;
}

bool alarms_cancel(struct alarms *a, void *client, uint32_t id)
{
    for (struct alarm **i = &a->first; *i != NULL; i = &(*i)->next) {
        if ((*i)->client == client && (*i)->id == id) {
            alarm_remove(a, i);
            return true;
        }
    }
    return false;
}

void alarms_drop(struct alarms *a, void *client)
{
    struct alarm **i = &a->first;

    while (*i != NULL) {
        if ((*i)->client == client) {
            alarm_remove(a, i);
        } else {
            i = &(*i)->next;
        }
    }
}
