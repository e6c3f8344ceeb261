// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Who forked whom. real_parent is only the present one: when a middle parent
 * exits, its children hang under init or a subreaper, and the trace of who
 * started them is gone. This keeps it, in bounded memory that a fork bomb
 * cannot flush: an entry lives as long as its process or a descendant does that is
 * near enough to show it. Each container, unit or user has a quota of them.
 */
#ifndef SIGTRACE_LINEAGE_H
#define SIGTRACE_LINEAGE_H

#include "kernel_types.h"
#include <bpf_helpers.h>
#include <bpf_core_read.h>
#include "budget.h"
#include "emit.h"
#include "event.h"
#include "loop.h"
#include "maps.h"
#include "place.h"
#include "task.h"

#define LINEAGE_DEPTH 40

static __always_inline void count_procs_full(void)
{
	u32 zero = 0;
	struct counters *c = bpf_map_lookup_elem(&counted, &zero);

	if (c)
		c->procs_full += 1;
}

static __always_inline struct proc_entry *proc_of(struct proc_key *key)
{
	return bpf_map_lookup_elem(&procs, key);
}

static __always_inline void proc_ref(struct proc_key *key, s32 by)
{
	struct proc_entry *e = proc_of(key);

	if (e)
		__sync_fetch_and_add(&e->refs, by);
}

static __always_inline void count_quota(u32 slot, s32 by)
{
	s32 *n = bpf_map_lookup_elem(&quotas, &slot);

	if (n && slot)
		__sync_fetch_and_add(n, by);
}

/* The slot of a new process's quota; 0 where that is used up. */
__noinline int quota_slot(u64 task)
{
	struct budget_key key = {};
	u32 slot;
	s32 *n;

	budget_key_into(&key, (struct task_struct *)task);
	/* As in filter.h: spreads nearby ids. Userspace has no part in it. */
	slot = (key.cgroup + ((u64)key.uid << 32) + key.hierarchy) * 0x9E3779B97F4A7C15ULL >> 52;
	slot &= QUOTA_SLOTS - 1;
	if (!slot)
		slot = 1;
	n = bpf_map_lookup_elem(&quotas, &slot);
	if (n && *n >= QUOTA_PROCS)
		return 0;
	return slot;
}

struct release_walk {
	struct proc_key at;
};

STEP(release_step, struct release_walk)
{
	struct proc_entry *e = proc_of(&state->at);
	struct proc_key up;
	u32 slot;

	if (!e || !e->dead || e->refs > 0)
		return 1;
	up = e->forker;
	slot = e->pad;
	if (bpf_map_delete_elem(&procs, &state->at))
		return 1;
	count_quota(slot, -1);
	proc_ref(&up, -1);
	state->at = up;
	return 0;
}

/* Evicts entries of exited processes that no living descendant needs, from key upwards. Two
 * siblings may race to the same entry: only one of them deletes it, and only
 * that one goes on to its forker. */
static __always_inline void proc_release(struct proc_key *key)
{
	struct release_walk walk = {.at = *key};

	REPEAT(LINEAGE_DEPTH, release_step, &walk);
}

/* Notes where a process executes what it does; a function of its own for the stack
 * of its callers. */
__noinline int proc_place(u64 task)
{
	struct proc_key key = key_of((struct task_struct *)task);
	struct proc_entry *e = proc_of(&key);

	if (e)
		read_place(&e->place, (struct task_struct *)task);
	return 0;
}

struct trim_walk {
	struct proc_key at;
	struct proc_key last; /* of those that have exited in a row, the farthest */
	u32 n;
};

STEP(trim_step, struct trim_walk)
{
	struct proc_entry *e = proc_of(&state->at);

	if (!e || !e->dead || e->refs != 1)
		return 1;
	state->last = state->at;
	state->at = e->forker;
	state->n = i + 1;
	return 0;
}

/* Drops what lies above so many exited processes in a row that no living descendant's
 * ancestry shows it: else a few processes, each forked by one that has exited, fill
 * the map. Called when one in such a row has exited. */
__noinline int proc_trim(u64 start, u32 tgid)
{
	struct trim_walk walk = {.at = {.start = start, .tgid = tgid}};
	struct proc_entry *e;
	struct proc_key up;

	REPEAT(LINEAGE_DEPTH, trim_step, &walk);
	if (walk.n < LINEAGE_DEPTH)
		return 0;
	e = proc_of(&walk.last);
	if (!e || !e->forker.tgid)
		return 0;
	up = e->forker;
	e->forker.tgid = 0;
	e->forker.start = 0;
	proc_ref(&up, -1);
	proc_release(&up);
	return 0;
}

