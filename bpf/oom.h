// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * OOM kills. oom_kill_process (fentry or kprobe) shows why and for which
 * limit; the SIGKILL and mark_victim that follow in the same thread show whom,
 * also where that function cannot be hooked. mark_victim alone is no kill: it
 * fires for tasks that are exiting anyway.
 */
#ifndef SIGTRACE_OOM_H
#define SIGTRACE_OOM_H

#include "kernel_types.h"
#include <bpf_helpers.h>
#include <bpf_core_read.h>
#include "compat.h"
#include "config.h"
#include "emit.h"
#include "event.h"
#include "filter.h"
#include "keep.h"
#include "loop.h"
#include "maps.h"
#include "task.h"

#define MARKED_WITHIN_NS 2000000000ULL /* the thread may be throttled in between */

/* linux/page_counter.h: no limit. */
#define LONG_MAX 0x7fffffffffffffffULL
#define PAGE_COUNTER_MAX (LONG_MAX / config_page_size)

/* linux/memcontrol.h: a charge is refused with up to so many pages to spare. */
#define MEMCG_CHARGE_BATCH 64

#define LIMIT_DEPTH 16

static __always_inline void read_limit(struct mem_cgroup *memcg, u64 *cgroup, u64 *limit,
				       u64 *usage)
{
	*cgroup = BPF_CORE_READ(memcg, css.cgroup, kn, id);
	*limit = BPF_CORE_READ(memcg, memory.max);
	*usage = BPF_CORE_READ(memcg, memory.usage.counter);
}

static __always_inline void oom_called(struct oom_control *oc)
{
	u32 tid = bpf_get_current_pid_tgid();
	struct oom_call call = {};
	struct mem_cgroup *memcg = BPF_CORE_READ(oc, memcg);
	struct task_struct *chosen = BPF_CORE_READ(oc, chosen);
	struct proc_key key = key_of(chosen);

	call.victim_start = key.start;
	call.victim_tgid = key.tgid;
	call.constraint = BPF_CORE_READ(oc, constraint);
	call.order = BPF_CORE_READ(oc, order);
	call.gfp_mask = BPF_CORE_READ(oc, gfp_mask);
	call.total_pages = BPF_CORE_READ(oc, totalpages);
	call.flags = OOM_HAS_CONTROL;
	if (memcg) {
		read_limit(memcg, &call.limit_cgroup, &call.limit_pages, &call.usage_pages);
		call.flags |= OOM_LIMIT_FOUND;
	}
	bpf_map_update_elem(&oom_calls, &tid, &call, BPF_ANY);
	bpf_map_delete_elem(&oom_kills, &tid);
}

struct limit_walk {
	struct cgroup_subsys_state *css;
	struct event_oom *e;
};

STEP(limit_step, struct limit_walk)
{
	struct cgroup_subsys_state *css = state->css;
	struct event_oom *e = state->e;
	u64 cgroup = 0, limit = 0, usage = 0;

	if (!css)
		return 1;
	read_limit((void *)css, &cgroup, &limit, &usage);
	if (limit < PAGE_COUNTER_MAX && usage + MEMCG_CHARGE_BATCH >= limit) {
		e->limit_cgroup = cgroup;
		e->limit_pages = limit;
		e->usage_pages = usage;
		e->flags |= OOM_LIMIT_FOUND;
		return 1;
	}
	state->css = BPF_CORE_READ(css, parent);
	return 0;
}

/* Without oc: the victim's nearest memory cgroup that stands at its limit. */
static __always_inline void search_limit(struct event_oom *e, struct task_struct *victim)
{
	u32 id = bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id);
	struct limit_walk walk = {.css = BPF_CORE_READ(victim, cgroups, subsys[id]), .e = e};

	REPEAT(LIMIT_DEPTH, limit_step, &walk);
}

static __always_inline void read_rss(struct event_oom *e, struct task_struct *victim)
{
	struct mm_struct *mm = BPF_CORE_READ(victim, mm);

	e->rss_file = e->rss_anon = e->rss_swap = e->rss_shmem = -1;
	if (!mm)
		return;
	e->rss_file = rss_counter(mm, MM_FILEPAGES);
	e->rss_anon = rss_counter(mm, MM_ANONPAGES);
	e->rss_swap = rss_counter(mm, MM_SWAPENTS);
	e->rss_shmem = rss_counter(mm, MM_SHMEMPAGES);
}

/* A SIGKILL by the kernel: if mark_victim follows in this thread, it was the
 * OOM killer's. */
static __always_inline void maybe_oom_kill(void *ctx, struct task_struct *victim)
{
	u32 tid = bpf_get_current_pid_tgid();
	struct event_oom *e = scratch_of(SCRATCH_SIGNAL);
	struct oom_call *call = bpf_map_lookup_elem(&oom_calls, &tid);

	if (!e)
		return;
	__builtin_memset(e, 0, sizeof(*e));
	e->h.boottime = bpf_ktime_get_boot_ns();
	if (call) {
		e->flags = call->flags;
		e->constraint = call->constraint;
		e->order = call->order;
		e->gfp_mask = call->gfp_mask;
		e->limit_cgroup = call->limit_cgroup;
		e->limit_pages = call->limit_pages;
		e->usage_pages = call->usage_pages;
		e->total_pages = call->total_pages;
	} else {
		search_limit(e, victim);
		bpf_get_stack(ctx, e->frames, sizeof(e->frames), 0);
	}
	read_rss(e, victim);
	e->oom_score_adj = BPF_CORE_READ(victim, signal, oom_score_adj);
	e->page_size = config_page_size;
	BRIEF_INTO(victim, SCRATCH_SIGNAL, event_oom, victim);
	BRIEF_INTO(current_task(), SCRATCH_SIGNAL, event_oom, trigger);
	if (call && (call->victim_tgid != e->victim.tgid || call->victim_start != e->victim.start))
		e->flags |= OOM_GROUP;
	if (!is_target(victim))
		e->flags |= OOM_CONTEXT;
	bpf_map_update_elem(&oom_kills, &tid, e, BPF_ANY);
}

static __always_inline void victim_marked(void)
{
	u32 tid = bpf_get_current_pid_tgid();
	struct event_oom *e = bpf_map_lookup_elem(&oom_kills, &tid);

	if (!e)
		return;
	/* The kernel marks right after it has killed. What is older was another SIGKILL
	 * of the kernel's, by a thread that marks itself now because it is exiting. */
	if (bpf_ktime_get_boot_ns() - e->h.boottime > MARKED_WITHIN_NS) {
		bpf_map_delete_elem(&oom_kills, &tid);
		return;
	}
	fill_header(&e->h, EVENT_OOM, LANE_CRITICAL, sizeof(*e));
	emit(LANE_CRITICAL, e, sizeof(*e));
	if (config_keep)
		keep_oom(e);
	bpf_map_delete_elem(&oom_kills, &tid);
}

#endif
