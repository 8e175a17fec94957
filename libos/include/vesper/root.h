/* SPDX-License-Identifier: BSL-1.0
 *
 * The root server's protocol: protected calls on SLOT_ROOT. Message words
 * w0..w7; w0 is the operation, in the answer 0 or a positive errno. All are
 * short; what takes time is announced by an event (start.h) and fetched here.
 */
#pragma once

#include <stdint.h>

enum root_op {
    ROOT_EXIT = 1, /* w1 status as waitpid gives it. Does not return. */
    ROOT_SPAWN,    /* w1 address of struct spawn_request, w2 bytes of it;
                      the stretch that holds it is lent to READ. -> w1 pid.
                      EMLINK: too many nested schedulers; ESTALE: of `key`,
                      nothing is kept */
    ROOT_WAIT,     /* w1 pid or -1 -> w1 pid, w2 status; w1 0: none ended yet;
                      ECHILD: no such child */
    ROOT_KILL,     /* w1 pid, w2 signal. SIGKILL destroys; 0 only checks. */
    ROOT_SIGNALS,  /* -> w1 mask of signals that came since the last time */
    ROOT_CONNECT,  /* w1,w2 service name; w3 pages 2..56; w4 event bit that the
                      server sets; w5 empty slot for the event capability that
                      wakes the server; w6 another for its doorbell, an
                      endpoint, or 0 -> w1 channel address, w2 bytes.
                      A channel of the caller with the same bit and pages whose
                      server is gone is used again, at its address: whoever
                      still has a pointer into it does not fault.
                      ENOENT: nobody provides it; EACCES: manifest forbids */
    ROOT_ACCEPT,   /* server. w1 empty slot for the event capability that wakes
                      the client -> w1 channel address (0: no more), w2 bytes,
                      w3 client's domain id, w4 channel id */
    ROOT_CLOSED,   /* server. -> w1 id of a channel whose client is gone (0: no
                      more): it is already unmapped; drop its state. */
    ROOT_MEMORY,   /* w1 log2 bytes 16..18 or 21, w2 empty slot: place an
                      UNTYPED there; w3 1: optimistic memory, which the root
                      server may take back (ROOT_DEMAND), 0: of the quota.
                      ENOMEM: used up */
    ROOT_DOMAINS,  /* w1 index -> w1 id | parent << 32, w2 state | priority <<
                      32,  w3 memory bytes, w4 CPU ns, w5..w7 name; ENOENT: past
                      end */
    ROOT_USAGE,    /* -> w1 total, w2 kernel, w3 used, w4 free bytes */
    ROOT_POWER,    /* w1 0 power off, 1 reboot. Does not return. */
    ROOT_WALL,     /* w1 new wall_epoch_ns or INT64_MIN -> w1 present one */
    ROOT_LOG,      /* w1 length <= 48, w2..w7 text: to the console's log */
    ROOT_CRASH,    /* w1 signal: end as if killed by it. Does not return. */

    /* To look at the system; see vesper/authority.h. ENOENT: past the end. */
    ROOT_LEDGER,   /* w1 row -> w1 next row | changes << 32: how often memory
                      changed hands; w2 enum ledger_owner | id << 32. REGION: w3
                      enum boot_region_kind, w4 address, w5 bytes. Others:
                      w3..w7 bytes by enum ledger_type, two in a word */
    ROOT_CAPS,     /* w1 domain (0: the root server); w2 slot | table << 32, 0
                      its CSpace, 1 what the root server keeps for it -> w1
                      where to go on, 0: at the end; w2 slot, 0: none found
                      yet; w3..w5 as cap_identify; w6 whose memory, dispatcher
                      or addresses: enum ledger_owner | id << 32 */
    ROOT_CHANNELS, /* w1 index -> w1 id | client << 32, w2 server | client's bit
                      << 32, w3 address, w4 bytes, w5, w6 service */
    ROOT_SERVICES, /* w1 index -> w1 domain that provides it, 0: none runs;
                      w2, w3 service */
    ROOT_DECLARED, /* w1 index -> w1 enum fact_kind | domain of the manifest <<
                      16 | line << 32, w2 value, w3 bytes, w4..w7 text */
    ROOT_ORIGIN,   /* w1 domain -> w1 its index in the manifest + 1, 0: it is a
                      program; w2 whose needs hold for it + 1; w3 its first
                      address, w4 bytes of addresses */

