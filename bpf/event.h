// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What goes over the wire: one struct a kind, little endian, sizes asserted
 * here and decoded in internal/tracer/wire; a test holds the one against the
 * other. Add at the end of a struct only.
 */
#ifndef SIGTRACE_EVENT_H
#define SIGTRACE_EVENT_H

#include "kernel_types.h"

#define COMM_LEN 16
#define MAX_FRAMES 24
#define MAX_CHAIN 40
#define PATH_SLOTS 24
#define PATH_SLOT_LEN 128
#define ARGS_MAX 8192
#define CGROUP_PATH_MAX 1024

enum event_kind {
	EVENT_SIGNAL = 1, /* a signal was generated */
	EVENT_DELIVER,	  /* an undecided signal met its fate */
	EVENT_PROC,	  /* describes a process: exe and args */
	EVENT_CHAIN,	  /* its ancestry: present parents, or by lineage */
	EVENT_OOM,	  /* the OOM killer killed a process */
	EVENT_EXIT,	  /* the last thread of a process exited */
	EVENT_CGROUP,	  /* a cgroup was made or removed */
};

/* A ring each, see maps.h. */
enum lane { LANE_CRITICAL, LANE_ROUTINE, LANES };
#define LANE_MASK (LANES - 1)

/* The slots of the map losses: events that found no room, by lane. */
enum loss_index { LOSS_RING_FULL_CRITICAL, LOSS_RING_FULL_ROUTINE, LOSS_INDEXES };

struct event_header {
	u8 kind;
	u8 lane;
	u16 generation; /* of the programs that emitted it: pins outlive some */
	u32 size;	/* of the whole event, in bytes */
	u64 boottime;	/* CLOCK_BOOTTIME, ns */
};

/* A process (or thread) as every event carries it. */
struct brief {
	u64 start;  /* leader's start, CLOCK_BOOTTIME, ns: with tgid the identity */
	u64 cgroup; /* kernfs id */
	u32 tgid, tid;
	u32 ns_pid; /* of the thread group, in its innermost PID namespace */
	u32 pidns;  /* inode of that namespace */
	u32 uid, euid;
	u32 login_uid, session_id; /* AUDIT_UNSET: none */
	u8 hierarchy;		   /* of cgroup: enum hierarchy */
	u8 traced;		   /* the thread has a tracer (ptrace) */
	u8 pad[2];
	u32 flags; /* PF_* of the thread */
	char comm[COMM_LEN];
};

enum hierarchy { HIERARCHY_UNIFIED, HIERARCHY_MEMORY, HIERARCHIES };

enum signal_flag {
	SIGNAL_FATAL = 1 << 0,	   /* the group exit has been set with this signal */
	SIGNAL_UNDECIDED = 1 << 1, /* EVENT_DELIVER may follow */
	SIGNAL_MATTERS = 1 << 2,   /* worth showing: see disposition() */
	SIGNAL_GROUP = 1 << 3,	   /* not aimed at one thread */
	SIGNAL_CONTEXT = 1 << 4,   /* not the target's own: used, not shown */
	SIGNAL_TRACED = 1 << 5,	   /* target has a tracer */
	SIGNAL_PDEATH = 1 << 6,	   /* it is the target's parent-death signal */
	SIGNAL_HANDLED = 1 << 7,   /* a handler is set */
	SIGNAL_BLOCKED = 1 << 8,
	SIGNAL_COMPAT = 1 << 9, /* syscall is a 32-bit task's number */
	/* At a parent's death: its whole process is ending, not a thread of it alone. */
	SIGNAL_SENDER_GROUP_DEAD = 1 << 10,
	SIGNAL_UNSEEN = 1 << 11, /* made up at delivery: no generation was seen */
	/* Of kept signals; userspace sets it on the others. */
	SIGNAL_SURVIVED = 1 << 12,
	SIGNAL_OUTSIDE = 1 << 13, /* sent by a process of another cgroup */
	/* Handled and kept in the kernel, and older than what follows it: see notes.h. */
	SIGNAL_NOTED = 1 << 14,
	SIGNAL_TOO_LATE = 1 << 15, /* the target was dying already */
};

/* How siginfo was passed: SEND_SIG_NOINFO, SEND_SIG_PRIV, or as a struct. */
enum info_kind { INFO_NONE, INFO_PRIV, INFO_REAL };

