// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The kernel types that sigtrace reads, and of each only the members that it
 * reads. CO-RE finds them in the running kernel's BTF by name, so order, size
 * and absence of everything else do not matter. They are those of the newest
 * kernel: what older ones call or lay out differently is in compat.h.
 */
#ifndef SIGTRACE_KERNEL_TYPES_H
#define SIGTRACE_KERNEL_TYPES_H

/* Has libbpf's bpf_tracing.h use the kernel's names of registers. */
#define __VMLINUX_H__

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef int __s32;
typedef unsigned long long __u64;
typedef long long __s64;
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __s32 s32;
typedef __u64 u64;
typedef __s64 s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef int pid_t;
typedef _Bool bool;
enum { false = 0, true = 1 };

#define NULL ((void *)0)

/* What libbpf's map macros need of uapi/linux/bpf.h. */
enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_RINGBUF = 27,
};

enum { BPF_ANY = 0, BPF_NOEXIST = 1 };
enum { BPF_RB_NO_WAKEUP = 1, BPF_RB_FORCE_WAKEUP = 2 };
enum { BPF_RB_AVAIL_DATA = 0 };

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

enum cgroup_subsys_id { memory_cgrp_id = 4 };

struct list_head {
	struct list_head *next;
};

typedef struct {
	int counter;
} atomic_t;
typedef struct {
	s64 counter;
} atomic_long_t;
typedef struct {
	u32 val;
} kuid_t;
typedef struct {
	unsigned long sig[1];
} sigset_t;

union __sifields {
	struct {
		void *_addr;
	} _sigfault;
};
struct kernel_siginfo {
	int si_code;
	union __sifields _sifields;
};

struct sigaction {
	void *sa_handler;
};
struct k_sigaction {
	struct sigaction sa;
};
struct sighand_struct {
	struct k_sigaction action[64];
};

/* enum in the kernel's mm_types_task.h. */
enum { MM_FILEPAGES, MM_ANONPAGES, MM_SWAPENTS, MM_SHMEMPAGES, NR_MM_COUNTERS };
struct percpu_counter {
	s64 count;
};

struct qstr {
	const unsigned char *name;
};
struct hlist_bl_node {
	struct hlist_bl_node **pprev;
};
struct super_block {
	u32 s_dev;
};
struct inode {
	kuid_t i_uid;
	struct super_block *i_sb;
	unsigned long i_ino;
};
struct dentry {
	struct hlist_bl_node d_hash;
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
};
struct vfsmount {
	struct dentry *mnt_root;
};
struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};
struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};
struct file {
	struct path f_path;
};

struct mm_struct {
	unsigned long arg_start, arg_end;
	struct file *exe_file;
	struct percpu_counter rss_stat[NR_MM_COUNTERS];
};

struct ns_common {
	unsigned int inum;
};
struct user_namespace {
	struct user_namespace *parent;
	int level;
	kuid_t owner;
	struct ns_common ns;
};
struct mnt_namespace {
	struct ns_common ns;
};
struct nsproxy {
	struct mnt_namespace *mnt_ns;
};

struct cred {
	kuid_t uid, euid;
	struct user_namespace *user_ns;
};

struct pid_namespace {
	struct ns_common ns;
};
struct upid {
	int nr;
	struct pid_namespace *ns;
};
struct pid {
	unsigned int level;
	struct upid numbers[1];
};

struct kernfs_node {
	u64 id;
	const char *name;
	struct kernfs_node *__parent;
};
struct cgroup_root {
	unsigned int subsys_mask;
	int hierarchy_id;
};
struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys_state *parent;
};
struct cgroup {
	int level;
	struct kernfs_node *kn;
	struct cgroup_root *root;
	struct cgroup *ancestors[1];
};
struct css_set {
	struct cgroup_subsys_state *subsys[16];
	struct cgroup *dfl_cgrp;
};

struct page_counter {
	atomic_long_t usage;
	unsigned long max;
};
struct mem_cgroup {
	struct cgroup_subsys_state css;
	struct page_counter memory;
};

struct sigpending {
	sigset_t signal;
};

struct seccomp {
	int mode;
};

struct signal_struct {
	atomic_t live;
	int group_exit_code;
	struct task_struct *group_exec_task;
	unsigned int flags;
	short oom_score_adj;
	struct mm_struct *oom_mm;
	unsigned long maxrss;
	struct sigpending shared_pending;
};

struct thread_info {
	unsigned long flags;
	u32 status;
};

struct task_struct {
	struct thread_info thread_info;
	void *stack;
	unsigned int flags;
	unsigned int ptrace;
	struct mm_struct *mm;
	int exit_code;
	int pdeath_signal;
	pid_t pid, tgid;
	struct task_struct *real_parent, *parent, *group_leader;
	struct list_head children;
	struct pid *thread_pid;
	u64 start_boottime;
	const struct cred *real_cred;
	char comm[16];
	struct nsproxy *nsproxy;
	struct signal_struct *signal;
	struct sighand_struct *sighand;
	sigset_t blocked;
	sigset_t real_blocked;
	struct sigpending pending;
	struct seccomp seccomp;
	kuid_t loginuid;
	unsigned int sessionid;
	struct css_set *cgroups;
	unsigned int __state;
};

struct linux_binprm {
	const char *interp;
};

enum oom_constraint { CONSTRAINT_NONE };
struct oom_control {
	struct mem_cgroup *memcg;
	unsigned int gfp_mask;
	int order;
	unsigned long totalpages;
	struct task_struct *chosen;
	enum oom_constraint constraint;
};

/* The first argument of a function, for BPF_KPROBE, and the system call's number. */
#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long di, orig_ax;
};
#elif defined(__TARGET_ARCH_arm64)
struct user_pt_regs {
	u64 regs[31];
};
struct pt_regs {
	s32 syscallno;
};
#endif

#pragma clang attribute pop

#endif
