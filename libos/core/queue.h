/* SPDX-License-Identifier: BSL-1.0
 *
 * The lists that threads stand in. Pure: no system call, no state of its own;
 * the host tests run it as it is. A thread is ready (link `run.next`) or stands
 * in at most one list (link `next`) and among the sleepers (`sleep_next`).
 *
 * Rules: masked, or before threads exist.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vesper/policy.h>

struct thread;

#define DEADLINE_NONE (~0ull) /* in counter ticks */

/* First in, first out; all zero is empty. */
struct queue {
    struct runnable *head, *tail;
};

static inline void queue_push(struct queue *q, struct runnable *r)
{
    r->next = NULL;
    if (q->tail != NULL) {
        q->tail->next = r;
    } else {
        q->head = r;
    }
    q->tail = r;
}

static inline void queue_push_front(struct queue *q, struct runnable *r)
{
    r->next = q->head;
    q->head = r;
    if (q->tail == NULL) {
        q->tail = r;
    }
}

/* NULL: empty. */
static inline struct runnable *queue_pop(struct queue *q)
{
    struct runnable *r = q->head;
    if (r == NULL) {
        return NULL;
    }
    q->head = r->next;
    if (q->head == NULL) {
        q->tail = NULL;
    }
    r->next = NULL;
    return r;
}

/* A list of waiting threads, by falling priority, then oldest first; NULL is
 * empty. */
void list_insert(struct thread **list, struct thread *t);
void list_remove(struct thread **list, struct thread *t);

/* Threads with a deadline, soonest first. */
void sleepers_insert(struct thread **list, struct thread *t);
void sleepers_remove(struct thread **list, struct thread *t);
