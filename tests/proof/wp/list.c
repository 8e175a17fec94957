/* SPDX-License-Identifier: BSL-1.0
 *
 * Lists: a member goes in between the last one and the first, or out, and its
 * neighbours become each other's; nothing else changes. Objects are elements
 * of arrays here, references their indices.
 */
#include "core.h"

enum { OBJECTS = 1 << 20 };

/* Each kind of list has a node of its own in an object. */
static struct object {
    struct node all, bound, ready, wait;
} object[OBJECTS];

#define domain_at(ref)     (&object[ref])
#define endpoint_at(ref)   (&object[ref])
#define dispatcher_at(ref) (&object[ref])

#include "list.h"

#define KIND         LIST_WAITERS
#define NODE(member) (&object[member].wait)

/*@ predicate apart(ref_t *head) =
      \separated(head, &object[0 .. OBJECTS - 1]);
*/

/*@ requires member < OBJECTS && kind == KIND;
    assigns \nothing;
    ensures \result == NODE(member) && \valid(\result);
*/
static struct node *node_of(enum list kind, ref_t member);

/*@ requires member != 0 && member < OBJECTS && *head < OBJECTS;
    requires \valid(head) && apart(head) && kind == KIND;
    requires *head != 0 ==>
      NODE(*head)->prev < OBJECTS && member != *head &&
      member != NODE(*head)->prev;
    assigns *head, *NODE(member), NODE(*head)->prev,
            NODE(NODE(*head)->prev)->next;

    behavior first:
      assumes *head == 0;
      ensures *head == member && NODE(member)->next == member &&
              NODE(member)->prev == member;

    behavior more:
      assumes *head != 0;
      ensures *head == \old(*head);
      ensures NODE(member)->next == *head;
      ensures NODE(*head)->prev == member;
      ensures NODE(member)->prev ==
              \old(NODE(*head)->prev);
      ensures NODE(\old(NODE(*head)->prev))->next == member;
*/
void list_append(enum list kind, ref_t *head, ref_t member);

/*@ requires member != 0 && member < OBJECTS;
    requires \valid(head) && apart(head) && kind == KIND;
    requires NODE(member)->next < OBJECTS &&
             NODE(member)->prev < OBJECTS;
    requires NODE(member)->next == member <==>
             NODE(member)->prev == member;
    assigns *head, *NODE(member),
            NODE(NODE(member)->next)->prev,
            NODE(NODE(member)->prev)->next;

    behavior none:
      assumes NODE(member)->next == 0;
      assigns \nothing;

    behavior last:
      assumes NODE(member)->next == member;
      ensures \old(*head) == member ==> *head == 0;
      ensures NODE(member)->next == 0;

    behavior more:
      assumes NODE(member)->next != 0 &&
              NODE(member)->next != member;
      ensures \old(*head) == member ==>
              *head == \old(NODE(member)->next);
      ensures \old(*head) != member ==> *head == \old(*head);
      ensures NODE(member)->next == 0 &&
              NODE(member)->prev == 0;
      ensures NODE(\old(NODE(member)->next))->prev ==
              \old(NODE(member)->prev);
      ensures NODE(\old(NODE(member)->prev))->next ==
              \old(NODE(member)->next);
*/
void list_remove(enum list kind, ref_t *head, ref_t member);

#include "kernel/core/list.c"