    /* To schedule domains; see vesper/scheduler.h and vesper/system.h. */
    ROOT_SCHED_POLICY, /* w1, w2 name of the policy to go on with, w1 0: none ->
                          w1, w2 name of the present one. EINVAL: unknown */
    ROOT_SCHED_PARAMS, /* w1 domain -> w2 priority | weight << 32, w3 period
                          ns, w4 budget ns, w5 slack | late << 32. ESRCH */
    ROOT_SCHED_CHANGE, /* w1 domain, w2..w5 the same -> w1 enum
                          scheduler_refusal |
                          millionths of the CPU left << 32. EINVAL: refused;
                          EPERM, as above: another domain schedules it */

    ROOT_REAP, /* w1 a domain that the caller schedules and that is
                  CHILD_STOPPED: it is reported and ended. ESRCH: it is none of
                  the caller's */

    ROOT_ACCOUNT, /* w1 0: takes a snapshot -> w1 its number, w2 ticks since the
                     root server began; of them: w3 idle, w4 root server, w5
                     domains that ended; w6 ticks a second.
                     w1 number | row << 32, rows from 1 -> w2 domain, w3 ticks;
                     w4..w7 name. ENOENT: past the end; ESTALE: other number.
                     All rows and w3..w5 add up to w2. */

    /* Optimistic memory, chunk by chunk as ROOT_MEMORY gave it. */
    ROOT_RECLAIM,  /* w1 domain, w2 bytes that it shall give back and not get
                      again, w3 ns until they are taken. ESRCH, EINVAL */
    ROOT_DEMAND,   /* -> w1 bytes that the caller is to give back, w2 chunks
                      that were taken from it by force since its start, w3
                      counter at which more are */
    ROOT_RETURN,   /* w1 slot of the UNTYPED of such a chunk: it goes, with all
                      that was made of it. EINVAL: it is none */
    ROOT_CONTRACT, /* w1 domain -> w1 1: w2 is guaranteed, 0: a limit; w2 bytes,
                      w3 of them in use; w4 optimistic bytes at most, w5 in use,
                      w6 chunks taken by force. ESRCH */

    ROOT_TRACE, /* w1 enum trace_operation (vesper/trace.h). EINVAL: none of it.
                   STATUS -> w1..w5 struct trace_status. READ: w2 number of a
                   record -> w1..w4 struct trace_record. ESTALE: overwritten;
                   ENOENT: there is none yet. START: ENOMEM */

    ROOT_THREADS, /* w1 domain; w2 0: takes a snapshot of what its libos says of
                     its threads (vesper/accounts.h) -> w2 where to begin, w3
                     ticks that the domain had. ESRCH.
                     w2 where to go on -> the same; w3 ticks, w4 id, 0: all that
                     ended, w5, w6 name, maybe without a NUL. ENOENT: past the
                     end; ESTALE: of another snapshot */

    ROOT_VARIABLE, /* w1 an address in a domain's image -> w1 how far it lies in
                      w2..w7, the name of a variable, cut to 47 characters.
                      ESRCH: no domain's; ENOENT: in none that has a name */

    /* DMA; see vesper/dma.h. The first two are for the domain alone that has
     * the controller: EPERM. */
    ROOT_DMA_BEGIN, /* w1 channel, w2 domain that asks for a transfer -> of the
                       channel's data area: w1 physical address, w2 address, w3
                       bytes; w4 client | server << 32; w5 domain that its
                       server lent a part of it to, 0: none, w6 offset | bytes
                       << 32 of the part. Until ROOT_DMA_END the memory stays
                       what it is, whoever ends. EBUSY: there is one already;
                       ESRCH: no such channel, or nobody asks any more;
                       EACCES: a channel of the caller's own */
    ROOT_DMA_END,   /* No engine works there any more. What was lent of the
                       channel is not any more */
    ROOT_DMA_LEND,  /* server. w1 channel of one of its clients; w2, w3 service;
                       w4 offset in its data area, w5 bytes, 0: nothing any
                       more: who provides the service may have one transfer
                       done there. ENOENT, EACCES: as for ROOT_CONNECT; EINVAL
                       */

