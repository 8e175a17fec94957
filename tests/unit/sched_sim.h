/* SPDX-License-Identifier: BSL-1.0 */
/*
 * sched_sim.h - a machine for schedulers: children that spin or have periodic
 * jobs, a clock, and the kernel's rule of who takes the CPU from whom.
 *
 * The rule is that of docs/abi.md: a child that wakes takes the CPU if the
 * urgency with which it ran last is higher than that of the one that runs.
 */
#pragma once

#include <stdbool.h>

#include <vesper/scheduler.h>

#define SIM_HZ 1000000u /* a tick is a microsecond */
#define SIM_MS 1000u

struct sim_child {
    uint64_t period; /* 0: spins for ever */
    uint64_t work;   /* of each job */
    uint64_t offset; /* of the first release */
    bool irregular;  /* period and work of each job are up to that, drawn */
    /* measured: */
    uint64_t had; /* ticks of CPU */
    uint32_t done, missed;
    /* the model's own: */
    uint64_t release, rest;
};

struct sim {
    struct scheduler_table table;
    struct sim_child child[SCHED_CHILDREN_MAX];
    uint64_t now, idle;
};

void sim_init(struct sim *s, const struct scheduler_policy *policy);
/* A child with these params appears; its behaviour is filled in already. */
void sim_add(struct sim *s, uint32_t i, struct scheduler_params params);
/* Let time pass. */
void sim_run(struct sim *s, uint64_t ticks);
