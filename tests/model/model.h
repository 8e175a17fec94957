/* SPDX-License-Identifier: BSL-1.0
 *
 * A model of capabilities and memory: what the kernel's system calls 1-14, 20,
 * 22, 32 and 33 must do, written to be read as a specification. It is the
 * answer book of tests/model/differential.c and shares nothing with kernel/core
 * but the numbers of <abi/abi.h>.
 *
 * - A capability knows its parent. Copying and making give it one; when a
 *   parent goes, its children become children of the grandparent. Revoking
 *   deletes children until there are none. No list, no fence.
 * - An object counts its capabilities. With the last one it dies: a CNode takes
 *   all in it along, a stretch all mappings and attachments.
 * - Untyped memory and ranges are intervals with a watermark.
 * - A huge frame is memory from which one stretch at a time is made. It is not
 *   copied; when it goes, its stretch goes first.
 * - Addresses: a table of the pages of each 2 MiB slot, and for each domain the
 *   rights it has to each slot. What a domain can do at an address is both.
 *
 * A slot is known by its physical address, which users can see too (they know
 * where their CNode lies). If several checks fail, which error is told is not
 * promised (docs/abi.md); the model fixes an order all the same, mostly that of
 * the arguments, so that no change of it goes unnoticed.
 *
 * Left open: revoking a capability that lies in a CNode which this revoke
 * destroys. The kernel stops when the capability is gone; what then is left
 * depends on the order of its steps. The model says so (model.open) and is of
 * no more use until the next model_boot. Not modelled: calls between the steps
 * of delete and revoke, dispatchers that run, calls, interrupts.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/abi.h>

#define MODEL_RAM     (1u << 22) /* bytes; where slots can lie */
#define MODEL_CAPS    4096u
#define MODEL_GIBS    4u /* the window of addresses: in each of these GiB */
#define MODEL_EACH    4u /* the first slots of 2 MiB */
#define MODEL_WINDOW  (MODEL_GIBS * MODEL_EACH)
#define MODEL_VA      0x4000000000ull
#define STRETCH_PAGES (STRETCH_BYTES / PAGE_BYTES)

/* How a check is written: refuse with this error if; or as that says. */
#define REFUSE_IF(claim, error)                                                \
    do {                                                                       \
        if (claim) {                                                           \
            return error;                                                      \
        }                                                                      \
    } while (0)
#define CHECK_BY(call)                                                         \
    do {                                                                       \
        enum abi_error said = (call);                                          \
        REFUSE_IF(said != ERR_OK, said);                                       \
    } while (0)

struct object {
    uint8_t type, log2, rank; /* rank: of a CNode */
    bool device;
    uint64_t at;          /* physical address; of a Range virtual; a number */
    uint32_t caps;        /* capabilities to it; events are to a dispatcher */
    struct object *bound; /* CNode, domain: the other; endpoint: dispatcher;
                             dispatcher: domain */
    /* domain */
    struct object *dispatcher;
    uint8_t *attached; /* rights to each slot of the window */
    /* stretch */
    bool huge; /* a huge frame fills it */
    /* dispatcher */
    uint64_t pages; /* where its pages were mapped */
    bool placed;    /* it is or was in a domain */
};

struct cap {
    uint8_t type, rights, depth;
    uint32_t index, children, rank_of_type; /* the last: in model.of_type */
    uint64_t word; /* badge, watermark, event bit, address of a mapping */
    struct object *object, *node; /* node and index: where it lies */
    struct cap *parent;
};

struct page {                        /* of the address space */
    const struct cap *frame;         /* what is mapped: a frame */
    const struct object *dispatcher; /* or a dispatcher's pages */
    uint8_t rights, part;            /* part: which page of it */
};

struct access { /* what a domain can do at a page */
    uint64_t address;
    uint8_t rights;
    bool device;
};

struct model {
    struct object *domain, *dispatcher; /* who calls */
    bool open;                          /* see above */
    uint64_t most; /* frames that one call may do: it stops at interrupts */
    /* all there is, for those who choose and compare */
    struct cap *of_type[TYPE_COUNT][MODEL_CAPS];
    uint32_t count[TYPE_COUNT], caps;
};
extern struct model model;

void model_boot(void);
/* At boot: a new object; a capability to one in a slot of `node`. */
struct object *model_object(uint32_t type, uint64_t at, uint32_t log2);
struct cap *model_give(struct object *node, uint32_t index, struct object *o);
void model_bind_cspace(struct object *domain, struct object *node);
void model_place(struct object *dispatcher, struct object *domain);

/* A system call of model.dispatcher: the error; results in x[1..3]. */
enum abi_error model_call(uint32_t nr, uint64_t *x);
/* A retype that was given up before its first object was complete. */
void model_retype_nothing(const uint64_t *x);

struct cap *model_slot(const struct object *node, uint32_t index);
uint32_t model_slots(const struct object *node);
struct cap *model_at(uint64_t slot); /* by its physical address */
struct access model_access(const struct object *domain, uint64_t va);
uint8_t model_attached(const struct object *domain, uint64_t va); /* rights */
uint64_t model_va(uint32_t slot); /* of the window */

/* ---- between the two files of the model -------------------------------- */

struct where {
    struct object *node;
    uint32_t index;
};

bool is_huge(const struct cap *c); /* a frame that fills a stretch */
enum abi_error cap_at(uint64_t cptr, struct where *out, struct cap **cap);
enum abi_error cap_find(uint64_t cptr, uint32_t type, uint64_t rights,
                        struct cap **out);
enum abi_error object_find(uint64_t cptr, uint32_t type, uint64_t rights,
                           struct object **out);
struct cap *cap_put(struct where at, uint32_t type, struct object *o);
void cap_set_parent(struct cap *c, struct cap *parent);
void memory_boot(void);
void memory_unmap(struct cap *frame);
void memory_unmap_pages(const struct object *dispatcher);
void memory_destroy(struct object *stretch);
enum abi_error memory_call(uint32_t nr, uint64_t *x);
