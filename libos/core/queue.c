/* SPDX-License-Identifier: BSL-1.0
 *
 * Queues of threads: singly linked, because they are short and every operation
 * but removal from the middle is at an end.
 */
#include "queue.h"

#include <stddef.h>

#include "state.h"

void queue_push(struct queue *q, struct thread *t)
{
    t->next = NULL;
    if (q->tail != NULL) {
        q->tail->next = t;
    } else {
        q->head = t;
    }
    q->tail = t;
}

void queue_push_front(struct queue *q, struct thread *t)
{
    t->next = q->head;
    q->head = t;
    if (q->tail == NULL) {
        q->tail = t;
    }
}

struct thread *queue_pop(struct queue *q)
{
    struct thread *t = q->head;
    if (t == NULL) {
        return NULL;
    }
    q->head = t->next;
    if (q->head == NULL) {
        q->tail = NULL;
    }
    t->next = NULL;
    return t;
}

void list_append(struct thread **list, struct thread *t)
{
    while (*list != NULL) {
        list = &(*list)->next;
    }
    t->next = NULL;
    *list = t;
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
