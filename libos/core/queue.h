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

/* First in, first out, as a ring: the tail is followed by the head. All zero is
 * empty. */
struct queue {
    struct runnable *tail;
};

static inline void queue_push_front(struct queue *q, struct runnable *r)
{
    struct runnable *tail = q->tail;
    if (tail == NULL) {
        q->tail = tail = r;
    }
    r->next = tail->next;
    tail->next = r;
}

static inline void queue_push(struct queue *q, struct runnable *r)
{
    queue_push_front(q, r);
    q->tail = r;
}

/* NULL: empty. */
static inline struct runnable *queue_pop(struct queue *q)
{
    struct runnable *tail = q->tail;
    if (tail == NULL) {
        return NULL;
    }
    struct runnable *head = tail->next;
    tail->next = head->next;
    if (head == tail) {
        q->tail = NULL;
    }
    return head;
}

/* As queue_push and queue_pop; it is not empty. */
static inline struct runnable *queue_rotate(struct queue *q, struct runnable *r)
{
    struct runnable *tail = q->tail, *head = tail->next;
    tail->next = r;
    r->next = head->next;
    q->tail = r;
    return head;
}

/* A list of waiting threads, by falling priority, then oldest first; NULL is
 * empty. Returns the link behind t: more that follow it can start there. */
struct thread **list_insert(struct thread **list, struct thread *t);
void list_remove(struct thread **list, struct thread *t);

/* Threads with a deadline, soonest first. */
void sleepers_insert(struct thread **list, struct thread *t);
void sleepers_remove(struct thread **list, struct thread *t);