    ROOT_SLOTS, /* The caller's CNode becomes twice as large, of memory of its
                   quota; what lies in it stays in its slot -> w1 slots.
                   ENOMEM: also if it has 4,096 */

    /* Links: memory that two clients of a server share with each other and
     * with it, and events between them. Laid out as a channel's: the first page
     * begins as struct channel_page, whose magic goes when the server does. */
    ROOT_LINK_MAKE,  /* server. w1 pages 2..56 -> w1 address, w2 bytes, w3 id.
                        EACCES: it provides no service; ENFILE; ENOMEM */
    ROOT_LINK_FREE,  /* server. w1 id: it is nobody's any more. ESRCH */
    ROOT_LINK_ALLOW, /* server. w1 id, w2 end 0 or 1, w3 channel of the client
                        that may open it now, 0: nobody. Who had that end loses
                        it, and the other end is woken. ESRCH: no link of the
                        caller's, or no channel; EINVAL */
    ROOT_LINK_OPEN,  /* w1 id, w2 end, w3 empty slot for the event that wakes
                        the other end, empty until that is open; w4 own event
                        bit that the other end sets -> w1 address, w2 bytes.
                        EACCES: not allowed to; EBUSY: it has it; EINVAL:
                        the slot; ENOMEM */
    ROOT_LINK_LEAVE, /* w1 id, w2 end that the caller opened: it sees it no
                        more. ESRCH: it has not; EINVAL */
};

enum ledger_owner {
    LEDGER_NOBODY,
    LEDGER_BOARD,   /* w3 all RAM of the board: what the rows add up to */
    LEDGER_REGION,  /* what boot took, or is not there for the ARM cores */
    LEDGER_FREE,    /* w3 can be given away, w4 in pieces too small for that */
    LEDGER_ROOT,    /* what the root server made for itself after boot */
    LEDGER_DOMAIN,  /* id: of the domain */
    LEDGER_CHANNEL, /* id: of the channel */
};

/* What the memory of an owner has become. Together: all that it was given. */
enum ledger_type {
    LEDGER_CNODE,
    LEDGER_MAPPED,   /* frames that are mapped */
    LEDGER_UNMAPPED, /* frames that are not */
    LEDGER_TABLE,    /* stretches: third-level tables */
    LEDGER_SPACE,    /* domain object: first and second level tables */
    LEDGER_DISPATCHER,
    LEDGER_SMALL,   /* scheduling contexts, endpoints */
    LEDGER_UNTYPED, /* in the domain's hands, not used yet */
    LEDGER_RESERVE, /* in the root server's hands, not used yet */
    LEDGER_GAP,     /* below a watermark, and no object that can be seen */
    LEDGER_TYPES,
};

/* What the manifest says of a domain; the first fact of each is its name. */
enum fact_kind {
    FACT_DOMAIN = 1, /* name; value: id of the running domain, 0: none */
    FACT_FILE,
    FACT_MEMORY,
    FACT_DEVICE,
    FACT_IRQ,
    FACT_PROVIDES,
    FACT_NEEDS,
    FACT_STDIO,
};

#define SPAWN_MAGIC 0x4e575053u
#define SPAWN_FDS   16
/* Flag: the caller's dispatcher gives the new domain its CPU time, by run()
 * with the index pid % SPAWN_CHILDREN. When the caller ends, the root server
 * does. */
#define SPAWN_NESTED   1u
#define SPAWN_CHILDREN 128u

/* All offsets count from the start of the request; it lies in one stretch. The
 * program is an ELF file's content, or, if image_bytes is 0, the file of the
 * boot archive that `path` names (after /boot/).
 *
 * key: a number by which the caller knows these bytes, or 0. After a program
 * with a key has ended, the root server may keep it, until it needs the memory
 * or the caller ends: the caller can start it again by the key alone, with an
 * image_bytes of 0, unless the answer is ESTALE. Nobody else can. Bytes that
 * come with a key that is kept are not looked at. */
struct spawn_request {
    uint32_t magic, argc, envc, fd_count;
    uint32_t strings, strings_bytes; /* path, argv..., envp..., NUL ended */
    uint64_t image, image_bytes;
    uint32_t flags, unused;
    uint64_t key;
    char cwd[256];
    struct start_fd_request {
        int32_t fd;
        uint32_t flags;
        uint64_t handle;
        char service[16];
    } fd[SPAWN_FDS];
};
