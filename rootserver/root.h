/* SPDX-License-Identifier: BSL-1.0
 *
 * The root server: it received all capabilities, and gives them away by
 * manifest. One thread, two ways in: schedule() (upcalls) and serve()
 * (protected calls); neither waits for anybody. Errors are positive errno
 * values.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/calls.h>
#include <vesper/frames.h>
#include <vesper/channel.h>
#include <vesper/root.h>
#include <vesper/scheduler.h>
#include <vesper/start.h>

#include "elf.h"
#include "manifest.h"

#define DOMAINS_MAX      128u
#define CHANNELS_MAX     128u
#define SERVICES_MAX     16u
#define BLOCK_LOG2       28u /* virtual addresses are given away in 256 MiB */
#define CHILD_SLOTS_LOG2 7u  /* of a CSpace, until it is full: one page */
#define CHILD_SLOTS_MAX  4096u
#define APP_QUOTA        (64ull << 20)
#define CHUNK_LOG2_MIN   14u /* memory is handed out in chunks from this */
#define CHUNK_LOG2_MAX   18u /* up to this */
#define APP_OPTIMISTIC   (16ull << 20)
#define APP_STACK        (512ull << 10)
#define SERVER_STACK     (64ull << 10)
#define APP_PRIORITY     100u
#define APP_WEIGHT       100u
#define APP_PARAMS                                                             \
    ((struct scheduler_params){.priority = APP_PRIORITY, .weight = APP_WEIGHT})

/* Slots of the root server's own. */
extern uint32_t slot_endpoint; /* on which everybody calls it */
extern uint32_t slot_chunk;    /* the memory of both */
#define SLOT_ROOT_ENDPOINT slot_endpoint

/* ---- log.c ------------------------------------------------------------- */

/* A line to the console (through its driver once that runs). */
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);
/* By option log_level: the boot story; every decision. */
#define say_info(...)                                                          \
    do {                                                                       \
        if (CONFIG_LOG_LEVEL >= 1) {                                           \
            say(__VA_ARGS__);                                                  \
        }                                                                      \
    } while (0)
#define say_debug(...)                                                         \
    do {                                                                       \
        if (CONFIG_LOG_LEVEL >= 2) {                                           \
            say(__VA_ARGS__);                                                  \
        }                                                                      \
    } while (0)
void log_text(const char *text, size_t n);
/* The console's driver starts, or ended: who owns the UART now. */
void log_release(void);
void log_acquire(void);
/* A device page went to a driver: the UART is not ours any more. */
void log_device_given(uint64_t address);
/* Map a page of a device for the root server itself; NULL: not to be had. */
volatile uint32_t *device_map(uint64_t address, uint64_t va);
void device_unmap(uint64_t address);

/* ---- memory.c: slots, untyped memory, virtual addresses ---------------- */

void memory_init(const struct boot_info *info);
uint32_t slot_take(void); /* of the root CNode; 0: none left */
void slot_give(uint32_t slot);
/* An UNTYPED of 2^log2 bytes, CHUNK_LOG2_MIN to _MAX or HUGE_FRAME_LOG2, all of
 * it free; 0: none left. */
uint32_t chunk_take(uint32_t log2);
void chunk_give(uint32_t slot);
/* Of the chunk in that root slot. Who has it may put it into a list. */
struct chunk {
    uint16_t next; /* root slot; 0: the last */
    uint8_t log2;
    bool optimistic; /* broker.c may take it back */
    uint16_t place;  /* address / smallest chunk; domain.c */
};
struct chunk *chunk_of(uint32_t slot);
/* A RANGE of 2^BLOCK_LOG2 bytes, the least recently used; 0: none left. */
uint32_t block_take(uint64_t *address);
void block_give(uint32_t slot, uint64_t address);
uint64_t memory_free_bytes(void);
/* Of the free bytes, those that are kept because they might be wanted again;
 * give some of them back. False: there are none. (image.c) */
extern uint64_t memory_kept_bytes;
bool memory_give_back(void);
uint64_t memory_total_bytes(void);
uint64_t memory_kernel_bytes(void);
uint32_t memory_slot_cpu(void);
uint32_t memory_slot_irq(void);
/* The frame of a device page; 0: no such device memory. */
uint32_t device_frame(uint64_t address);
/* Unmap the device pages that lie in [from, to) of the address space. */
void device_unmap_range(uint64_t from, uint64_t to);
/* How often chunks changed hands: what the ledger was read of, has not changed
 * if this has not. */
extern uint32_t memory_changes;
const struct boot_info *memory_boot(void);
/* What nobody has: can be given away; lies in pieces too small for that. */
void memory_ledger(uint64_t *free, uint64_t *small);

/* ---- domain.c ---------------------------------------------------------- */

