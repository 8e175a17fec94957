/* SPDX-License-Identifier: BSL-1.0 */
/*
 * posix_fake.h - what libos/posix stands on, made of nothing: channels to a
 * small file service and to a console, one thread, a root server that notes
 * what it is asked. A test says beforehand what shall go wrong.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vesper/root.h>

/* What shall go wrong; all zero: nothing. */
struct fake_trouble {
    bool lies;        /* the service moves more bytes than it was asked for */
    bool bad_entries; /* directory entries do not fit into themselves */
    bool dead;        /* the server has died; comes back when dialled */
    bool gone;        /* and does not come back */
    int interrupts;   /* so many requests are interrupted by a signal */
    int spawn_error;  /* the root server's answer to ROOT_SPAWN */
};

extern struct fake_trouble fake_trouble;

/* What is to be seen from outside. */
extern int fake_last_signal;   /* that posix_signal_cause was told */
extern int fake_held;          /* posix_signal_hold, nested */
extern bool fake_restarts;     /* what posix_signal_restarts says */
extern char fake_console[256]; /* what was written to the terminal */
extern uint64_t fake_dials;    /* channels connected, anew or not */

extern uint64_t fake_stamp; /* of every file's contents; 0: none has one */
extern uint64_t fake_kept;  /* key of the program that the root server keeps */

/* The latest ROOT_SPAWN, copied, and how many there were. */
extern unsigned fake_spawns;
extern struct spawn_request fake_spawn;
extern uint8_t fake_spawn_bytes[0x200000];
extern size_t fake_spawn_used;

/* Empty the card, forget everything; handles in use end. */
void fake_reset(void);
/* Files of the card. A directory's size is SIZE_MAX. */
void fake_add(const char *path, const void *data, size_t bytes);
#define FAKE_DIRECTORY SIZE_MAX
const void *fake_find(const char *path, size_t *bytes);

/* How many are in use: open handles of the service, grants not taken back,
 * pieces of the data area, memory runs. */
unsigned fake_handles(void);
unsigned fake_grants(void);
extern uint64_t fake_granted_to; /* the service was told of this child */
unsigned fake_pieces(void);
unsigned fake_runs(void);