struct event_signal {
	struct event_header h;
	s32 sig;
	s32 code;	/* si_code, with INFO_REAL only */
	u8 info;	/* enum info_kind */
	u8 result;	/* TRACE_SIGNAL_* */
	u8 target_init; /* the target is pid 1 of a PID namespace */
	u8 frames_used;
	u32 flags;   /* enum signal_flag */
	s64 syscall; /* number of current's system call, NO_SYSCALL: none */
	struct brief current_;
	struct brief target;
};

/* With the kernel stack: for all that is not plainly a kill system call. */
struct event_signal_stack {
	struct event_signal s;
	u64 frames[MAX_FRAMES];
};

/* What is kept of how a process was last executed, and of who forked it. */
#define KEPT_EXE 96
#define KEPT_ARGS 192

struct kept_process {
	u64 forker_start;
	u32 forker_tgid;
	u16 args_len;
	u8 args_truncated;
	u8 known; /* else the rest is not */
	char exe[KEPT_EXE];
	char args[KEPT_ARGS];
};

/* A noted signal (SIGNAL_NOTED): its sender may be gone and forgotten. */
struct event_signal_noted {
	struct event_signal s;
	u64 address; /* si_addr of a fault, else 0 */
	struct kept_process sender;
};

struct event_deliver {
	struct event_header h;
	s32 sig;
	s32 code;
	u32 fatal; /* the default action will end the process */
	u32 pad;
	u64 generated; /* boottime of the signal that this belongs to */
	struct brief target;
};

#define USER_NS_KEPT 4

/*
 * Where a process stands: a path that names a runtime proves nothing in a mount
 * namespace that its user made. Of a process without a user namespace, none of
 * this is known.
 */
struct place {
	u64 exe_inode;
	u32 exe_device;		   /* of the super block, as the kernel encodes it; 0: no file */
	u32 exe_owner;		   /* uid of the executable's file */
	u32 mount_ns;		   /* inode; 0: it has exited, or has none */
	u32 user_ns_level;	   /* 0: the initial one */
	u32 user_ns[USER_NS_KEPT]; /* inodes: its own, then those around that */
	u32 user_ns_owner;	   /* uid of who made its own */
	u32 pad;
};

enum proc_flag {
	PROC_ARGS_TRUNCATED = 1 << 0,
	PROC_SNAPSHOT = 1 << 1, /* args are those of the last exec */
	PROC_EXE_DELETED = 1 << 2,
	PROC_NO_ARGS = 1 << 3, /* could not be read here */
};

enum node_flag { NODE_EXITED = 1 << 0 };

struct chain_node {
	u64 start;
	u64 cgroup;
	u32 tgid;
	u8 hierarchy;
	u8 flags;
	u16 pad;
	char comm[COMM_LEN];
};

/* Followed by exe_slots path components (leaf first), then args. */
struct event_proc {
	struct event_header h;
	struct brief b;
	u32 flags;
	u32 exe_slots;
	u32 args_len;
	u32 pad;
	struct place place;
	struct chain_node tracer; /* tgid 0: none */
};

enum chain_kind { CHAIN_PRESENT, CHAIN_LINEAGE };

/* Followed by its nodes, nearest first. */
struct event_chain {
	struct event_header h;
	u64 start;
	u32 tgid;
	u16 which; /* enum chain_kind */
	u16 nodes;
};

enum oom_flag {
	OOM_HAS_CONTROL = 1 << 0, /* seen by oom_kill_process itself */
	OOM_GROUP = 1 << 1,	  /* killed as a member of memory.oom.group */
	OOM_LIMIT_FOUND = 1 << 2,
	OOM_CONTEXT = 1 << 3, /* not the target's own: used, not shown */
};

struct event_oom {
	struct event_header h;
	u32 flags;
	u32 constraint;
	s32 order;
	u32 gfp_mask;
	u64 limit_cgroup;
	u64 limit_pages, usage_pages;
	s64 rss_file, rss_anon, rss_swap, rss_shmem; /* pages */
	s32 oom_score_adj;
	u32 page_size;
	u64 total_pages;
	struct brief victim;
	struct brief trigger;
	u64 frames[MAX_FRAMES];
};

