/* SPDX-License-Identifier: BSL-1.0
 *
 * Circular lists of objects.
 */
#include "list.h"

static struct node *node_of(enum list kind, ref_t member)
{
    switch (kind) {
    case LIST_DOMAINS:
        return &domain_at(member)->all;
    case LIST_BOUND:
        return &endpoint_at(member)->bound;
    case LIST_READY:
        return &endpoint_at(member)->ready;
    case LIST_WAITERS:
    default:
        return &dispatcher_at(member)->wait;
    }
}

void list_append(enum list kind, ref_t *head, ref_t member)
{
    struct node *n = node_of(kind, member);
    if (*head == 0) {
        n->next = n->prev = member;
        *head = member;
        return;
    }
    struct node *first = node_of(kind, *head);
    n->next = *head;
    n->prev = first->prev;
    node_of(kind, first->prev)->next = member;
    first->prev = member;
}

void list_remove(enum list kind, ref_t *head, ref_t member)
{
    struct node *n = node_of(kind, member);
    if (n->next == 0) {
        return;
    }
    node_of(kind, n->next)->prev = n->prev;
    node_of(kind, n->prev)->next = n->next;
    if (*head == member) {
        *head = n->next == member ? 0 : n->next;
    }
    n->next = n->prev = 0;
}
