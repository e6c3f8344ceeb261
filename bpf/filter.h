// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The filter on the process that is hit. It runs for every signal on the
 * machine, so the common answer, no, must cost a few plain loads.
 */
#ifndef SIGTRACE_FILTER_H
#define SIGTRACE_FILTER_H

#include "kernel_types.h"
#include <bpf_helpers.h>
#include <bpf_core_read.h>
#include "compat.h"
#include "config.h"
#include "event.h"
#include "maps.h"
#include "read.h"
#include "task.h"

/* The bit of a key of target_cgroups that holds the hierarchy; ids are smaller. */
#define HIERARCHY_SHIFT 63

static __always_inline u64 cgroup_key(u64 id, u32 hierarchy)
{
	return id | (u64)hierarchy << HIERARCHY_SHIFT;
}

/* Is cgrp a target or below one? Walks the levels at which targets lie. */
static __always_inline bool below_target(struct cgroup *cgrp, u32 hierarchy)
{
	u32 level = BPF_CORE_READ(cgrp, level);

	for (u32 i = 0; i < MAX_TARGET_LEVELS; i++) {
		u32 at = target_levels[hierarchy & (HIERARCHIES - 1)][i];
		u64 key;

		if (i >= target_level_count[hierarchy & (HIERARCHIES - 1)])
			break;
		if (at > level)
			continue;
		key = cgroup_key(ancestor_id(cgrp, at), hierarchy);
		if (bpf_map_lookup_elem(&target_cgroups, &key))
			return true;
	}
	return false;
}

/* 2^64 divided by the golden ratio: multiplying by it spreads nearby ids (Knuth). */
#define MEMO_HASH_FACTOR 0x9E3779B97F4A7C15ULL
#define MEMO_HASH_BITS 31
#define MEMO_ANSWER 1ULL

/* One word, so that CPUs which write the same slot never mix their answers: the
 * generation of the targets, a hash of the cgroup, and a bit for the answer. */
static __always_inline u64 memo_of(u64 key)
{
	return (u64)target_generation << 32 | (key * MEMO_HASH_FACTOR >> (64 - MEMO_HASH_BITS))
						      << 1;
}

static __always_inline bool cgroup_matches(u64 id, struct cgroup *cgrp, u32 hierarchy)
{
	u64 key = cgroup_key(id, hierarchy);
	u32 slot = (id ^ hierarchy) & (MEMO_SLOTS - 1);
	volatile u64 *memo = bpf_map_lookup_elem(&target_memo, &slot);
	u64 wanted = memo_of(key), seen;
	bool match;

	if (!memo)
		return false;
	seen = *memo;
	if ((seen & ~MEMO_ANSWER) == wanted)
		return seen & MEMO_ANSWER;
	match = below_target(cgrp, hierarchy);
	*memo = wanted | match;
	return match;
}

static __always_inline bool in_target_cgroup(struct task_struct *t)
{
	if (config_memory_v1 && target_level_count[HIERARCHY_MEMORY]) {
		struct cgroup *memory = memory_cgroup(t);

		if (cgroup_matches(BPF_CORE_READ(memory, kn, id), memory, HIERARCHY_MEMORY))
			return true;
	}
	if (target_level_count[HIERARCHY_UNIFIED]) {
		struct cgroup *unified = BPF_CORE_READ(t, cgroups, dfl_cgrp);

		return cgroup_matches(BPF_CORE_READ(unified, kn, id), unified, HIERARCHY_UNIFIED);
	}
	return false;
}

/* The same, for a typed argument of a BTF tracepoint. */
static __always_inline bool arg_in_target_cgroup(struct task_struct *t)
{
	if (config_memory_v1 && target_level_count[HIERARCHY_MEMORY])
		return in_target_cgroup(t);
	if (target_level_count[HIERARCHY_UNIFIED]) {
		struct cgroup *unified = ARG_READ(t, cgroups, dfl_cgrp);

		return cgroup_matches(ARG_READ(unified, kn, id), unified, HIERARCHY_UNIFIED);
	}
	return false;
}

enum relevance { RELEVANCE_NONE, RELEVANCE_TARGET, RELEVANCE_CONTEXT };

/* Start times of processes in /proc/PID/stat, which the target's is given in. */
#define NSEC_PER_SEC 1000000000ULL
#define USER_HZ 100
#define NSEC_PER_USER_TICK (NSEC_PER_SEC / USER_HZ)

/* A pid alone may be used again. */
static __always_inline bool is_target_process(struct task_struct *t)
{
	return start_of(BPF_CORE_READ(t, group_leader)) / NSEC_PER_USER_TICK == config_target_start;
}

static __always_inline bool maybe_kin(u32 tgid)
{
	return kin_slots[tgid & (KIN_SLOTS - 1)];
}

/* What a verdict about the target needs besides passes too, as context. */
static __always_inline enum relevance filter_target(struct task_struct *t)
{
	u32 tgid;

	if (!config_target_pid && !config_target_cgroups)
		return RELEVANCE_TARGET;
	tgid = ARG_READ(t, tgid);
	if (config_target_pid && tgid == config_target_pid && is_target_process(t))
		return RELEVANCE_TARGET;
	if (config_target_cgroups && arg_in_target_cgroup(t))
		return RELEVANCE_TARGET;
	return maybe_kin(tgid) && bpf_map_lookup_elem(&kin, &tgid) ? RELEVANCE_CONTEXT
								   : RELEVANCE_NONE;
}

static __always_inline bool is_target(struct task_struct *t)
{
	if (!config_target_pid && !config_target_cgroups)
		return true;
	if (config_target_pid && BPF_CORE_READ(t, tgid) == config_target_pid &&
	    is_target_process(t))
		return true;
	return config_target_cgroups && in_target_cgroup(t);
}

#define KIN_DEPTH 16

/* Marks the parents of a target process: its shim or monitor and theirs. */
static __always_inline void mark_kin(struct task_struct *t)
{
	for (int i = 0; i < KIN_DEPTH; i++) {
		struct task_struct *parent = BPF_CORE_READ(t, real_parent, group_leader);
		u32 tgid = BPF_CORE_READ(parent, tgid);
		u64 start = start_of(parent);

		if (tgid <= INIT_PID)
			break;
		bpf_map_update_elem(&kin, &tgid, &start, BPF_ANY);
		kin_slots[tgid & (KIN_SLOTS - 1)] = 1;
		t = parent;
	}
}

#endif
