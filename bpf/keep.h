// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What a death is judged by, kept in maps until userspace has written its
 * record and deletes it (--pin): reading a ring is not enough, for a reader
 * that is killed takes with it what it had read. Without config_keep the
 * verifier drops all of this.
 */
#ifndef SIGTRACE_KEEP_H
#define SIGTRACE_KEEP_H

#include "kernel_types.h"
#include <bpf_helpers.h>
#include <bpf_core_read.h>
#include "compat.h"
#include "config.h"
#include "emit.h"
#include "event.h"
#include "loop.h"
#include "maps.h"
#include "signal_numbers.h"
#include "task.h"

#define E2BIG 7 /* how a hash map says that it is full */
#define ROOT_KERNFS_ID 1

static __always_inline void count_kept_full(void)
{
	u32 slot = 0;
	struct counters *c = bpf_map_lookup_elem(&counted, &slot);

	if (c)
		c->kept_full += 1;
}

/* How it was last executed, and who forked it: the process may be gone, and
 * forgotten, before this is read. */
static __always_inline void keep_process(struct kept_process *to, struct proc_key *key)
{
	struct proc_entry *e = bpf_map_lookup_elem(&procs, key);

	to->known = 0;
	if (!e)
		return;
	to->forker_start = e->forker.start;
	to->forker_tgid = e->forker.tgid;
	to->args_len = e->args_len;
	to->args_truncated = e->args_truncated;
	bpf_probe_read_kernel(to->exe, SNAPSHOT_EXE + SNAPSHOT_ARGS, e->exe);
	to->known = 1;
}

static __always_inline struct kept_story *story_of(struct proc_key *key)
{
	struct kept_story *story = bpf_map_lookup_elem(&kept_stories, key);
	u32 slot = 0;
	void *blank;

	if (story)
		return story;
	blank = bpf_map_lookup_elem(&kept_blank, &slot);
	if (blank)
		bpf_map_update_elem(&kept_stories, key, blank, BPF_NOEXIST);
	return bpf_map_lookup_elem(&kept_stories, key);
}

/* Signals that are fatal, may turn out to be, or ask the process to end. */
static __always_inline bool kept_signal(int sig, u32 flags)
{
	if (!config_keep || flags & SIGNAL_TOO_LATE)
		return false;
	return flags & (SIGNAL_FATAL | SIGNAL_UNDECIDED) ||
	       (rt_sigmask(sig) & SIG_STOP_REQUEST_MASK && flags & SIGNAL_MATTERS);
}

/* Keeps the signal that lies in the scratch: the fatal one in a place of its
 * own, the last others in turns. */
__noinline int keep_signal(u64 target, u64 sender)
{
	struct event_signal_stack *e = scratch_of(SCRATCH_SIGNAL);
	struct proc_key key = key_of((struct task_struct *)target);
	struct kept_story *story = story_of(&key);
	u32 slot = KEPT_FATAL;

	if (!e || !story)
		return 0;
	if (!(e->s.flags & SIGNAL_FATAL))
		slot = story->turn++ % KEPT_FATAL;
	if (slot > KEPT_FATAL)
		return 0;
	bpf_probe_read_kernel(&story->signals[slot].event, sizeof(*e), e);
	key = key_of((struct task_struct *)sender);
	keep_process(&story->signals[slot].sender, &key);
	return 0;
}

/* What became of a signal that was undecided. */
__noinline int keep_fate(u64 generated, int sig, u32 fatal)
{
	struct proc_key key = key_of(current_task());
	struct kept_story *story = bpf_map_lookup_elem(&kept_stories, &key);

	if (!story)
		return 0;
	for (u32 i = 0; i <= KEPT_FATAL; i++) {
		struct event_signal *s = &story->signals[i].event.s;

		if (s->h.boottime != generated || s->sig != sig)
			continue;
		s->flags &= ~SIGNAL_UNDECIDED;
		s->flags |= fatal ? SIGNAL_FATAL | SIGNAL_MATTERS : SIGNAL_SURVIVED;
	}
	return 0;
}

static __always_inline void keep_oom(struct event_oom *e)
{
	struct proc_key key = {.start = e->victim.start, .tgid = e->victim.tgid};
	struct kept_story *story = story_of(&key);

	if (story)
		bpf_probe_read_kernel(&story->oom, sizeof(*e), e);
}

struct cgroup_walk {
	struct kernfs_node *kn;
	struct kept_death *d;
	u64 parent_at; /* the offset of parent in a kernfs_node */
};

STEP(cgroup_step, struct cgroup_walk)
{
	struct kernfs_node *kn = state->kn;
	const char *name = BPF_CORE_READ(kn, name);
	struct kernfs_node *parent = NULL;

	bpf_probe_read_kernel(&parent, sizeof(parent), (void *)((u64)kn + state->parent_at));
	if (!parent || i >= KEPT_LEVELS)
		return 1; /* the root has no name */
	bpf_probe_read_kernel_str(state->d->cgroup[i], KEPT_NAME, name);
	state->d->levels = i + 1;
	state->kn = parent;
	return 0;
}

/* The names of its cgroup, leaf first: it may be removed before this is read. */
static __always_inline void keep_cgroup(struct kept_death *d, struct task_struct *t)
{
	struct cgroup_walk walk = {.d = d, .parent_at = kernfs_parent_at()};
	struct kernfs_node *top;

	if (d->exit.b.hierarchy == HIERARCHY_MEMORY)
		walk.kn = BPF_CORE_READ(memory_cgroup(t), kn);
	else
		walk.kn = BPF_CORE_READ(t, cgroups, dfl_cgrp, kn);
	d->levels = 0;
	REPEAT(KEPT_LEVELS + 1, cgroup_step, &walk);
	top = walk.kn;
	if (d->levels == KEPT_LEVELS && BPF_CORE_READ(top, id) != ROOT_KERNFS_ID)
		d->levels = 0; /* deeper than is kept: half a path is none */
}

/* The scratch holds the exit. */
__noinline int keep_exit(u64 task)
{
	struct kept_death *d = scratch_of(SCRATCH_EXIT);
	struct proc_key key = key_of((struct task_struct *)task);
	struct kept_story *story = bpf_map_lookup_elem(&kept_stories, &key);

	if (!d)
		return 0;
	d->pad = 0;
	keep_process(&d->process, &key);
	keep_cgroup(d, (struct task_struct *)task);
	if (story) {
		bpf_probe_read_kernel(&d->story, sizeof(d->story), story);
	} else {
		for (u32 i = 0; i <= KEPT_FATAL; i++)
			d->story.signals[i].event.s.h.size = 0;
		d->story.oom.h.size = 0;
	}
	if (map_error(bpf_map_update_elem(&kept_deaths, &key, d, BPF_NOEXIST)) == -E2BIG)
		count_kept_full();
	bpf_map_delete_elem(&kept_stories, &key);
	return 0;
}

#endif