enum domain_phase { DOMAIN_FREE, DOMAIN_LIVE, DOMAIN_ZOMBIE };

/* Places in the CNode of a domain's objects, which only the root server has. */
enum object_place {
    OBJECT_DOMAIN = 1,
    OBJECT_DISPATCHER,
    OBJECT_SCHED,
    OBJECT_EVENT_CHILD, /* these when they are first needed: domain_event */
    OBJECT_EVENT_SIGNAL,
    OBJECT_EVENT_ACCEPT,
    OBJECT_EVENT_REVOKE,
    OBJECT_EVENT_IRQ, /* only while an interrupt is bound */
    OBJECT_DOORBELL,  /* endpoint, if it provides a service */
    OBJECT_DEVICES,   /* the stretch of device pages, if it has any */
    OBJECT_STRETCH,   /* one for each slot of the image; then frames */
};

struct domain {
    enum domain_phase phase;
    uint32_t id, parent, signals;
    uint32_t scheduler; /* the domain on whose time it runs; 0: the root's */
    int32_t status;     /* of a zombie, as waitpid gives it */
    bool wait_reported;
    uint32_t index;   /* in the table; also the child index */
    uint8_t used;     /* in the list of those that are not free */
    int32_t manifest; /* index there, or -1 */
    int32_t origin;   /* whose needs hold: its own, or its ancestor's */
    uint64_t quota, memory_bytes;
    uint64_t handed; /* ticks of domains that it scheduled, and that ended */
    /* broker.c: of memory_bytes, beyond the quota; how much that may become;
     * to how much it is to shrink, and until when (ticks; 0: by no time); how
     * many chunks were taken by force. */
    uint64_t optimistic_bytes, optimistic, optimistic_goal, revoke_at;
    uint32_t forced;
    uint64_t unmade;         /* while it is loaded: bytes of chunks to come */
    uint32_t newest;         /* of its chunks; 0: it has none */
    uint32_t objects, cnode; /* root slots: its objects; its CSpace */
    uint32_t slots;          /* of its CSpace */
    uint32_t next_frame, frames_end;
    uint32_t block;
    struct image *image; /* whose code and addresses it has; NULL: its own */
    bool drives;         /* it has device pages */
    uint32_t pages;      /* of its dispatcher: offset from block_address */
    uint64_t block_address;
    uint64_t symbols; /* address of a struct symbol_table, or 0 */
    char name[32];
};

extern struct domain domains[DOMAINS_MAX];
struct domain *domain_find(uint32_t id);
struct load_request;
struct image_size {
    uint32_t slots;        /* of 2 MiB: places for stretches */
    uint32_t frames;       /* places for them */
    uint32_t ahead;        /* of them: pages before the first of 64 KiB */
    uint64_t bytes, whole; /* of pages and tables; of frames of 64 KiB */
    bool serves;           /* a doorbell is made for it */
};
/* All that a new domain needs but its memory image, for which it has room. The
 * image, if not NULL, is the domain's from now on; it goes if this fails.
 * EMLINK: there would be too many schedulers on top of each other. */
int domain_create(struct domain **out, const struct load_request *r,
                  const struct image_size *size, struct image *image);
/* All that an image needs but its memory, for which it has room. */
int domain_create_text(struct domain *text, uint64_t quota,
                       const struct image_size *size);
/* Everything it had comes back; its parent can fetch the status. */
void domain_end(struct domain *d, int status);
void domain_free(struct domain *d); /* the zombie goes */
/* One that could not be started: all of it goes, its image too. */
void domain_unload(struct domain *d);
/* Its memory, its objects and its addresses, if they are its own. */
void domain_release(struct domain *d);
/* The i-th of those that are not free, in no order; NULL: there are fewer. */
struct domain *domain_used(uint32_t i);
/* It could not even take its own fault: report and end it. (schedule.c) */
void domain_reap(struct domain *d);
/* Make objects from the domain's own memory. dst: any cptr. */
int domain_make(struct domain *d, cptr_t dst, uint32_t type, uint32_t log2,
                uint32_t count, uint32_t rank);
int domain_grow(struct domain *d, uint32_t log2);
/* ROOT_SLOTS, of a domain that waits for the answer. */
int domain_slots(struct domain *d, uint64_t w[8]);
/* The newest chunk is all used: the one before it is the next to be looked at.
 */
void domain_newest_used(struct domain *d);
/* The same with memory that is only lent. */
int domain_grow_optimistic(struct domain *d, uint32_t log2);
/* Make the stretch at place, for an address inside the domain's block. */
int domain_stretch(struct domain *d, uint32_t place, uint64_t va);
cptr_t domain_object(const struct domain *d, uint32_t place);
void domain_signal(struct domain *d, uint32_t signal);
/* Set that bit of the domain's; place: OBJECT_EVENT_x. */
void domain_event(const struct domain *d, uint32_t place);
/* Ticks that the domain had, exact up to the last system call; without those
 * that it gave to domains that it schedules. */