enum exit_flag {
	EXIT_OOM_MARK = 1 << 0, /* the OOM killer has killed for this mm */
	EXIT_INIT = 1 << 1,	/* pid 1 of its PID namespace */
	EXIT_CONTEXT = 1 << 2,	/* not the target's own: used, not shown */
	EXIT_ASKED = 1 << 3,	/* it had been sent a signal that asks it to end */
	/* A thread was killed by seccomp without passing through signal delivery, in this mode. */
	EXIT_SECCOMP_STRICT = 1 << 4,
	EXIT_SECCOMP_FILTER = 1 << 5,
	EXIT_SECCOMP_DEAD = 1 << 6, /* SECCOMP_MODE_DEAD, from 5.17 */
	EXIT_NOTED = 1 << 7,	    /* a noted signal may be why it exited */
	EXIT_FOLDED = 1 << 8,	    /* signals to it were counted instead of emitted */
};

struct event_exit {
	struct event_header h;
	u32 status; /* as wait(2) gives it */
	u32 flags;
	u64 max_rss_pages;
	u64 pending; /* signals that were still pending, bit n-1 for n */
	struct brief b;
};

/* As it goes over the wire; what is kept of a death is the part before. */
struct event_exit_caller {
	struct event_exit x;
	u32 caller_tid; /* the thread that called exit_group(2), 0: not known */
	u32 pad;
};

enum cgroup_change { CGROUP_MADE, CGROUP_REMOVED };

struct event_cgroup {
	struct event_header h;
	u64 id;
	u8 hierarchy;
	u8 what; /* enum cgroup_change */
	u16 path_len;
	u32 pad;
	char path[CGROUP_PATH_MAX];
};

/*
 * What is kept of a death until userspace has written its record: nothing of
 * this goes through the rings. An event whose size is 0 is none.
 */
#define KEPT_FATAL 2 /* the slot of the fatal signal; those before: the last others */
#define KEPT_LEVELS 8
#define KEPT_NAME 96

struct kept_signal {
	struct event_signal_stack event;
	struct kept_process sender;
};

/* Of a process that has not exited: the last signals, the OOM kill. */
struct kept_story {
	struct kept_signal signals[KEPT_FATAL + 1];
	u32 turn;
	u32 pad;
	struct event_oom oom;
};

struct kept_death {
	struct event_exit exit;
	struct kept_process process;
	u32 levels; /* of cgroup's names, leaf first; 0: too many, or its root */
	u32 pad;    /* userspace notes its attempts to make the record here: Attempts */
	char cgroup[KEPT_LEVELS][KEPT_NAME];
	struct kept_story story;
};

_Static_assert(sizeof(struct event_header) == 16, "header");
_Static_assert(sizeof(struct brief) == 72, "brief");
_Static_assert(sizeof(struct event_signal) == 16 + 24 + 144, "signal");
_Static_assert(sizeof(struct event_signal_stack) == 184 + 192, "signal stack");
_Static_assert(sizeof(struct event_signal_noted) == 184 + 8 + 304, "noted signal");
_Static_assert(sizeof(struct event_deliver) == 16 + 24 + 72, "deliver");
_Static_assert(sizeof(struct place) == 48, "place");
_Static_assert(sizeof(struct chain_node) == 40, "chain node");
_Static_assert(sizeof(struct event_proc) == 16 + 72 + 16 + 48 + 40, "proc");
_Static_assert(sizeof(struct event_chain) == 32, "chain");
_Static_assert(sizeof(struct event_oom) == 16 + 16 + 24 + 32 + 16 + 144 + 192, "oom");
_Static_assert(sizeof(struct event_exit) == 16 + 24 + 72, "exit");
_Static_assert(sizeof(struct event_exit_caller) == 112 + 8, "exit and caller");
_Static_assert(sizeof(struct event_cgroup) == 16 + 16 + 1024, "cgroup");
_Static_assert(sizeof(struct kept_process) == 16 + 288, "kept process");
_Static_assert(sizeof(struct kept_signal) == 376 + 304, "kept signal");
_Static_assert(sizeof(struct kept_story) == 3 * 680 + 8 + 440, "kept story");
_Static_assert(sizeof(struct kept_death) == 112 + 304 + 8 + 768 + 2488, "kept death");

#endif
