// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * How much each container, systemd unit or user may emit: what decides for one never
 * waits behind the flood of another. Beyond its budget its own events are counted
 * in its name instead of emitted. A part of the budget is kept for what alone cannot
 * be lost (importance_of()), so that a container's flood does not hide its own end
 * either. OOM kills take none: the kernel is too slow at them to make a flood.
 *
 * A budget is one time, as in the generic cell rate algorithm: until when what was
 * emitted has been paid for. Two CPUs may write it at once; then an event is free.
 */
#ifndef SIGTRACE_BUDGET_H
#define SIGTRACE_BUDGET_H

#include "kernel_types.h"
#include <bpf_helpers.h>
#include <bpf_core_read.h>
#include "compat.h"
#include "config.h"
#include "event.h"
#include "maps.h"
#include "task.h"

/* A death costs userspace more than any other event: two descriptions, a record, a
 * file. */
#define FATAL_COST 10

/* How far ahead of time what is emitted may be. At 1 ms for an event, and FATAL_COST
 * times that for a death, ORDINARY is 2000 events or 200 deaths at once. FOREIGN is
 * where others send what decides nothing yet. LIVED and INIT are for ends that no
 * flood is made of for long: those of processes that lived for more than a second,
 * and of PID namespaces' inits. */
#define AHEAD_FOREIGN_NS 1000000000ULL
#define AHEAD_ORDINARY_NS 2000000000ULL
#define AHEAD_LIVED_NS 5000000000ULL
#define AHEAD_INIT_NS 8000000000ULL
/* While the critical ring is three quarters full, only who has emitted little. */
#define AHEAD_CROWDED_NS (AHEAD_ORDINARY_NS / 16)
#define CROWDED_BYTES (RING_BYTES / 4 * 3)

#define SHORT_LIVED_NS 1000000000ULL

enum importance { IMPORTANCE_FOREIGN, IMPORTANCE_ORDINARY, IMPORTANCE_LIVED, IMPORTANCE_INIT };

/* The level (depth) at which the units below a cgroup of the first level lie. */
static __always_inline u32 unit_level(u64 top, u32 hierarchy)
{
	u32 level = UNIT_LEVEL;

	for (u32 i = 0; i < UNIT_ROOTS; i++) {
		if (unit_roots[hierarchy & (HIERARCHIES - 1)][i] == top)
			level = unit_root_levels[hierarchy & (HIERARCHIES - 1)][i];
	}
	return level;
}

/* Whose budget a process's events are taken from: the cgroup at the level of units
 * and containers, whatever lies below it. Above that, where no service manager
 * keeps users apart, a user each. */
static __always_inline void budget_key_into(struct budget_key *key, struct task_struct *t)
{
	const struct cred *cred = BPF_CORE_READ(t, real_cred);
	struct cgroup *cgrp = BPF_CORE_READ(t, cgroups, dfl_cgrp);
	u32 level, unit;

	key->hierarchy = HIERARCHY_UNIFIED;
	if (config_memory_v1) {
		struct cgroup *memory = memory_cgroup(t);

		if (BPF_CORE_READ(memory, level) > 0) {
			cgrp = memory;
			key->hierarchy = HIERARCHY_MEMORY;
		}
	}
	key->uid = 0;
	key->cgroup = BPF_CORE_READ(cgrp, kn, id);
	level = BPF_CORE_READ(cgrp, level);
	if (level < UNIT_LEVEL) {
		key->uid = BPF_CORE_READ(cred, uid.val);
		return;
	}
	unit = unit_level(ancestor_id(cgrp, 1), key->hierarchy);
	if (level > unit)
		key->cgroup = ancestor_id(cgrp, unit);
}

static __always_inline struct budget *budget_of(struct task_struct *t)
{
	struct budget_key key = {};
	struct budget fresh = {};
	struct budget *b;
	u32 shared = 0;

	budget_key_into(&key, t);
	b = bpf_map_lookup_elem(&budgets, &key);
	if (b)
		return b;
	bpf_map_update_elem(&budgets, &key, &fresh, BPF_NOEXIST);
	b = bpf_map_lookup_elem(&budgets, &key);
	if (b)
		return b;
	/* There are too many: those that came last share one. */
	return bpf_map_lookup_elem(&shared_budget, &shared);
}

static __always_inline bool crowded(void)
{
	return bpf_ringbuf_query(&critical, BPF_RB_AVAIL_DATA) > CROWDED_BYTES;
}

static __always_inline u64 allowance(u32 importance)
{
	if (importance == IMPORTANCE_INIT)
		return AHEAD_INIT_NS;
	if (importance == IMPORTANCE_LIVED)
		return AHEAD_LIVED_NS;
	return importance == IMPORTANCE_ORDINARY ? AHEAD_ORDINARY_NS : AHEAD_FOREIGN_NS;
}

/* Pays for an event, or so many, out of a process's budget; answers 0 where that is
 * spent. */
__noinline int afford(u64 task, u32 importance, u32 cost)
{
	struct budget *b;
	u64 now = bpf_ktime_get_ns(), due;

	if (!config_event_cost_ns)
		return 1;
	b = budget_of((struct task_struct *)task);
	if (!b)
		return 1;
	due = *(volatile u64 *)&b->due;
	if (due < now)
		due = now;
	if (due - now > allowance(importance) || (due - now > AHEAD_CROWDED_NS && crowded()))
		return 0;
	*(volatile u64 *)&b->due = due + config_event_cost_ns * cost;
	return 1;
}

/* Counts an event that is not emitted. */
__noinline int fold(u64 task, u32 lane)
{
	struct budget *b = budget_of((struct task_struct *)task);

	if (b)
		__sync_fetch_and_add(&b->folded[lane & LANE_MASK], 1);
	return 0;
}

__noinline int same_budget(u64 a, u64 b)
{
	struct budget_key of_a = {}, of_b = {};

	budget_key_into(&of_a, (struct task_struct *)a);
	budget_key_into(&of_b, (struct task_struct *)b);
	return of_a.cgroup == of_b.cgroup && of_a.hierarchy == of_b.hierarchy &&
	       of_a.uid == of_b.uid;
}

/* Of a process's end. */
__noinline int importance_of(u64 task)
{
	struct task_struct *leader = BPF_CORE_READ((struct task_struct *)task, group_leader);
	u32 inum;

	if (ns_pid_of(leader, &inum) == INIT_PID)
		return IMPORTANCE_INIT;
	if (bpf_ktime_get_boot_ns() - start_of(leader) > SHORT_LIVED_NS)
		return IMPORTANCE_LIVED;
	return IMPORTANCE_ORDINARY;
}

#endif
