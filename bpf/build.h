// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A signal's event, as it is generated. */
#ifndef SIGTRACE_BUILD_H
#define SIGTRACE_BUILD_H

#include "kernel_types.h"
#include <bpf_core_read.h>
#include "compat.h"
#include "emit.h"
#include "event.h"
#include "maps.h"
#include "signal_numbers.h"
#include "syscall.h"
#include "task.h"

static __always_inline bool child_status(int sig, u64 info, s32 code)
{
	return sig == SIGCHLD && HAS_SIGINFO(info) && code > 0;
}

/* Writes the event into the scratch; returns whether it takes the kernel stack
 * to know how the signal came about. */
__noinline int build_signal(u64 task, u64 info, u32 sig, u32 result, u32 flags)
{
	struct event_signal *e = scratch_of(SCRATCH_SIGNAL);
	struct task_struct *current = current_task();

	if (!e)
		return 0;
	BRIEF_INTO(current, SCRATCH_SIGNAL, event_signal, current_);
	BRIEF_INTO(task, SCRATCH_SIGNAL, event_signal, target);
	e->sig = sig;
	e->code = 0;
	if (HAS_SIGINFO(info))
		e->code = BPF_CORE_READ((struct kernel_siginfo *)info, si_code);
	e->info = HAS_SIGINFO(info) ? INFO_REAL : info;
	e->result = result;
	e->frames_used = 0;
	e->flags = flags;
	e->syscall = current_syscall(current, &e->flags);
	e->target_init = e->target.ns_pid == INIT_PID;
	if (child_status(sig, info, e->code))
		return 0;
	return LACKS_SIGINFO(info) || !plainly_sent(e->syscall, e->code, e->flags);
}

#endif