uint64_t domain_cpu_ticks(const struct domain *d);

/* ---- load.c ------------------------------------------------------------ */

struct load_request {
    const char *name;
    const void *file; /* NULL: it must have been kept */
    uint64_t file_bytes;
    uint32_t owner; /* image.h; 0: of the boot archive */
    uint64_t key;   /* 0: it is not to be kept */
    uint32_t parent;
    uint32_t scheduler; /* 0: the root server, with params */
    struct scheduler_params params;
    int32_t manifest; /* index, or -1 */
    int32_t origin;   /* of the parent */
    uint64_t quota, optimistic;
    uint64_t stack_bytes; /* of the first stack, whole pages */
    uint32_t argc, envc, fd_count;
    const char *strings; /* argv, then envp */
    uint32_t strings_bytes;
    const char *cwd;
    struct start_fd fd[START_FDS];
};

/* Make a domain of an ELF file and start it. The file may be hostile. ESTALE:
 * there is none, and the program is not kept. */
int load(const struct load_request *r, struct domain **out);
/* load() was left by a fault on the file's memory (guarded): what it had begun
 * goes. Does nothing otherwise. */
void load_abort(void);

/* ---- service.c: names and channels ------------------------------------- */

int service_connect(struct domain *client, uint64_t w[8]);
int service_accept(struct domain *server, uint64_t w[8]);
int service_closed(struct domain *server, uint64_t w[8]);
void service_domain_ended(struct domain *d);
/* Services that the manifest says a domain provides exist from its start. */
void service_provide(struct domain *server, const char *name);
int service_list(uint64_t w[8]);
int service_channels(uint64_t w[8]);
/* Of the n-th channel or link in use; NULL: there are fewer. (shared.h) */
struct shared;
const struct shared *service_memory(uint64_t n);
/* The root server's own channel to the console. NULL: there is none. */
struct channel_page *service_console(cptr_t *event);
/* A channel's data area, in memory in one piece, which the DMA broker may read
 * from now on. ESRCH; EACCES: it is the broker's own; EIO */
struct channel_data {
    uint64_t physical, address;
    uint32_t bytes, client, server;
};
int service_show(uint32_t id, const struct domain *broker,
                 struct channel_data *out);
/* dma_holds() no more: give it away, if it was to be. */
void service_let_go(uint32_t id);
/* The client of a channel that this server has accepted; 0: it is none. */
uint32_t service_client(uint64_t id, const struct domain *server);
/* The first service that it provides, or NULL. */
const char *service_of(const struct domain *server);
/* Who provides that, if the client may connect to it. ENOENT, EACCES */
int service_provider(const struct domain *client, const uint64_t name[2],
                     uint32_t *server);

/* ---- link.c: memory that two clients of a server share ------------------- */

/* ROOT_LINK_x */
int link_make(const struct domain *server, uint64_t w[8]);
int link_free(const struct domain *server, const uint64_t w[8]);
int link_allow(const struct domain *server, const uint64_t w[8]);
int link_open(const struct domain *d, uint64_t w[8]);
int link_leave(const struct domain *d, const uint64_t w[8]);
void link_domain_ended(const struct domain *d);
/* As service_channels and service_memory, of the n-th link. */
int link_row(uint64_t n, uint64_t w[8]);
const struct shared *link_memory(uint64_t n);

/* ---- dma.c: no engine works in memory that is given away ---------------- */

/* Is a transfer under way in that channel? */
bool dma_holds(uint32_t channel);
/* Is it, or may the server not be connected to because of one? */
bool dma_delays(uint32_t channel, const struct domain *server);
/* ROOT_DMA_x */
int dma_begin(const struct domain *broker, uint64_t w[8]);
int dma_end(const struct domain *broker);
int dma_lend(const struct domain *server, const uint64_t w[8]);
/* Before anything that it had is given back. */
void dma_domain_ended(const struct domain *d);

/* ---- broker.c: memory that is lent, and comes back ---------------------- */

/* May the domain get so much now, and guarantees still be kept? */
bool broker_may_grow(const struct domain *d, uint64_t bytes, bool optimistic);
/* Memory changed hands: ask for some back if it runs short. */
void broker_pressure(void);
/* Take a chunk from who has most of what is lent; false: nothing is lent. */
bool broker_take(void);
/* Take from those whose time is over at t; when the next one's is, or ~0. */
uint64_t broker_run(uint64_t t);
int broker_reclaim(uint64_t w[8]);
int broker_demand(const struct domain *d, uint64_t w[8]);
int broker_return(struct domain *d, const uint64_t w[8]);
int broker_contract(uint64_t w[8]);

