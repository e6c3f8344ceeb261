// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The end of a process: the exit of its last thread. */
#ifndef SIGTRACE_EXIT_H
#define SIGTRACE_EXIT_H

static __always_inline bool has_children(struct task_struct *t)
{
	u64 head = (u64)t + bpf_core_field_offset(t->children);

	return (u64)BPF_CORE_READ(t, children.next) != head;
}

/* The kernel's own rule (kernel/exit.c, wait_task_zombie). */
static __always_inline u32 wait_status(struct task_struct *t)
{
	if (BPF_CORE_READ(t, signal, flags) & SIGNAL_GROUP_EXIT)
		return BPF_CORE_READ(t, signal, group_exit_code);
	return BPF_CORE_READ(t, group_leader, exit_code);
}

/* Without --all, only exits that a verdict may rest on. */
static __always_inline bool exit_wanted(struct task_struct *t, u32 status, u32 ns_pid)
{
	return config_exits || status & 0x7f || ns_pid == 1 || config_target_pid;
}

static __always_inline void process_exited(struct task_struct *t)
{
	struct event_exit e = {};
	u32 tgid = BPF_CORE_READ(t, tgid), lane;

	if (is_target(t))
		e.flags = 0;
	else if (bpf_map_lookup_elem(&kin, &tgid))
		e.flags = EXIT_CONTEXT;
	else
		return;
	e.status = wait_status(t);
	fill_brief(&e.b, t);
	if (!exit_wanted(t, e.status, e.b.ns_pid))
		return;
	if (e.b.ns_pid == 1)
		e.flags |= EXIT_INIT;
	if (BPF_CORE_READ(t, signal, oom_mm))
		e.flags |= EXIT_OOM_MARK;
	e.max_rss_pages = BPF_CORE_READ(t, signal, maxrss);
	lane = e.status & 0x7f || e.flags & EXIT_INIT ? LANE_CRITICAL : LANE_ROUTINE;
	describe((u64)t, true, lane, SCRATCH_EXIT);
	fill_header(&e.h, EVENT_EXIT, lane, sizeof(e));
	emit(lane, &e, sizeof(e));
}

#endif
