// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The end of a process: the exit of its last thread. */
#ifndef SIGTRACE_EXIT_H
#define SIGTRACE_EXIT_H

#include "kernel_types.h"
#include <bpf_helpers.h>
#include <bpf_core_read.h>
#include "budget.h"
#include "compat.h"
#include "config.h"
#include "describe.h"
#include "emit.h"
#include "event.h"
#include "filter.h"
#include "keep.h"
#include "lineage.h"
#include "maps.h"
#include "notes.h"
#include "signal.h"
#include "signal_numbers.h"
#include "task.h"

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

/* A thread that seccomp killed by calling do_exit(): it has a signal for an exit
 * code and has not been through get_signal(), which sets PF_SIGNALED. Kernels
 * up to 5.15, strict mode and KILL_THREAD generate no signal at all. */
static __always_inline u32 note_seccomp(struct task_struct *t)
{
	struct proc_key key;
	struct proc_entry *e;
	u32 mode = seccomp_mode_of(t), flag;

	if (!mode || mode > SECCOMP_MODE_DEAD || !WTERMSIG(BPF_CORE_READ(t, exit_code)) ||
	    BPF_CORE_READ(t, flags) & PF_SIGNALED)
		return 0;
	/* A filter kills with SIGSYS. Another code is that of a SIGKILL which found the
	 * thread exiting already (do_group_exit() takes it over). */
	if (mode == SECCOMP_MODE_FILTER && WTERMSIG(BPF_CORE_READ(t, exit_code)) != SIGSYS)
		return 0;
	flag = EXIT_SECCOMP_STRICT << (mode - SECCOMP_MODE_STRICT);
	key = key_of(t);
	e = proc_of(&key); /* NULL if another thread was taken for the last one */
	if (e)
		e->seccomp = flag;
	return flag;
}

/* Who calls exit_group(2), or do_exit() for all, takes no signal on its way out;
 * those whom it takes along do (get_signal() sets PF_SIGNALED). Up to 5.16 a single
 * thread's sets no flag. */
static __always_inline void note_caller(struct task_struct *t)
{
	struct proc_key key;
	struct proc_entry *e;

	if (BPF_CORE_READ(t, flags) & PF_SIGNALED ||
	    !(BPF_CORE_READ(t, signal, flags) & SIGNAL_GROUP_EXIT))
		return;
	key = key_of(t);
	e = proc_of(&key);
	if (e && !e->caller_tid)
		e->caller_tid = BPF_CORE_READ(t, pid);
}

/* t is the last thread. */
static __always_inline u32 caller_of_exit(struct task_struct *t)
{
	struct proc_key key = key_of(t);
	struct proc_entry *e = proc_of(&key);

	if (e && e->caller_tid)
		return e->caller_tid;
	return BPF_CORE_READ(t, flags) & PF_SIGNALED ? 0 : BPF_CORE_READ(t, pid);
}

static __always_inline u32 exit_flags(struct task_struct *t, u32 ns_pid, u32 flags)
{
	struct proc_key key = key_of(t);
	struct proc_entry *e = proc_of(&key);

	if (ns_pid == INIT_PID)
		flags |= EXIT_INIT;
	if (BPF_CORE_READ(t, signal, oom_mm))
		flags |= EXIT_OOM_MARK;
	if (e)
		flags |= e->seccomp | (e->asked & ASKED ? EXIT_ASKED : 0) |
			 (e->asked & ASKED_FOLDED ? EXIT_FOLDED : 0);
	return flags;
}

#define EXIT_DECIDES (EXIT_INIT | EXIT_ASKED | EXIT_NOTED)

/* Without --all, only exits that a verdict may rest on. */
static __always_inline bool exit_wanted(u32 status, u32 flags)
{
	return config_exits || WTERMSIG(status) || flags & EXIT_DECIDES || config_target_pid;
}

__noinline int emit_exit(u64 task, u32 lane, u32 flags)
{
	struct task_struct *t = (void *)task;
	struct event_exit_caller *c = scratch_of(SCRATCH_EXIT);
	struct event_exit *e = &c->x;

	if (!c)
		return -1;
	c->caller_tid = WTERMSIG(wait_status(t)) ? 0 : caller_of_exit(t);
	c->pad = 0;
	e->status = wait_status(t);
	e->flags = flags;
	e->max_rss_pages = BPF_CORE_READ(t, signal, maxrss);
	e->pending = BPF_CORE_READ(t, signal, shared_pending.signal.sig[0]) |
		     BPF_CORE_READ(t, pending.signal.sig[0]);
	BRIEF_INTO(t, SCRATCH_EXIT, event_exit, b);
	fill_header(&e->h, EVENT_EXIT, lane, sizeof(*c));
	return emit_scratch(SCRATCH_EXIT, lane, sizeof(*c));
}

/* An exit goes the way of the signal that brought it about. Of a container's init it
 * is tried anyway. */
__noinline int affords_exit(u64 task, u32 lane, u32 flags)
{
	struct proc_key key = key_of((struct task_struct *)task);
	struct proc_entry *e = proc_of(&key);

	if (e && e->asked & ASKED_PAID)
		return 1;
	if (!(e && e->asked & ASKED_UNPAID && !(flags & EXIT_INIT)) &&
	    afford(task, importance_of(task), FATAL_COST))
		return 1;
	fold(task, lane);
	return 0;
}

static __always_inline void process_exited(struct task_struct *t, u32 flags)
{
	u32 tgid = BPF_CORE_READ(t, tgid), status, inum, lane;
	struct proc_key key = key_of(t);

	if (!is_target(t)) {
		if (!bpf_map_lookup_elem(&kin, &tgid))
			return;
		flags |= EXIT_CONTEXT;
	}
	status = wait_status(t);
	flags = exit_flags(t, ns_pid_of(BPF_CORE_READ(t, group_leader), &inum), flags);
	if (notes_explain(key.start, tgid, status))
		flags |= EXIT_NOTED;
	if (!exit_wanted(status, flags))
		return;
	lane = WTERMSIG(status) || flags & EXIT_DECIDES ? LANE_CRITICAL : LANE_ROUTINE;
	if (!affords_exit((u64)t, lane, flags))
		return;
	describe((u64)t, true, lane, SCRATCH_EXIT);
	emit_notes(key.start, tgid,
		   NOTE_USER(SCRATCH_EXIT) | (flags & EXIT_CONTEXT ? NOTE_CONTEXT : 0));
	emit_exit((u64)t, lane, flags);
	if (config_keep && (lane == LANE_CRITICAL || config_target_pid))
		keep_exit((u64)t);
}

/* Its notes go with it. */
static __always_inline void forget_notes(struct task_struct *t)
{
	struct proc_key key = key_of(t);

	if (bpf_map_lookup_elem(&noted, &key))
		bpf_map_delete_elem(&noted, &key);
}

#endif
