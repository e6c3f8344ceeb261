// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What userspace decides. Constants are set before loading, so that the
 * verifier drops the branches that are not taken; variables may change while
 * the programs run.
 */
#ifndef SIGTRACE_CONFIG_H
#define SIGTRACE_CONFIG_H

#include "kernel_types.h"
#include "event.h"

#define MAX_TARGET_LEVELS 8

/* Bit n-1 stands for signal n. */
volatile const u64 config_signals = ~0ULL;
volatile const u32 config_all = 0;   /* routine signals too */
volatile const u32 config_exits = 0; /* every exit, not only those that a verdict may rest on */
volatile const u32 config_target_pid = 0;     /* host tgid; 0: none */
volatile const u64 config_target_start = 0;   /* when it started: ticks (USER_HZ) since boot */
volatile const u32 config_target_cgroups = 0; /* filter on cgroups */
volatile const u32 config_memory_v1 = 0;      /* containers live in v1's memory */
volatile const u32 config_keep = 0;	      /* keep deaths until they are written */
/* Raised each time that pinned programs are exchanged: for a while both emit the
 * same events. */
volatile const u32 config_generation;
volatile const u32 config_page_size = 4096;
/* The routine lane wakes its reader only once so many bytes wait in it. */
volatile const u32 config_wakeup_bytes = 1 << 20;

/* What an event costs of its container's, unit's or user's budget; 0: nothing. */
volatile const u64 config_event_cost_ns = 0;

/* The level at which units, users' slices and containers lie, but for those below
 * the cgroups (of the first level) that userspace names here, by hierarchy. */
#define UNIT_LEVEL 2
#define UNIT_ROOTS 8
volatile u64 unit_roots[HIERARCHIES][UNIT_ROOTS];
volatile u32 unit_root_levels[HIERARCHIES][UNIT_ROOTS];

/* Set for each tgid (modulo) that may be in the map kin, and never cleared: one
 * load instead of a lookup for nearly every signal that is dropped. A byte each:
 * setting a bit would take an atomic OR, which BPF has from 5.12 on. */
#define KIN_SLOTS 4096
volatile u8 kin_slots[KIN_SLOTS];

/* Levels (depths) at which target cgroups lie, by hierarchy. */
volatile u32 target_level_count[HIERARCHIES];
volatile u32 target_levels[HIERARCHIES][MAX_TARGET_LEVELS];
/* Raised whenever the targets change: remembered answers are void then. */
volatile u32 target_generation = 1;
/* Raised by userspace when it has forgotten processes. */
volatile u32 describe_epoch = 1;
/* Raised whenever a process with children exits: parents may have changed. */
volatile u32 reparent_generation = 0;

#endif
