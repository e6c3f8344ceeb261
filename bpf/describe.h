// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Describes a process to userspace once, before the first event that names it:
 * exe, args and ancestry. It is described again after an exec, when userspace
 * has forgotten it (epoch), and, as to its ancestry, after any process with
 * children has exited (reparent_generation).
 */
#ifndef SIGTRACE_DESCRIBE_H
#define SIGTRACE_DESCRIBE_H

#include "kernel_types.h"
#include <bpf_helpers.h>
#include <bpf_core_read.h>
#include "config.h"
#include "emit.h"
#include "event.h"
#include "lineage.h"
#include "loop.h"
#include "maps.h"
#include "path.h"
#include "place.h"
#include "task.h"

static __always_inline u32 read_own_args(char *out, struct task_struct *t, u32 *flags)
{
	struct mm_struct *mm = BPF_CORE_READ(t, mm);
	u64 from = BPF_CORE_READ(mm, arg_start), to = BPF_CORE_READ(mm, arg_end);
	u64 len = to - from;

	if (len >= ARGS_MAX) {
		len = ARGS_MAX - 1;
		*flags |= PROC_ARGS_TRUNCATED;
	}
	len &= ARGS_MAX - 1;
	if (!from || bpf_probe_read_user(out, len, (void *)from))
		return 0;
	return len;
}

static __always_inline u32 read_snapshot(char *out, struct proc_entry *e, u32 *flags)
{
	u32 len = e->args_len;

	if (len > SNAPSHOT_ARGS)
		len = SNAPSHOT_ARGS;
	*flags |= PROC_SNAPSHOT;
	if (e->args_truncated)
		*flags |= PROC_ARGS_TRUNCATED;
	bpf_probe_read_kernel(out, SNAPSHOT_ARGS, e->args);
	return len;
}

static __always_inline void fill_node(struct chain_node *node, struct task_struct *leader)
{
	node->start = start_of(leader);
	node->tgid = BPF_CORE_READ(leader, tgid);
	node->cgroup = cgroup_of(leader, &node->hierarchy);
	node->flags = 0;
	node->pad = 0;
	bpf_probe_read_kernel(node->comm, COMM_LEN, &leader->comm);
}

static __always_inline struct task_struct *tracer_of(struct task_struct *t)
{
	if (!BPF_CORE_READ(t, ptrace))
		return NULL;
	return BPF_CORE_READ(t, parent, group_leader);
}

/* Writes place and tracer into the description that the scratch holds: from what was
 * known at the last exec, which an exiting process has lost, to how it is now. */
__noinline int describe_place(u64 task, u32 user)
{
	struct task_struct *t = (void *)task, *tracer = tracer_of(t);
	struct event_proc *p = scratch_of(user);
	struct proc_key key = key_of(t);
	struct proc_entry *e = proc_of(&key);

	if (!p || !e)
		return 0;
	bpf_probe_read_kernel(&p->place, sizeof(p->place), &e->place);
	read_place(&p->place, t);
	p->tracer.tgid = 0;
	if (tracer)
		fill_node(&p->tracer, tracer);
	e->tracer = p->tracer.tgid;
	return 0;
}

/*
 * Global functions, with numbers for arguments: the verifier looks at each
 * once, and not once for each path that leads to it.
 */
__noinline int describe_proc(u64 task, u32 own, u32 lane, u32 user)
{
	struct task_struct *t = (void *)task;
	struct event_proc *p = scratch_of(user);
	struct mm_struct *mm = BPF_CORE_READ(t, mm);
	struct proc_key key = key_of(t);
	struct proc_entry *e = proc_of(&key);
	u32 slots = 0, len = 0;
	u32 size;
	char *args;

	if (!p || !e)
		return -1;
	p->flags = 0;
	BRIEF_INTO(t, user, event_proc, b);
	describe_place(task, user);
	if (mm && !(p->b.flags & PF_KTHREAD))
		slots = exe_path((u64)mm, user, sizeof(struct event_proc));
	if (slots & PATH_DELETED)
		p->flags |= PROC_EXE_DELETED;
	slots &= PATH_USED_MASK;
	/* Up to 6.15 the memory is gone before sched_process_exit. */
	if (!slots && e->exe[0] == '/') {
		bpf_probe_read_kernel((char *)p + sizeof(*p), SNAPSHOT_EXE - 1, e->exe + 1);
		slots = 1;
	}
	/* Args follow the slots that are used. */
	args = (char *)p + sizeof(*p) + slots * PATH_SLOT_LEN;
	if (own)
		len = read_own_args(args, t, &p->flags);
	if (!len)
		len = read_snapshot(args, e, &p->flags);
	if (!len)
		p->flags |= PROC_NO_ARGS;
	p->exe_slots = slots;
	p->args_len = len;
	p->pad = 0;
	size = sizeof(*p) + slots * PATH_SLOT_LEN + len;
	fill_header(&p->h, EVENT_PROC, lane, size);
	return emit_scratch(user, lane, size);
}

static __always_inline int emit_chain(struct event_chain *c, u32 which, u32 nodes, u32 lane,
				      u32 user)
{
	u32 size = sizeof(*c) + nodes * sizeof(struct chain_node);

	c->which = which;
	c->nodes = nodes;
	fill_header(&c->h, EVENT_CHAIN, lane, size);
	return emit_scratch(user, lane, size);
}

