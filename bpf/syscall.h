// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The system call that current is in. It tells a true sender from a forged
 * si_code: si_code and si_pid are the user's to choose, the call path is not.
 */
#ifndef SIGTRACE_SYSCALL_H
#define SIGTRACE_SYSCALL_H

#define KERNEL_STACK_SIZE 16384 /* x86-64 and arm64 with 4K pages, without KASAN */

static __always_inline struct pt_regs *current_regs(struct task_struct *current)
{
	/* The helper came with 5.15; before it, no padding lay above pt_regs. */
	if (bpf_core_enum_value_exists(enum bpf_func_id___probe, BPF_FUNC_task_pt_regs___probe))
		return (void *)bpf_task_pt_regs((void *)bpf_get_current_task_btf());
	return (void *)((u64)BPF_CORE_READ(current, stack) + KERNEL_STACK_SIZE -
			bpf_core_type_size(struct pt_regs));
}

static __always_inline s64 current_syscall(struct task_struct *current, u32 *flags)
{
	struct pt_regs *regs;

	if (BPF_CORE_READ(current, flags) & PF_KTHREAD)
		return -1;
	regs = current_regs(current);
#if defined(__TARGET_ARCH_x86)
#define TS_COMPAT 2
#define X32_BIT 0x40000000
	if (BPF_CORE_READ(current, thread_info.status) & TS_COMPAT)
		*flags |= SIGNAL_COMPAT;
	s64 nr = BPF_CORE_READ(regs, orig_ax);

	return nr > 0 ? nr & ~(s64)X32_BIT : nr;
#elif defined(__TARGET_ARCH_arm64)
#define TIF_32BIT (1 << 22)
	if (BPF_CORE_READ(current, thread_info.flags) & TIF_32BIT)
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
