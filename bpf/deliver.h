// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What is decided only when a signal is delivered: whether a core-dumping,
 * blocked or traced one is fatal to its target, and signals that a debugger injects,
 * which are never generated. */
#ifndef SIGTRACE_DELIVER_H
#define SIGTRACE_DELIVER_H

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
#include "maps.h"
#include "notes.h"
#include "read.h"
#include "signal.h"
#include "signal_numbers.h"
#include "task.h"

static __always_inline bool ends_current(struct task_struct *current, int sig, u64 handler)
{
	if (handler != SIG_DFL || !(rt_sigmask(sig) & SIG_TERMINATES_MASK))
		return false;
	return sig == SIGKILL || !(BPF_CORE_READ(current, signal, flags) & SIGNAL_UNKILLABLE);
}

/* The threads of a process that dumps core, or whose other thread execs, find a
 * SIGKILL that nobody has sent (get_signal()). */
static __always_inline bool being_reaped(struct task_struct *current)
{
	struct signal_struct *signal = BPF_CORE_READ(current, signal);

	if (BPF_CORE_READ(signal, flags) & (SIGNAL_GROUP_EXIT | SIGNAL_GROUP_COREDUMP))
		return true;
	return has_group_exec_task(signal);
}

/* The stored signal, now that it has turned out to be fatal. */
static __always_inline void emit_stored(struct pending *p)
{
	struct event_signal *e = &p->s;

	e->flags |= SIGNAL_FATAL | SIGNAL_MATTERS;
	e->flags &= ~SIGNAL_UNDECIDED;
	e->h.lane = LANE_CRITICAL;
	emit(LANE_CRITICAL, e, sizeof(*e));
	unnote(e->target.start, e->target.tgid, e->sig);
}

__noinline int emit_fate(u64 generated, int sig, s32 code, u32 fatal)
{
	struct event_deliver *d = scratch_of(SCRATCH_SIGNAL);

	if (!d)
		return -1;
	fill_header(&d->h, EVENT_DELIVER, LANE_CRITICAL, sizeof(*d));
	d->sig = sig;
	d->code = code;
	d->fatal = fatal;
	d->pad = 0;
	d->generated = generated;
	BRIEF_INTO(current_task(), SCRATCH_SIGNAL, event_deliver, target);
	return emit_scratch(SCRATCH_SIGNAL, LANE_CRITICAL, sizeof(*d));
}

/* No generation was seen: a tracer injected it, or it is older than sigtrace. */
static __always_inline void emit_unseen(struct task_struct *current, int sig, u64 info)
{
	struct event_signal *e = scratch_of(SCRATCH_SIGNAL);
	struct task_struct *tracer = NULL;
	u32 flags = SIGNAL_FATAL | SIGNAL_MATTERS | SIGNAL_UNSEEN;

	if (BPF_CORE_READ(current, ptrace)) {
		tracer = BPF_CORE_READ(current, parent, group_leader);
		flags |= SIGNAL_TRACED;
		describe((u64)tracer, false, LANE_CRITICAL, SCRATCH_SIGNAL);
	}
	describe((u64)current, true, LANE_CRITICAL, SCRATCH_SIGNAL);
	if (!e)
		return;
	build_signal((u64)current, info, sig, TRACE_SIGNAL_DELIVERED, flags);
	fill_header(&e->h, EVENT_SIGNAL, LANE_CRITICAL, sizeof(*e));
	if (tracer)
		BRIEF_INTO(tracer, SCRATCH_SIGNAL, event_signal, current_);
	if (config_keep)
		keep_signal((u64)current, (u64)(tracer ? tracer : current));
	emit_scratch(SCRATCH_SIGNAL, LANE_CRITICAL, sizeof(*e));
}

static __always_inline void signal_delivered(int sig, u64 info, struct k_sigaction *ka)
{
	struct task_struct *current = current_task();
	struct pending_key key = {.tgid = bpf_get_current_pid_tgid() >> 32, .sig = sig};
	struct pending *p = bpf_map_lookup_elem(&undecided, &key);
	u64 handler;
	s32 code = 0;
	bool fatal;

	if (being_reaped(current))
		return; /* decided already */
	handler = (u64)ARG_READ(ka, sa.sa_handler);
	fatal = ends_current(current, sig, handler);
	if (!p && !fatal)
		return;
	if (HAS_SIGINFO(info))
		code = BPF_CORE_READ((struct kernel_siginfo *)info, si_code);
	if (!p) {
		if (is_target(current) &&
		    affords_signal((u64)current, info, LANE_CRITICAL, SIGNAL_FATAL))
			emit_unseen(current, sig, info);
		return;
	}
	if (config_keep)
		keep_fate(p->s.h.boottime, sig, fatal);
	if (p->told)
		emit_fate(p->s.h.boottime, sig, code, fatal);
	else if (fatal && affords_signal((u64)current, info, LANE_CRITICAL, SIGNAL_FATAL))
		emit_stored(p);
	bpf_map_delete_elem(&undecided, &key);
}

#endif
