// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * OOM kills. oom_kill_process (fentry or kprobe) tells why and for which
 * limit; the SIGKILL and mark_victim that follow in the same thread tell whom,
 * also where that function cannot be hooked. mark_victim alone is no kill: it
 * fires for tasks that are dying anyway.
 */
#ifndef SIGTRACE_OOM_H
#define SIGTRACE_OOM_H

#define MARKED_WITHIN 2000000000ULL /* ns: the thread may be throttled in between */
#define PAGE_COUNTER_MAX (0x7fffffffffffffffULL / config_page_size)

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
	if (limit < PAGE_COUNTER_MAX && usage + 64 >= limit) {
		e->limit_cgroup = cgroup;
		e->limit_pages = limit;
		e->usage_pages = usage;
		e->flags |= OOM_LIMIT_FOUND;
		return 1;
	}
	state->css = BPF_CORE_READ(css, parent);
	return 0;
}

/* Without oc: the victim's nearest memory cgroup that stands at its limit. A
 * charge is refused with up to a batch (64 pages) to spare. */
static __always_inline void search_limit(struct event_oom *e, struct task_struct *victim)
{
	u32 id = bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id);
	struct limit_walk walk = {.css = BPF_CORE_READ(victim, cgroups, subsys[id]), .e = e};

	REPEAT(16, limit_step, &walk);
}

static __always_inline s64 rss_counter(struct mm_struct *mm, u32 which)
{
	struct mm_struct___percpu *new = (void *)mm;
	s64 pages;

	if (bpf_core_type_exists(struct mm_rss_stat)) {
		u64 at = (u64)mm + bpf_core_field_offset(mm->rss_stat) + which * 8;

		bpf_probe_read_kernel(&pages, 8, (void *)at);
		return pages;
	}
	struct percpu_counter *c = (void *)((u64)mm + bpf_core_field_offset(new->rss_stat) +
					    which * bpf_core_type_size(struct percpu_counter));
	return BPF_CORE_READ(c, count);
}

/* MM_FILEPAGES 0, MM_ANONPAGES 1, MM_SWAPENTS 2, MM_SHMEMPAGES 3. */
static __always_inline void read_rss(struct event_oom *e, struct task_struct *victim)
{
	struct mm_struct *mm = BPF_CORE_READ(victim, mm);

	e->rss_file = e->rss_anon = e->rss_swap = e->rss_shmem = -1;
	if (!mm)
		return;
	e->rss_file = rss_counter(mm, 0);
	e->rss_anon = rss_counter(mm, 1);
	e->rss_swap = rss_counter(mm, 2);
	e->rss_shmem = rss_counter(mm, 3);
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
	 * of the kernel's, by a thread that marks itself now because it is dying. */
	if (bpf_ktime_get_boot_ns() - e->h.boottime > MARKED_WITHIN) {
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
