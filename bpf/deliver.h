// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What is decided only when a signal is delivered: whether a core-dumping,
 * blocked or traced one ends its target, and signals that a debugger injects,
 * which are never generated. */
#ifndef SIGTRACE_DELIVER_H
#define SIGTRACE_DELIVER_H

static __always_inline bool ends_current(struct task_struct *current, int sig, u64 handler)
{
	if (handler != SIG_DFL_HANDLER || !(BIT_OF(sig) & TERMINATES))
		return false;
	return sig == KILL || !(BPF_CORE_READ(current, signal, flags) & SIGNAL_UNKILLABLE);
}

/* The threads of a process that dumps core, or whose other thread execs, find a
 * SIGKILL that nobody has sent (get_signal()). */
static __always_inline bool being_reaped(struct task_struct *current)
{
	struct signal_struct *signal = BPF_CORE_READ(current, signal);
	struct signal_struct___exit_task *old = (void *)signal;

	if (BPF_CORE_READ(signal, flags) & (SIGNAL_GROUP_EXIT | SIGNAL_GROUP_COREDUMP))
		return true;
	if (bpf_core_field_exists(signal->group_exec_task))
		return BPF_CORE_READ(signal, group_exec_task);
	return bpf_core_field_exists(old->group_exit_task) && BPF_CORE_READ(old, group_exit_task);
}

/* The stored signal, now that it has turned out to be the end. */
static __always_inline void tell_late(struct pending *p)
{
	struct event_signal *e = &p->s;

	e->flags |= SIGNAL_FATAL | SIGNAL_MATTERS;
	e->flags &= ~SIGNAL_UNDECIDED;
	e->h.lane = LANE_CRITICAL;
	emit(LANE_CRITICAL, e, sizeof(*e));
}

__noinline int tell_fate(u64 generated, int sig, s32 code, u32 fatal)
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

/* No generation was seen: a tracer's doing, or older than sigtrace. */
static __always_inline void tell_unseen(struct task_struct *current, int sig, u64 info)
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
	build_signal((u64)current, info, sig, 0, flags);
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
	if (info > 2)
		code = BPF_CORE_READ((struct kernel_siginfo *)info, si_code);
	if (!p) {
		if (is_target(current))
			tell_unseen(current, sig, info);
		return;
	}
	if (config_keep)
		keep_fate(p->s.h.boottime, sig, fatal);
	if (p->told)
		tell_fate(p->s.h.boottime, sig, code, fatal);
	else if (fatal)
		tell_late(p);
	bpf_map_delete_elem(&undecided, &key);
}

#endif
