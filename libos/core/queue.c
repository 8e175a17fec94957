/* SPDX-License-Identifier: BSL-1.0
 *
 * Queues of threads: singly linked, because every operation but removal from
 * the middle is at an end, and lists of waiting threads are short.
 */
#include "queue.h"

#include <stddef.h>

#include "state.h"

struct thread **list_insert(struct thread **list, struct thread *t)
{
    while (*list != NULL && (*list)->run.priority >= t->run.priority) {
        list = &(*list)->next;
    }
    t->next = *list;
    *list = t;
    return &t->next;
}

void list_remove(struct thread **list, struct thread *t)
{
    while (*list != NULL && *list != t) {
        list = &(*list)->next;
    }
    if (*list != NULL) {
        *list = t->next;
        t->next = NULL;
    }
}

/* Equal deadlines keep their order, so that nobody is overtaken. */
void sleepers_insert(struct thread **list, struct thread *t)
{
    while (*list != NULL && (*list)->deadline <= t->deadline) {
        list = &(*list)->sleep_next;
    }
    t->sleep_next = *list;
    t->sleeping = true;
    *list = t;
}

void sleepers_remove(struct thread **list, struct thread *t)
{
    while (*list != NULL && *list != t) {
        list = &(*list)->sleep_next;
    }
    if (*list != NULL) {
        *list = t->sleep_next;
        t->sleep_next = NULL;
        t->sleeping = false;
    }
}
