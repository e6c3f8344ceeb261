// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What differs from kernel to kernel, each with the version that changed it and
 * the commit. Each shim asks the running kernel's types and never compares
 * versions, for vendors backport. A name with three underscores (x___old) is
 * the same kernel type in an older form: CO-RE ignores what follows them.
 *
 * What whole objects differ in is not here: BTF or raw tracepoints is in
 * read.h, bpf_loop() (5.17) or a plain loop in loop.h. Nor is what the
 * verifiers of older kernels want: that is explained where it shapes the code.
 */
#ifndef SIGTRACE_COMPAT_H
#define SIGTRACE_COMPAT_H

#include "kernel_types.h"
#include <bpf_helpers.h>
#include <bpf_core_read.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* Up to 5.4, when tsk->real_start_time became start_boottime (cf25e24db61c). */
struct task_struct___old {
	u64 real_start_time;
};

/* Up to 5.13, when state became __state (2f064a59a11f). */
struct task_struct___state {
	long state;
};

/* Up to 5.16, when group_exit_task became group_exec_task (60700e38fb68). A core
 * dump sets the older one as well (until 6ac79ec5378b, also in 5.17). */
struct signal_struct___exit_task {
	struct task_struct *group_exit_task;
};

/* Up to 6.0 a cgroup holds its ancestors' ids, from 6.1 on the ancestors
 * (7f203bc89eb6). */
struct cgroup___ids {
	u64 ancestor_ids[1];
};

/* Up to 6.1 the counters are plain, from 6.2 on per CPU (f1a7941243c1). */
struct mm_rss_stat {
	atomic_long_t count[NR_MM_COUNTERS];
};
struct mm_struct___plain {
	struct mm_rss_stat rss_stat;
};

/* Up to 6.14, when parent became __parent (633488947ef6). */
struct kernfs_node___parent {
	struct kernfs_node *parent;
};

/* Of uapi/linux/bpf.h: the helper came with 5.15 (dd6e10fbd9fb). */
enum bpf_func_id___helper { BPF_FUNC_task_pt_regs___helper = 175 };

#pragma clang attribute pop

/* CLOCK_BOOTTIME, ns, of when a thread group's leader was forked. */
static __always_inline u64 start_of(struct task_struct *leader)
{
	struct task_struct___old *old = (void *)leader;

	if (bpf_core_field_exists(leader->start_boottime))
		return BPF_CORE_READ(leader, start_boottime);
	return BPF_CORE_READ(old, real_start_time);
}

static __always_inline u32 task_state(struct task_struct *t)
{
	struct task_struct___state *old = (void *)t;

	if (bpf_core_field_exists(t->__state))
		return BPF_CORE_READ(t, __state);
	return BPF_CORE_READ(old, state);
}

/* A flag of signal_struct up to 5.16 (2f824d4d197e); no other took its bit. */
#define SIGNAL_GROUP_COREDUMP 0x8

/* Does one thread wait for all others to end, for an exec or a core dump? */
static __always_inline bool has_group_exec_task(struct signal_struct *signal)
{
	struct signal_struct___exit_task *old = (void *)signal;

	if (bpf_core_field_exists(signal->group_exec_task))
		return BPF_CORE_READ(signal, group_exec_task);
	return bpf_core_field_exists(old->group_exit_task) && BPF_CORE_READ(old, group_exit_task);
}

/* How the kernel passes a signal without siginfo: in place of the pointer. The
 * last of these went with 4.20; vendors' kernels that are based on older ones may
 * have it still. */
enum { SEND_SIG_NOINFO, SEND_SIG_PRIV, SEND_SIG_FORCED };

/* Macros, and two of them: of a function or a negation the compiler makes other
 * code, whose branches the verifier follows otherwise. */
#define HAS_SIGINFO(info) ((info) > SEND_SIG_FORCED)
#define LACKS_SIGINFO(info) ((info) <= SEND_SIG_FORCED)

/* The kernfs id of a cgroup's ancestor; at its own level that is the cgroup. */
static __always_inline u64 ancestor_id(struct cgroup *cgrp, u32 level)
{
	struct cgroup___ids *old = (void *)cgrp;
	struct cgroup *ancestor = NULL;
	u64 id = 0;

	if (bpf_core_field_exists(cgrp->ancestors)) {
		u64 at = (u64)cgrp + bpf_core_field_offset(cgrp->ancestors) +
			 level * (u32)sizeof(ancestor);

		bpf_probe_read_kernel(&ancestor, sizeof(ancestor), (void *)at);
		return BPF_CORE_READ(ancestor, kn, id);
	}
	bpf_probe_read_kernel(&id, sizeof(id),
			      (void *)((u64)cgrp + bpf_core_field_offset(old->ancestor_ids) +
				       level * (u32)sizeof(id)));
	return id;
}

/* One of the MM_* counters, in pages. */
static __always_inline s64 rss_counter(struct mm_struct *mm, u32 which)
{
	struct mm_struct___plain *old = (void *)mm;
	s64 pages;

	if (bpf_core_type_exists(struct mm_rss_stat)) {
		u64 at = (u64)mm + bpf_core_field_offset(old->rss_stat.count) +
			 which * sizeof(pages);

		bpf_probe_read_kernel(&pages, sizeof(pages), (void *)at);
		return pages;
	}
	struct percpu_counter *c = (void *)((u64)mm + bpf_core_field_offset(mm->rss_stat) +
					    which * bpf_core_type_size(struct percpu_counter));
	return BPF_CORE_READ(c, count);
}

/* The offset of parent in a kernfs_node, for walks to ask once: a choice in the
 * loop makes the compiler close it by falling through to its head, which
 * verifiers up to 6.1 take for a loop without end. */
static __always_inline u64 kernfs_parent_at(void)
{
	struct kernfs_node *kn = NULL;
	struct kernfs_node___parent *old = NULL;

	if (bpf_core_field_exists(kn->__parent))
		return bpf_core_field_offset(kn->__parent);
	return bpf_core_field_offset(old->parent);
}

#define KERNEL_STACK_SIZE 16384 /* x86-64 and arm64 with 4K pages, without KASAN */

/* Before the helper came, no padding lay above pt_regs. */
static __always_inline struct pt_regs *current_regs(struct task_struct *current)
{
	if (bpf_core_enum_value_exists(enum bpf_func_id___helper, BPF_FUNC_task_pt_regs___helper))
		return (void *)bpf_task_pt_regs((void *)bpf_get_current_task_btf());
	return (void *)((u64)BPF_CORE_READ(current, stack) + KERNEL_STACK_SIZE -
			bpf_core_type_size(struct pt_regs));
}

/* A map helper's error. Up to 6.3 the kernel's functions return an int, which
 * the programs call as if it were a long (d7ba4cc900bf). */
static __always_inline s32 map_error(long returned)
{
	return returned;
}

/* uapi/linux/seccomp.h; the kernel itself sets the last, from 5.17 on. */
enum { SECCOMP_MODE_DISABLED, SECCOMP_MODE_STRICT, SECCOMP_MODE_FILTER, SECCOMP_MODE_DEAD };

/* Without CONFIG_SECCOMP there is no mode. */
static __always_inline u32 seccomp_mode_of(struct task_struct *t)
{
	if (bpf_core_field_exists(t->seccomp.mode))
		return BPF_CORE_READ(t, seccomp.mode);
	return SECCOMP_MODE_DISABLED;
}

#endif