/* ---- system.c: what the manifest says ---------------------------------- */

extern struct manifest manifest;
void system_start(const struct boot_info *info);
bool system_may_connect(const struct domain *client, const char *service);
/* A domain of the manifest ended: start it again if it says so. */
void system_ended(int32_t index, int status);
int system_file(const char *name, const void **data, uint64_t *bytes);
int system_devices(struct domain *d, int32_t index, struct start_info *info);
/* Does the manifest give it the device at this address? */
bool system_has_device(const struct domain *d, uint64_t address);
extern int64_t wall_epoch_ns;
_Noreturn void system_power(bool reboot);

/* ---- ledger.c, caps.c: a look at what everybody has --------------------- */

int ledger_row(uint64_t w[8]);
int caps_next(uint64_t w[8]);
int caps_declared(uint64_t w[8]);
int caps_origin(uint64_t w[8]);

/* ---- trace.c ----------------------------------------------------------- */

/* Only while it is on: a domain is there; the scheduler gives the core to that
 * child of its table (SCHED_NONE: to nobody); it came back at `when`. */
extern bool trace_on;
void trace_named(const struct domain *d);
void trace_begins(uint32_t child, const struct scheduler_table *t);
void trace_ended(uint32_t reasons, uint64_t when);
int trace_operate(uint64_t w[8]);
/* The slots of its memory, CNode and how many. */
uint32_t trace_memory(uint32_t *objects, uint32_t *places);

/* ---- names.c ----------------------------------------------------------- */

int names_variable(uint64_t w[8]); /* as ROOT_VARIABLE says */

/* ---- stolen.c ---------------------------------------------------------- */

void stolen_init(void);
/* Let it read what was stolen from it: the address, or 0. */
uint64_t stolen_lend(const struct domain *d);
/* A child (SCHED_NONE: none) that ran has not the CPU since then; it has it
 * again, and could have had it since `woken`. */
void stolen_from(uint32_t child, uint64_t when);
void stolen_until(uint32_t child, uint64_t woken, uint64_t when);
/* The counter at `when`, without what was stolen: of one that waits, too. */
uint64_t stolen_clock(uint32_t child, uint64_t woken, uint64_t when);
/* The slots of its memory. */
void stolen_slots(uint32_t slots[2]);

/* ---- schedule.c, account.c, threads.c, serve.c -------------------------- */

/* Policy of serve(): protection, but no users. Every domain may end or signal
 * every other one, servers too (kill and Ctrl-C rest on it), set the wall
 * clock, power off, trace, and read who has what (list of domains, ledger,
 * capabilities). A manifest that shall forbid
 * it needs a word for it, and a look at d->manifest in serve.c. Limits are by
 * domain: memory by its quota, CLIENT_CHANNELS_MAX channels, text by what the
 * console's ring takes (ROOT_LOG never waits: the rest is dropped). Domains and
 * channels together are bounded by DOMAINS_MAX and CHANNELS_MAX; a server that
 * ended finds room again, because its own was given back just before. */

_Noreturn void schedule(void);
void schedule_init(const struct scheduler_policy *policy);
/* A domain starts or ends, whoever schedules it. */
void schedule_add(const struct domain *d,
                  const struct scheduler_params *params);
void schedule_remove(const struct domain *d);
/* The choice is made anew as soon as the call is over. */
void schedule_again(void);
/* At the end of a call: who woke when it began is looked at now, not when the
 * caller's slice ends. */
void schedule_after_call(void);
uint32_t schedule_priority(const struct domain *d);
/* stolen_clock; calls: it does so now, and so runs. */
uint64_t schedule_clock(const struct domain *d, bool calls, uint64_t when);
/* ~0 if it is more than any parameter may be. */
uint64_t schedule_ticks(uint64_t ns);
/* ROOT_SCHED_x; ROOT_ACCOUNT in account.c, ROOT_THREADS in threads.c. */
int schedule_policy(uint64_t w[8]);
int schedule_params(uint64_t w[8]);
int schedule_change(uint64_t w[8]);
void account_init(void);
int account_row(uint64_t w[8]);
int threads_operate(const struct domain *caller, uint64_t w[8]);
/* Its time stays in the sums. */
void account_ended(const struct domain *d);
uint64_t now(void);
uint64_t ticks_to_ns(uint64_t ticks);
const struct identity_page *identity(void);
void serve(uint64_t w[8], uint64_t badge, uint64_t loan);
/* Run f so that a fault on [low, high) makes it fail with EFAULT. */
int guarded(int (*f)(void *), void *context, uint64_t low, uint64_t high);
