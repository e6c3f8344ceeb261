// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Where a process stands: its mount and user namespaces, and the file that it
 * executes. */
#ifndef SIGTRACE_PLACE_H
#define SIGTRACE_PLACE_H

#include "kernel_types.h"
#include <bpf_helpers.h>
#include <bpf_core_read.h>
#include "event.h"

/* What a step finds beyond the initial namespace reads as 0. */
static __always_inline void read_user_namespaces(struct place *to, struct task_struct *t)
{
	struct user_namespace *ns = BPF_CORE_READ(t, real_cred, user_ns);

	to->user_ns_level = BPF_CORE_READ(ns, level);
	to->user_ns_owner = BPF_CORE_READ(ns, owner.val);
#pragma unroll
	for (int i = 0; i < USER_NS_KEPT; i++) {
		to->user_ns[i] = BPF_CORE_READ(ns, ns.inum);
		ns = BPF_CORE_READ(ns, parent);
	}
}

/* An exiting process has no memory any more, and later no nsproxy: what it had is
 * left as it is. */
static __always_inline void read_place(struct place *to, struct task_struct *t)
{
	struct file *file = BPF_CORE_READ(t, mm, exe_file);
	struct nsproxy *namespaces = BPF_CORE_READ(t, nsproxy);

	to->pad = 0;
	read_user_namespaces(to, t);
	if (namespaces)
		to->mount_ns = BPF_CORE_READ(namespaces, mnt_ns, ns.inum);
	if (file) {
		struct inode *inode = BPF_CORE_READ(file, f_path.dentry, d_inode);

		to->exe_inode = BPF_CORE_READ(inode, i_ino);
		to->exe_device = BPF_CORE_READ(inode, i_sb, s_dev);
		to->exe_owner = BPF_CORE_READ(inode, i_uid.val);
	}
}

#endif
