// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The entry points. Each is short and says which fact of the kernel it rests
 * on; the work is done in the headers, one subject each.
 */
#include "kernel_types.h"
#include <bpf_helpers.h>
#include <bpf_core_read.h>
#include <bpf_tracing.h>
#include "cgroup.h"
#include "compat.h"
#include "config.h"
#include "deliver.h"
#include "event.h"
#include "exit.h"
#include "filter.h"
#include "lineage.h"
#include "oom.h"
#include "read.h"
#include "signal.h"
#include "signal_numbers.h"
#include "task.h"

char _license[] SEC("license") = "Dual BSD/GPL";

/* Fires after complete_signal(), under siglock, interrupts off. info may be a
 * small integer: see HAS_SIGINFO. */
TRACEPOINT(signal_generate)
int BPF_PROG(on_signal_generate, int sig, void *info, struct task_struct *t, int group, int result)
{
	if (sig == SIGKILL && result == TRACE_SIGNAL_DELIVERED && (u64)info == SEND_SIG_PRIV)
		maybe_oom_kill(ctx, (struct task_struct *)number(ctx, ARG_TASK));
	if (!unwanted(sig))
		signal_generated(ctx, sig, t, group, result);
	return 0;
}

/* Fires in the target, for handled signals too. */
TRACEPOINT(signal_deliver)
int BPF_PROG(on_signal_deliver, int sig, void *info, struct k_sigaction *ka)
{
	if (!unwanted(sig) && rt_sigmask(sig) & SIG_TERMINATES_MASK)
		signal_delivered(sig, number(ctx, ARG_INFO), ka);
	return 0;
}

/* Its raw arguments changed from a pid to the task and its uid (6.8, 72ba14deb40a,
 * backported), so none is used. */
TRACEPOINT(mark_victim)
int on_mark_victim(void *ctx)
{
	victim_marked();
	return 0;
}

SEC("fentry/oom_kill_process")
int BPF_PROG(on_oom_kill_fentry, struct oom_control *oc)
{
	oom_called(oc);
	return 0;
}

SEC("kprobe/oom_kill_process")
int BPF_KPROBE(on_oom_kill_kprobe, struct oom_control *oc)
{
	oom_called(oc);
	return 0;
}

/* Fires for each thread; the process ends with the last. Two threads may both
 * see live == 0: userspace takes the first by (tgid, start). */
TRACEPOINT(sched_process_exit)
int on_exit(void *ctx)
{
	struct task_struct *t = current_task();
	u32 seccomp;

	seccomp = note_seccomp(t);
	note_caller(t);
	if (has_children(t))
		__sync_fetch_and_add(&reparent_generation, 1);
	if (BPF_CORE_READ(t, signal, live.counter) != 0)
		return 0;
	process_exited(t, seccomp);
	forget_notes(t);
	proc_exit((u64)t);
	return 0;
}

/* The forker is current, also where CLONE_PARENT gives the child another. */
TRACEPOINT(sched_process_fork)
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	if (BPF_CORE_READ(child, pid) == BPF_CORE_READ(child, tgid))
		proc_fork((struct task_struct *)number(ctx, 1));
	return 0;
}

TRACEPOINT(sched_process_exec)
int BPF_PROG(on_exec, struct task_struct *arg, pid_t old_pid, struct linux_binprm *bprm)
{
	struct task_struct *t = current_task();

	proc_exec(t, bprm);
	if (config_target_cgroups && is_target(t))
		mark_kin(t);
	return 0;
}

TRACEPOINT(cgroup_mkdir)
int BPF_PROG(on_cgroup_mkdir, struct cgroup *cgrp, const char *path)
{
	cgroup_changed(cgrp, path, CGROUP_MADE);
	return 0;
}

TRACEPOINT(cgroup_rmdir)
int BPF_PROG(on_cgroup_rmdir, struct cgroup *cgrp, const char *path)
{
	cgroup_changed(cgrp, path, CGROUP_REMOVED);
	return 0;
}

/* Seeds the lineage with the processes that are older than sigtrace. */
SEC("iter/task")
int seed_tasks(u64 *ctx)
{
	/* The second member of bpf_iter__task, NULL at the end. As a number: global
	 * functions take no typed pointers. */
	struct task_struct *t = (void *)number(ctx, 1);

	if (!t || BPF_CORE_READ(t, pid) != BPF_CORE_READ(t, tgid) ||
	    BPF_CORE_READ(t, flags) & PF_EXITING)
		return 0;
	proc_seed((u64)t);
	if (has_ended(t))
		proc_exit((u64)t); /* meanwhile: its own exit may have found no entry to remove */
	if ((config_target_pid || config_target_cgroups) && is_target(t))
		mark_kin(t);
	return 0;
}
