/* SPDX-License-Identifier: BSL-1.0 */
/* Requests that poll; the contract is in <vesper/polls.h>. */
#include <vesper/polls.h>

#include <errno.h>
#include <stddef.h>
#include <vesper/file.h>

/* How many are ready. The list stays the client's, who may write it meanwhile:
 * nothing rests on what it says. */
static uint32_t entries_look(const struct polls *p, struct server_client *c,
                             void *data, uint32_t bytes)
{
    volatile struct file_poll *entry = data;
    uint32_t holds = 0;

    for (uint32_t i = 0; i < bytes / sizeof(*entry); i++) {
        uint32_t ready = p->ready(c, entry[i].handle);

        ready &= entry[i].wanted | READY_HANGUP | READY_ERROR;
        entry[i].ready = ready;
        holds += ready != 0;
    }
    return holds;
}

void polls_request(struct polls *p, struct server_client *c,
                   const struct channel_request *r, void *data)
{
    const uint32_t size = sizeof(struct file_poll);
    uint32_t holds;
    int error = 0;

    if (data == NULL || (uintptr_t)data % _Alignof(struct file_poll) != 0 ||
        r->bytes % size != 0 || r->bytes / size > FILE_POLLS_MAX) {
        server_complete(c, r->id, EINVAL, 0, 0, 0);
        return;
    }
    holds = entries_look(p, c, data, r->bytes);
    if (holds == 0 && r->arg[0] != 0) {
        error = waiting_add(&p->waiting, c, r, data);
        if (error == 0) {
            return;
        }
    }
    server_complete(c, r->id, error, holds, 0, 0);
}

void polls_serve(struct polls *p)
{
    struct waiting *next;

    for (struct waiting *w = p->waiting.first; w != NULL; w = next) {
        next = w->next;
        w->done = entries_look(p, w->client, w->data, w->bytes);
        if (w->done != 0) {
            waiting_answer(&p->waiting, w, 0);
        }
    }
}