struct present_walk {
	struct task_struct *t;
	struct chain_node *nodes;
	u32 n;
};

STEP(present_step, struct present_walk)
{
	struct task_struct *t = state->t;
	struct task_struct *parent = BPF_CORE_READ(t, real_parent, group_leader);
	struct chain_node *node = &state->nodes[i];

	if (!parent || parent == t || i >= MAX_CHAIN)
		return 1;
	fill_node(node, parent);
	state->n = i + 1;
	state->t = parent;
	return 0;
}

__noinline int describe_present(u64 task, u32 lane, u32 user)
{
	struct task_struct *t = BPF_CORE_READ((struct task_struct *)task, group_leader);
	struct event_chain *c = scratch_of(user);
	struct present_walk walk = {.t = t};

	if (!c)
		return -1;
	walk.nodes = (void *)(c + 1);
	c->start = start_of(t);
	c->tgid = BPF_CORE_READ(t, tgid);
	REPEAT(MAX_CHAIN, present_step, &walk);
	return emit_chain(c, CHAIN_PRESENT, walk.n, lane, user);
}

struct lineage_walk {
	struct proc_key at;
	struct chain_node *nodes;
	u32 n;
};

STEP(lineage_step, struct lineage_walk)
{
	struct proc_entry *e = proc_of(&state->at);
	struct chain_node *node = &state->nodes[i];

	if (!e || !state->at.tgid || i >= MAX_CHAIN)
		return 1;
	state->at = e->forker;
	e = proc_of(&state->at);
	if (!e)
		return 1;
	node->start = state->at.start;
	node->tgid = state->at.tgid;
	node->cgroup = e->cgroup;
	node->hierarchy = e->hierarchy;
	node->flags = e->dead & NODE_EXITED;
	node->pad = 0;
	bpf_probe_read_kernel(node->comm, COMM_LEN, e->comm);
	state->n = i + 1;
	return 0;
}

__noinline int describe_lineage(u64 start, u32 tgid, u32 lane, u32 user)
{
	struct lineage_walk walk = {.at = {.start = start, .tgid = tgid}};
	struct event_chain *c = scratch_of(user);

	if (!c)
		return -1;
	walk.nodes = (void *)(c + 1);
	c->start = start;
	c->tgid = tgid;
	REPEAT(MAX_CHAIN, lineage_step, &walk);
	return emit_chain(c, CHAIN_LINEAGE, walk.n, lane, user);
}

/* Exe and args of the parent: a shim hardly outlives the runc whose kill it is
 * recognized by. */
__noinline int describe_parent(u64 task, u32 lane, u32 user)
{
	struct task_struct *t = (void *)task;
	struct task_struct *parent = BPF_CORE_READ(t, real_parent, group_leader);
	struct proc_key key = key_of(parent);
	struct proc_entry *e = proc_of(&key);

	lane &= LANE_MASK;
	if (!e || key.tgid <= INIT_PID || e->described_epoch[lane] == describe_epoch ||
	    e->named_epoch[lane] == describe_epoch)
		return 0;
	e->named_epoch[lane] = describe_epoch;
	return describe_proc((u64)parent, false, lane, user);
}

__noinline int describe_anew(u64 task, u32 own, u32 lane, u32 user)
{
	struct task_struct *t = (void *)task;
	struct proc_key key = key_of(t);
	struct proc_entry *e = proc_of(&key);
	u32 epoch = describe_epoch, chain = reparent_generation + 1;
	bool seeded = false;

	if (!e) {
		/* Older than sigtrace and not seeded yet. Or it has exited: SIGCHLD is sent by
		 * a process that has, and a zombie can be signalled. Then nothing else would
		 * remove its entry, unless it is on_exit that calls. */
		proc_seed(task);
		e = proc_of(&key);
		if (!e)
			return 0;
		seeded = user != SCRATCH_EXIT;
	}
	lane &= LANE_MASK;
	if ((e->described_epoch[lane] == epoch || !describe_proc(task, own, lane, user)) &&
	    !describe_present(task, lane, user) &&
	    !describe_lineage(key.start, key.tgid, lane, user)) {
		e->described_epoch[lane] = epoch;
		e->described_chain[lane] = chain;
		describe_parent(task, lane, user);
	}
	if (seeded && has_ended(t))
		proc_exit((u64)t);
	return 0;
}

/* A sender that a debugger has come to since is described anew, once. */
static __always_inline bool newly_traced(struct task_struct *t, struct proc_entry *e)
{
	struct task_struct *tracer = tracer_of(t);

	return tracer && e->tracer != (u32)BPF_CORE_READ(tracer, tgid);
}

__noinline int describe(u64 task, u32 own, u32 lane, u32 user)
{
	struct proc_key key = key_of((struct task_struct *)task);
	struct proc_entry *e = proc_of(&key);

	lane &= LANE_MASK;
	if (e && own && newly_traced((struct task_struct *)task, e))
		e->described_epoch[lane] = 0;
	if (e && e->described_epoch[lane] == describe_epoch &&
	    e->described_chain[lane] == reparent_generation + 1)
		return 0;
	return describe_anew(task, own, lane, user);
}

#endif
