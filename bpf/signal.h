// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A signal from its generation to its fate. */
#ifndef SIGTRACE_SIGNAL_H
#define SIGTRACE_SIGNAL_H

#include "kernel_types.h"
#include <bpf_helpers.h>
#include <bpf_core_read.h>
#include "budget.h"
#include "build.h"
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
#include "read.h"
#include "signal_numbers.h"
#include "task.h"

/* linux/sched/signal.h: the flags of signal_struct. */
#define SIGNAL_GROUP_EXIT 0x4
#define SIGNAL_UNKILLABLE 0x40

/* linux/sched.h: the states of a task. */
#define __TASK_STOPPED 0x4
#define __TASK_TRACED 0x8

/* The arguments of signal_generate and signal_deliver, of which only the former
 * passes the task. */
enum { ARG_SIG, ARG_INFO, ARG_TASK };

/* trace/events/signal.h: what became of a signal at its generation. */
enum {
	TRACE_SIGNAL_DELIVERED,
	TRACE_SIGNAL_IGNORED,
	TRACE_SIGNAL_ALREADY_PENDING,
	TRACE_SIGNAL_OVERFLOW_FAIL,
	TRACE_SIGNAL_LOSE_INFO,
};

/* Nobody has asked for it, and it cannot matter: the cheapest way out. */
static __always_inline bool unwanted(int sig)
{
	if (sig < 1 || sig > _NSIG || !(config_signals & rt_sigmask(sig)))
		return true;
	return !config_all && (rt_sigmask(sig) & (rt_sigmask(SIGCHLD) | rt_sigmask(SIGURG)));
}

static __always_inline u64 handler_of(struct task_struct *t, int sig)
{
	struct sighand_struct *sighand = BPF_CORE_READ(t, sighand);
	u64 at = (u64)sighand + bpf_core_field_offset(sighand->action) +
		 (u64)(sig - 1) * bpf_core_type_size(struct k_sigaction);
	struct k_sigaction *action = (void *)at;

	return (u64)BPF_CORE_READ(action, sa.sa_handler);
}

/* TRACE_SIGNAL_LOSE_INFO takes effect as well: only its siginfo found no memory
 * (RLIMIT_SIGPENDING). */
static __always_inline bool queued(int result)
{
	return result == TRACE_SIGNAL_DELIVERED || result == TRACE_SIGNAL_LOSE_INFO;
}

/* A process that is dying takes no signal: the kernel drops it, and up to 5.16
 * delivers it to the zombie of a single thread. */
static __always_inline bool too_late(struct task_struct *t, u32 group, int result)
{
	if (result == TRACE_SIGNAL_IGNORED && group & (SIGNAL_GROUP_EXIT | SIGNAL_GROUP_COREDUMP))
		return true;
	return BPF_CORE_READ(t, signal, live.counter) == 0;
}

/* What the target will do with it, as far as that is known at generation.
 * A global function, like those below: the verifier checks it once, and not on each
 * path that leads to it. The flags are kept in memory, whose values it does not
 * follow as it does a register's: five conditional flags would make 32 paths. */
__noinline u32 disposition(u64 task, int sig, int result)
{
	struct task_struct *t = (void *)task;
	struct event_signal *e = scratch_of(SCRATCH_SIGNAL);
	u32 group = BPF_CORE_READ(t, signal, flags);
	u32 code = BPF_CORE_READ(t, signal, group_exit_code);
	u64 bit = rt_sigmask(sig), handler = handler_of(t, sig);
	volatile u32 *flags;

	if (!e)
		return 0;
	flags = &e->flags;
	*flags = 0;
	if (too_late(t, group, result))
		*flags |= SIGNAL_TOO_LATE;
	else if (queued(result) && (group & SIGNAL_GROUP_EXIT) && code == sig)
		*flags |= SIGNAL_FATAL;
	if (handler > SIG_IGN)
		*flags |= SIGNAL_HANDLED;
	/* sigtimedwait(2) keeps what was blocked in real_blocked meanwhile. */
	if ((BPF_CORE_READ(t, blocked.sig[0]) | BPF_CORE_READ(t, real_blocked.sig[0])) & bit)
		*flags |= SIGNAL_BLOCKED;
	if (BPF_CORE_READ(t, ptrace))
		*flags |= SIGNAL_TRACED;
	if (BPF_CORE_READ(t, pdeath_signal) == sig)
		*flags |= SIGNAL_PDEATH;
	if (*flags & SIGNAL_FATAL || bit & SIG_STOP_REQUEST_MASK)
		*flags |= SIGNAL_MATTERS;
	else if (sig == SIGCONT && task_state(t) & (__TASK_STOPPED | __TASK_TRACED))
		*flags |= SIGNAL_MATTERS;
	else if (!(bit & SIG_KERNEL_IGNORE_MASK) && handler == SIG_DFL &&
		 !(*flags & SIGNAL_BLOCKED))
		*flags |= SIGNAL_MATTERS;
	/* Handled routine signals are decided: their handler runs. */
	if (queued(result) && !(*flags & (SIGNAL_FATAL | SIGNAL_TOO_LATE)) &&
	    bit & SIG_TERMINATES_MASK &&
	    (handler == SIG_DFL || bit & SIG_STOP_REQUEST_MASK || *flags & SIGNAL_BLOCKED))
		*flags |= SIGNAL_UNDECIDED;
	return *flags;
}