static __always_inline void proc_exec(struct task_struct *t, struct linux_binprm *bprm)
{
	struct proc_key key = key_of(t);
	struct proc_entry *e = proc_of(&key);
	struct mm_struct *mm = BPF_CORE_READ(t, mm);
	u64 from = BPF_CORE_READ(mm, arg_start), to = BPF_CORE_READ(mm, arg_end);
	u64 len = to - from;

	if (!e)
		return;
	for (int i = 0; i < LANES; i++)
		e->described_epoch[i] = e->described_chain[i] = e->named_epoch[i] = 0;
	bpf_probe_read_kernel(e->comm, sizeof(e->comm), &t->comm);
	/* Of a script its interpreter, which is what it executes. */
	bpf_probe_read_kernel_str(e->exe, sizeof(e->exe), BPF_CORE_READ(bprm, interp));
	e->args_truncated = len > SNAPSHOT_ARGS;
	if (len > SNAPSHOT_ARGS)
		len = SNAPSHOT_ARGS;
	if (bpf_probe_read_user(e->args, len, (void *)from))
		len = 0;
	e->args_len = len;
	e->cgroup = cgroup_of(t, &e->hierarchy);
	proc_place((u64)t);
}

/* Global: it is called from several places, and its loop is verified once. */
__noinline int proc_exit(u64 task)
{
	struct task_struct *t = (void *)task;
	struct proc_key key = key_of(t);
	struct proc_entry *e = proc_of(&key);
	struct task_struct *leader;

	if (!e)
		return 0;
	leader = BPF_CORE_READ(t, group_leader);
	bpf_probe_read_kernel(e->comm, sizeof(e->comm), &leader->comm);
	e->cgroup = cgroup_of(t, &e->hierarchy);
	*(volatile u32 *)&e->dead = 1;
	proc_release(&key);
	return proc_trim(key.start, key.tgid);
}

static __always_inline bool has_ended(struct task_struct *t)
{
	return BPF_CORE_READ(t, signal, live.counter) == 0;
}

struct seed_walk {
	struct task_struct *t;
	struct proc_entry *e;
};

STEP(seed_step, struct seed_walk)
{
	struct task_struct *t = state->t;
	struct proc_entry *e = state->e;
	struct task_struct *parent = BPF_CORE_READ(t, real_parent, group_leader);
	struct proc_key key = key_of(t);

	__builtin_memset(e, 0, offsetof(struct proc_entry, exe));
	e->exe[0] = 0;
	__builtin_memset(&e->place, 0, sizeof(e->place));
	e->tracer = e->caller_tid = 0;
	e->forker = key_of(parent);
	e->refs = i > 0;
	e->cgroup = cgroup_of(t, &e->hierarchy);
	bpf_probe_read_kernel(e->comm, sizeof(e->comm), &t->comm);
	if (bpf_map_update_elem(&procs, &key, e, BPF_NOEXIST)) {
		if (i > 0)
			proc_ref(&key, 1);
		return 1;
	}
	proc_place((u64)t);
	state->t = parent;
	return !key.tgid;
}

/* Records a process that is older than sigtrace, and its parents. The one that
 * inserts an entry counts it at its parent. Global functions have a stack
 * frame of their own, and up to 6.1 all frames of a call chain share 512 bytes. */
__noinline int proc_seed(u64 task)
{
	struct seed_walk walk = {.e = scratch_of(SCRATCH_ITER)};
	struct task_struct *t = (void *)task;

	if (!walk.e)
		return -1;
	walk.t = BPF_CORE_READ(t, group_leader);
	REPEAT(LINEAGE_DEPTH, seed_step, &walk);
	return 0;
}

static __always_inline void proc_fork(struct task_struct *child)
{
	struct proc_entry *e = scratch_of(SCRATCH_FORK);
	struct proc_key key = key_of(child), forker = key_of(current_task());
	struct proc_entry *from = proc_of(&forker);
	u32 slot;

	if (!e)
		return;
	slot = quota_slot((u64)child);
	if (!slot) {
		fold((u64)child, LANE_ROUTINE);
		return;
	}
	/* Older than sigtrace, and not seeded yet: its children are counted from now on. */
	if (!from) {
		proc_seed((u64)current_task());
		from = proc_of(&forker);
	}
	/* A child is what its forker was until it execs. */
	if (from)
		bpf_probe_read_kernel(e, sizeof(*e), from);
	else
		__builtin_memset(e, 0, offsetof(struct proc_entry, exe) + 1);
	e->forker = forker;
	e->refs = 0;
	e->dead = 0;
	e->asked = e->seccomp = 0;
	e->caller_tid = 0;
	e->pad = slot;
	for (int i = 0; i < LANES; i++)
		e->described_epoch[i] = e->described_chain[i] = e->named_epoch[i] = 0;
	e->tracer = 0;
	if (!from) {
		e->args_len = 0;
		__builtin_memset(&e->place, 0, sizeof(e->place));
	}
	e->cgroup = cgroup_of(child, &e->hierarchy);
	bpf_probe_read_kernel(e->comm, sizeof(e->comm), &child->comm);
	if (bpf_map_update_elem(&procs, &key, e, BPF_NOEXIST)) {
		count_procs_full();
		return;
	}
	count_quota(slot, 1);
	proc_ref(&forker, 1);
}

#endif
