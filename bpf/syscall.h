// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The system call that current is in. It sets a true sender apart from a forged
 * si_code: si_code and si_pid are the caller's to choose, the call path is not.
 */
#ifndef SIGTRACE_SYSCALL_H
#define SIGTRACE_SYSCALL_H

#include "kernel_types.h"
#include <bpf_core_read.h>
#include "compat.h"
#include "event.h"
#include "task.h"

#define NO_SYSCALL -1 /* as the kernel has it in orig_ax and syscallno */

/* The flags that a task in a 32-bit system call has, and x32's mark on the number. */
#if defined(__TARGET_ARCH_x86)
#define TS_COMPAT 0x2
#define __X32_SYSCALL_BIT 0x40000000
#elif defined(__TARGET_ARCH_arm64)
#define TIF_32BIT 22
#endif

static __always_inline s64 current_syscall(struct task_struct *current, u32 *flags)
{
	struct pt_regs *regs;

	if (BPF_CORE_READ(current, flags) & PF_KTHREAD)
		return NO_SYSCALL;
	regs = current_regs(current);
#if defined(__TARGET_ARCH_x86)
	if (BPF_CORE_READ(current, thread_info.status) & TS_COMPAT)
		*flags |= SIGNAL_COMPAT;
	s64 nr = BPF_CORE_READ(regs, orig_ax);

	return nr > 0 ? nr & ~(s64)__X32_SYSCALL_BIT : nr;
#elif defined(__TARGET_ARCH_arm64)
	if (BPF_CORE_READ(current, thread_info.flags) & (1 << TIF_32BIT))
		*flags |= SIGNAL_COMPAT;
	return BPF_CORE_READ(regs, syscallno);
#endif
}

#if defined(__TARGET_ARCH_x86)
enum { NR_kill = 62, NR_tkill = 200, NR_tgkill = 234, NR_sigqueue = 129, NR_tgsigqueue = 297 };
#elif defined(__TARGET_ARCH_arm64)
enum { NR_kill = 129, NR_tkill = 130, NR_tgkill = 131, NR_sigqueue = 138, NR_tgsigqueue = 240 };
#endif
enum { NR_pidfd_send_signal = 424 };

#define SI_USER 0
#define SI_QUEUE -1
#define SI_TKILL -6

static __always_inline bool sending_call(s64 nr)
{
	return nr == NR_kill || nr == NR_tkill || nr == NR_tgkill || nr == NR_sigqueue ||
	       nr == NR_tgsigqueue || nr == NR_pidfd_send_signal;
}

/* The pairs that leave no doubt, and so need no kernel stack. */
__noinline int plainly_sent(s64 nr, s32 code, u32 flags)
{
	if (flags & SIGNAL_COMPAT)
		return false;
	if (nr == NR_kill)
		return code == SI_USER;
	if (nr == NR_tgkill || nr == NR_tkill)
		return code == SI_TKILL;
	if (nr == NR_sigqueue || nr == NR_tgsigqueue)
		return code == SI_QUEUE;
	if (nr == NR_pidfd_send_signal)
		return code == SI_USER || code == SI_QUEUE;
	return false;
}

#endif