/* A container's stop signal can be any, SIGUSR1 or SIGWINCH, that its init
 * handles. Only userspace knows which it is; the runtime, which sends it, runs
 * in another cgroup. */
__noinline u32 sent_from_outside(u64 task, u64 info, int result, u32 flags)
{
	u8 target_hierarchy, sender_hierarchy;

	if (!queued(result) || LACKS_SIGINFO(info) || flags & (SIGNAL_MATTERS | SIGNAL_TOO_LATE))
		return 0;
	if (cgroup_of((struct task_struct *)task, &target_hierarchy) ==
		    cgroup_of(current_task(), &sender_hierarchy) &&
	    target_hierarchy == sender_hierarchy)
		return 0;
	return SIGNAL_OUTSIDE;
}

/* The scratch holds the event already; what follows it is overwritten. */
static __always_inline void remember_undecided(struct event_signal_stack *e, bool emitted)
{
	struct pending_key key = {.tgid = e->s.target.tgid, .sig = e->s.sig};
	struct pending *p = (void *)e;

	e->s.h.size = sizeof(e->s);
	e->s.frames_used = 0;
	p->told = emitted;
	p->pad = 0;
	bpf_map_update_elem(&undecided, &key, p, BPF_ANY);
}

/* Without a branch: the verifier would follow either lane to the end. */
static __always_inline u32 lane_of(u32 flags)
{
	u64 deciding = flags & (SIGNAL_MATTERS | SIGNAL_UNDECIDED | SIGNAL_FATAL);

	barrier_var(deciding);
	return (deciding - 1) >> 63; /* LANE_ROUTINE where there is none */
}

/* Signals that wait for the target to unblock them are emitted at their
 * delivery, if they turn out to be fatal. */
static __always_inline bool only_if_fatal(u32 flags)
{
	return !config_all && flags & SIGNAL_UNDECIDED &&
	       !(flags & (SIGNAL_MATTERS | SIGNAL_OUTSIDE));
}

static __always_inline u32 add_stack(void *ctx, struct event_signal_stack *e)
{
	long n = bpf_get_stack(ctx, e->frames, sizeof(e->frames), 0);

	if (n <= 0)
		return sizeof(e->s);
	e->s.frames_used = n / sizeof(e->frames[0]);
	return sizeof(*e);
}

/* Whether it then exits without a fatal signal shows at its exit. */
static __always_inline void note_asked(u64 task, u32 flags)
{
	struct proc_key key = key_of((struct task_struct *)task);
	struct proc_entry *e = proc_of(&key);

	if (e)
		e->asked |= flags;
}

/* Who pays for a signal: of a fatal one the process that it ends, so that nobody who
 * has spent his own budget kills unseen. Any other its sender, and only when he
 * cannot its target. */
__noinline int affords_signal(u64 task, u64 info, u32 lane, u32 flags)
{
	u64 current = bpf_get_current_task(), payer;

	if (flags & SIGNAL_FATAL) {
		if (afford(task, importance_of(task), FATAL_COST)) {
			note_asked(task, ASKED_PAID);
			return 1;
		}
		fold(task, lane);
		note_asked(task, ASKED_UNPAID | ASKED_FOLDED);
		return 0;
	}
	payer = HAS_SIGINFO(info) ? current : task;
	if (afford(payer, IMPORTANCE_ORDINARY, 1))
		return 1;
	if (!same_budget(payer, task)) {
		if (afford(task, IMPORTANCE_FOREIGN, 1))
			return 1;
		fold(task, lane); /* its records, too, miss something */
	}
	fold(payer, lane);
	note_asked(task, ASKED_FOLDED);
	return 0;
}

