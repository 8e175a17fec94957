/* SPDX-License-Identifier: BSL-1.0
 *
 * The file server on the host, whole but for its loop and its block client:
 * requests go in as server_run would hand them out, completions are collected,
 * the card is an array in memory, and the root server's list of domains is the
 * test's own.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <vesper/channel.h>
#include <vesper/pipe.h>
#include <vesper/system.h>

#define OWN     (~UINT64_C(0)) /* offset: the handle's own */
#define ANSWERS 64

extern const struct server_ops *server; /* the server's */

struct client {
    struct server_client c; /* first */
    uint32_t next_id;
    _Alignas(8) char data[65536];
    struct {
        bool came;
        int error;
        uint64_t value[3];
    } answers[ANSWERS];
};

/* What the outside does to the server. */
extern int card_error; /* what the block service answers */
extern bool card_protected;
extern char log_text[4096]; /* what it has logged */
extern uint64_t clock_ticks;

/* Put a FAT16 file system on the card, made by mkfs.fat. */
bool card_format(void);
/* Does its FAT say that it was not closed? */
bool card_in_use(void);

/* What the root server knows of links. */
#define LINKS 40u
struct link {
    struct pipe_ring *ring; /* NULL: not in use */
    uint64_t allowed[2];    /* channel that may open an end */
    unsigned told[2];       /* how often each end was woken */
};
struct link *link_of(uint64_t id);
extern unsigned links_used;
extern int link_error; /* what ROOT_LINK_MAKE answers */

struct sys_domain *domain_add(uint32_t id, uint32_t parent);
/* The server's deadline passes. */
void time_pass(void);

/* One line of TAP; require: only if it fails. */
void check(int good, const char *what);
void require(int good, const char *what);
/* The plan; the exit status. */
int check_end(void);

void client_start(struct client *own, uint32_t domain);
/* Submit with data at `offset` of the client's; returns the id. */
uint32_t submit(struct client *own, struct channel_request r, uint32_t offset,
                uint32_t bytes);
bool came(struct client *own, uint32_t id);

/* Requests that are answered at once: the error; -1: it was not answered. */
int call(struct client *own, struct channel_request r, uint32_t bytes,
         uint64_t *value);
int call_path(struct client *own, uint32_t op, const char *path, uint64_t arg,
              uint64_t *value);
int call_open(struct client *own, const char *path, int flags,
              uint64_t *handle);
int call_handle(struct client *own, uint32_t op, uint64_t handle, uint64_t arg,
                uint64_t *value);
/* -2: not all of the text was written; not this text was read. */
int call_write(struct client *own, uint64_t handle, const char *text);
int call_read(struct client *own, uint64_t handle, uint64_t offset,
              const char *text);

/* files_direct.c */
void direct_tests(void);

/* files_test.c: called in place of the server's loop. */
int tests_run(void);
