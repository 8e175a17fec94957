/* SPDX-License-Identifier: BSL-1.0
 *
 * Service `clock`: alarms on the system timer, and the wall clock, which the
 * root server keeps as its distance from the counter that every domain reads
 * itself.
 */
#include <errno.h>
#include <stdlib.h>
#include <vesper/channel.h>
#include <vesper/clock.h>
#include <vesper/root.h>
#include <vesper/root_call.h>
#include <vesper/start.h>
#include <vesper/thread.h>
#include <abi/calls.h>

#include "alarms.h"
#include "systimer.h"

#define NS_PER_US   1000
#define WALL_KEEP   ((uint64_t)INT64_MIN)
#define WALL_MAX_US ((uint64_t)INT64_MAX / NS_PER_US)

static struct alarms alarms;

/* Complete what is due and arm the next: again, as long as that comes late. */
static void alarms_serve(void)
{
    struct alarm due;

    do {
        while (alarms_due(&alarms, systimer_now_us(), &due)) {
            server_complete(due.client, due.id, 0, 0, 0, 0);
        }
    } while (alarms.first != NULL && systimer_arm(alarms.first->time_us));
}

static int wall_get(uint64_t *us)
{
    uint64_t w[8] = {ROOT_WALL, WALL_KEEP};
    int error = root_call(w, 0);

    if (error == 0) {
        *us = (uint64_t)((int64_t)w[1] + (int64_t)time_ns()) / NS_PER_US;
    }
    return error;
}

static int wall_set(uint64_t us)
{
    uint64_t w[8] = {ROOT_WALL};

    if (us > WALL_MAX_US) {
        return EINVAL;
    }
    w[1] = us * NS_PER_US - time_ns();
    return root_call(w, 0);
}

static void alarm_add(struct server_client *c, const struct channel_request *r)
{
    int error = alarms_add(&alarms, c, r->id, r->arg[0]);

    if (error != 0) {
        server_complete(c, r->id, error, 0, 0, 0);
        return;
    }
    alarms_serve();
}

static void clock_request(struct server_client *c,
                          const struct channel_request *r, void *data)
{
    uint64_t value = 0;
    int error = 0;

    (void)data;
    switch (r->op) {
    case CLOCK_ALARM:
        alarm_add(c, r);
        return;
    case CHANNEL_CANCEL:
        if (alarms_cancel(&alarms, c, (uint32_t)r->arg[0])) {
            server_complete(c, (uint32_t)r->arg[0], ECANCELED, 0, 0, 0);
        }
        return;
    case CLOCK_NOW:
        value = systimer_now_us();
        break;
    case CLOCK_WALL:
        error = wall_get(&value);
        break;
    case CLOCK_SET:
        error = wall_set(r->arg[0]);
        break;
    default:
        error = ENOSYS;
    }
    server_complete(c, r->id, error, value, 0, 0);
}

static void clock_events(uint64_t bits)
{
    (void)bits;
    /* Quench first: a deadline that is armed below may match at once. */
    systimer_quench();
    alarms_serve();
    (void)sys_irq_ack(SLOT_IRQ);
}

static int clock_connect(struct server_client *c)
{
    (void)c;
    return 0;
}

static void clock_closed(struct server_client *c)
{
    alarms_drop(&alarms, c);
}

int main(void)
{
    static const struct server_ops ops = {
        .connect = clock_connect,
        .closed = clock_closed,
        .request = clock_request,
        .events = clock_events,
    };

    if (start_self->device_count == 0) {
        return EXIT_FAILURE; /* the manifest gave no device */
    }
    alarms_start(&alarms);
    systimer_start(start_self->device[0].address);
    server_run(&ops);
}
