// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Who a task is. Everything here reads by helper, so that it serves current
 * (a plain number before 5.11), tracepoint arguments and ancestors alike. */
#ifndef SIGTRACE_TASK_H
#define SIGTRACE_TASK_H

#include "kernel_types.h"
#include <bpf_helpers.h>
#include <bpf_core_read.h>
#include "compat.h"
#include "config.h"
#include "emit.h"
#include "event.h"
#include "maps.h"

/* linux/sched.h */
#define PF_EXITING 0x4
#define PF_IO_WORKER 0x10
#define PF_SIGNALED 0x400
#define PF_KTHREAD 0x200000

/* linux/pid_namespace.h; a power of two, for the verifier to bound a level by. */
#define MAX_PID_NS_LEVEL 32

/* linux/audit.h: loginuid and sessionid of who has not logged in. */
#define AUDIT_UNSET 0xffffffffU

/* The first process, of the machine or of a PID namespace. */
#define INIT_PID 1

static __always_inline struct task_struct *current_task(void)
{
	return (struct task_struct *)bpf_get_current_task();
}

static __always_inline struct proc_key key_of(struct task_struct *t)
{
	struct task_struct *leader = BPF_CORE_READ(t, group_leader);
	struct proc_key key = {};

	key.start = start_of(leader);
	key.tgid = BPF_CORE_READ(t, tgid);
	return key;
}

static __always_inline struct cgroup *memory_cgroup(struct task_struct *t)
{
	u32 id = bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id);

	return BPF_CORE_READ(t, cgroups, subsys[id], cgroup);
}

/* The cgroup that identifies the container: v1's memory cgroup where there is one
 * and the task is in it, else the unified one. */
static __always_inline u64 cgroup_of(struct task_struct *t, u8 *hierarchy)
{
	if (config_memory_v1) {
		struct cgroup *memory = memory_cgroup(t);

		if (BPF_CORE_READ(memory, level) > 0) {
			*hierarchy = HIERARCHY_MEMORY;
			return BPF_CORE_READ(memory, kn, id);
		}
	}
	*hierarchy = HIERARCHY_UNIFIED;
	return BPF_CORE_READ(t, cgroups, dfl_cgrp, kn, id);
}

static __always_inline u32 ns_pid_of(struct task_struct *leader, u32 *inum)
{
	struct pid *pid = BPF_CORE_READ(leader, thread_pid);
	u32 level = BPF_CORE_READ(pid, level) & (MAX_PID_NS_LEVEL - 1);
	u64 at = (u64)pid + bpf_core_field_offset(pid->numbers) +
		 level * bpf_core_type_size(struct upid);
	struct upid *upid = (void *)at;

	*inum = BPF_CORE_READ(upid, ns, ns.inum);
	return BPF_CORE_READ(upid, nr);
}

static __always_inline void fill_brief(struct brief *b, struct task_struct *t)
{
	struct task_struct *leader = BPF_CORE_READ(t, group_leader);
	const struct cred *cred = BPF_CORE_READ(t, real_cred);

	b->start = start_of(leader);
	b->tgid = BPF_CORE_READ(t, tgid);
	b->tid = BPF_CORE_READ(t, pid);
	b->ns_pid = ns_pid_of(leader, &b->pidns);
	b->uid = BPF_CORE_READ(cred, uid.val);
	b->euid = BPF_CORE_READ(cred, euid.val);
	/* Without CONFIG_AUDIT there are none. */
	b->login_uid = b->session_id = AUDIT_UNSET;
	if (bpf_core_field_exists(t->loginuid))
		b->login_uid = BPF_CORE_READ(t, loginuid.val);
	if (bpf_core_field_exists(t->sessionid))
		b->session_id = BPF_CORE_READ(t, sessionid);
	b->cgroup = cgroup_of(t, &b->hierarchy);
	b->flags = BPF_CORE_READ(t, flags);
	b->traced = BPF_CORE_READ(t, ptrace) != 0;
	b->pad[0] = b->pad[1] = 0;
	/* The process is named by its leader, whose task stays until the whole group is
	 * reaped: each thread may have a name of its own, and an io_uring worker's says
	 * nothing of the process that it acts for. */
	bpf_probe_read_kernel(b->comm, sizeof(b->comm), &leader->comm);
}

/* Writes a brief at an offset of a hook's scratch. */
__noinline int brief_into(u64 task, u32 user, u32 offset)
{
	char *scratch = scratch_of(user);

	if (!scratch)
		return -1;
	offset &= SCRATCH_SIZE / 2 - 8;
	fill_brief((void *)(scratch + offset), (struct task_struct *)task);
	return 0;
}

#define BRIEF_INTO(task, user, event, field)                                                       \
	brief_into((u64)(task), user, __builtin_offsetof(struct event, field))

#endif