/* A handled signal of which nothing new has to be noted, without looking at what else
 * it may be: it was pending already, or continues a burst. */
static __always_inline bool noted_already(struct task_struct *arg, u64 info, int sig, int result)
{
	u64 tgid, start;

	if (config_all || !notable(sig) || ARG_READ(arg, blocked.sig[0]) & rt_sigmask(sig) ||
	    handler_of(arg, sig) <= SIG_IGN)
		return false;
	if (!queued(result))
		return true;
	tgid = ARG_READ(arg, tgid);
	start = start_of(ARG_READ(arg, group_leader));
	return note_again(start, tgid << 32 | ARG_READ(arg, pid), info, sig);
}

/* Its event, if it is emitted at all, comes with what the target does about it. */
static __always_inline bool to_be_noted(int sig, int result, u32 flags)
{
	return notable(sig) && queued(result) && flags & (SIGNAL_HANDLED | SIGNAL_BLOCKED) &&
	       !(flags & (SIGNAL_FATAL | SIGNAL_MATTERS | SIGNAL_OUTSIDE | SIGNAL_TOO_LATE));
}

/* PR_SET_PDEATHSIG: does the parent end, or only the thread that forked? */
__noinline u32 sender_group_dead(u32 flags)
{
	struct signal_struct *signal = BPF_CORE_READ(current_task(), signal);

	if (!(flags & SIGNAL_PDEATH))
		return 0;
	if (BPF_CORE_READ(signal, flags) & SIGNAL_GROUP_EXIT ||
	    BPF_CORE_READ(signal, live.counter) == 0)
		return SIGNAL_SENDER_GROUP_DEAD;
	return 0;
}

static __always_inline void signal_generated(u64 *ctx, int sig, struct task_struct *arg, int group,
					     int result)
{
	enum relevance relevance = filter_target(arg);
	u64 t, info, current = bpf_get_current_task();
	u32 flags, lane, size;
	bool affordable, emitted;
	struct event_signal_stack *e;

	if (relevance == RELEVANCE_NONE)
		return;
	info = number(ctx, ARG_INFO);
	if (noted_already(arg, info, sig, result))
		return;
	t = number(ctx, ARG_TASK);
	flags = disposition(t, sig, result);
	flags |= sent_from_outside(t, info, result, flags);
	flags |= sender_group_dead(flags);
	if (relevance == RELEVANCE_CONTEXT)
		flags |= SIGNAL_CONTEXT;
	if (to_be_noted(sig, result, flags) && (!config_all || relevance == RELEVANCE_CONTEXT))
		note_signal(t, info, sig, result, flags);
	if (!(flags & (SIGNAL_MATTERS | SIGNAL_UNDECIDED | SIGNAL_OUTSIDE)) &&
	    (!config_all || relevance == RELEVANCE_CONTEXT))
		return;
	lane = lane_of(flags);
	affordable = affords_signal(t, info, lane, flags);
	if (affordable) {
		describe(current, true, lane, SCRATCH_SIGNAL);
		describe(t, t == current, lane, SCRATCH_SIGNAL); /* makes its entry, too */
	}
	if (flags & (SIGNAL_HANDLED | SIGNAL_BLOCKED) && queued(result) &&
	    (rt_sigmask(sig) & SIG_TERMINATES_MASK || flags & SIGNAL_OUTSIDE))
		note_asked(t, ASKED);
	/* What becomes of one that is undecided shows at its delivery. */
	if (!affordable && !(flags & SIGNAL_UNDECIDED))
		return;
	if (affordable && !only_if_fatal(flags))
		emit_notes_of_sender(ARG_READ(arg, tgid), sig);
	e = scratch_of(SCRATCH_SIGNAL);
	if (!e)
		return;
	size = sizeof(e->s);
	if (build_signal(t, info, sig, result, flags) && affordable)
		size = add_stack(ctx, e);
	if (group)
		e->s.flags |= SIGNAL_GROUP;
	fill_header(&e->s.h, EVENT_SIGNAL, lane, size);
	if (affordable && kept_signal(sig, flags))
		keep_signal(t, current);
	emitted = affordable && !only_if_fatal(flags);
	if (emitted)
		emit_scratch(SCRATCH_SIGNAL, lane, size);
	if (flags & SIGNAL_UNDECIDED)
		remember_undecided(e, emitted);
}

#endif
