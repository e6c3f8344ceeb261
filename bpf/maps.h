// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#ifndef SIGTRACE_MAPS_H
#define SIGTRACE_MAPS_H

#include "kernel_types.h"
#include <bpf_helpers.h>
#include "event.h"

/* Never made: it puts the types of what goes through the rings into the object's
 * BTF, so that the layout's digest covers them. Pinned maps are used again only by
 * a sigtrace that lays out everything alike. */
struct wire {
	struct event_signal_stack signal;
	struct event_signal_noted noted;
	struct event_deliver deliver;
	struct event_proc proc;
	struct event_chain chain;
	struct chain_node node;
	struct event_oom oom;
	struct event_exit exit;
	struct event_exit_caller exit_caller;
	struct event_cgroup cgroup;
};
/* Never made either: the closed lists that Go has constants of. */
struct wire_enums {
	enum event_kind event_kind;
	enum lane lane;
	enum loss_index loss_index;
	enum hierarchy hierarchy;
	enum signal_flag signal_flag;
	enum info_kind info_kind;
	enum proc_flag proc_flag;
	enum node_flag node_flag;
	enum chain_kind chain_kind;
	enum oom_flag oom_flag;
	enum exit_flag exit_flag;
	enum cgroup_change cgroup_change;
};
struct exported {
	struct wire wire;
	struct wire_enums enums;
};
const struct exported *exported_types __attribute__((unused));

#define RING_BYTES (4 << 20)

/* One ring a lane: a flood of routine signals never drops a deciding one. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, RING_BYTES);
} critical SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, RING_BYTES); /* four times that for --all */
} routine SEC(".maps");

/* Events that were dropped, by enum loss_index; never reset. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LOSS_INDEXES);
	__type(key, u32);
	__type(value, u64);
} losses SEC(".maps");

struct proc_key {
	u64 start;
	u32 tgid;
	u32 pad;
};

enum asked_flag {
	ASKED = 1 << 0,	       /* a signal that asks it to end was handled or is blocked */
	ASKED_FOLDED = 1 << 1, /* a signal to it was not emitted, for want of budget */
	ASKED_PAID = 1 << 2,   /* its fatal signal was emitted: so is its exit */
	ASKED_UNPAID = 1 << 3, /* its fatal signal was not: nor is its exit */
};

#define SNAPSHOT_EXE KEPT_EXE
#define SNAPSHOT_ARGS KEPT_ARGS

/*
 * A process as its fork and last exec left it. Kept while it lives, and after
 * its death as long as it has living descendants whose lineage leads over it:
 * refs counts the entries that name it as their forker.
 */
struct proc_entry {
	struct proc_key forker;
	s32 refs;
	u32 dead; /* it has exited */
	u32 described_epoch[LANES];
	u32 described_chain[LANES];
	u64 cgroup;
	u8 hierarchy;
	u8 args_truncated;
	u16 args_len;
	u8 asked;		/* enum asked_flag */
	u8 seccomp;		/* EXIT_SECCOMP_*: how seccomp ended one of its threads */
	u16 pad;		/* the slot of quotas; the name is part of the pins' layout */
	u32 named_epoch[LANES]; /* exe and args were emitted as somebody's parent's */
	char comm[COMM_LEN];
	char exe[SNAPSHOT_EXE];
	char args[SNAPSHOT_ARGS];
	struct place place; /* as exe and args are: of the last exec */
	u32 tracer;	    /* tgid of the tracer that it was last described with */
	u32 caller_tid;	    /* the thread that called exit_group(2); 0: none has */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__type(key, struct proc_key);
	__type(value, struct proc_entry);
} procs SEC(".maps");

/* How many entries of procs there are of whom shares a budget, by a hash of its key.
 * Who meets another in a slot shares its quota. Slot 0 counts nothing: it is of those
 * that are older than sigtrace. */
#define QUOTA_SLOTS 4096
#define QUOTA_PROCS 8192
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, QUOTA_SLOTS);
	__type(key, u32);
	__type(value, s32);
} quotas SEC(".maps");

struct counters {
	u64 procs_full; /* lineage entries that found no room */
	u64 kept_full;	/* deaths that found no room to be kept */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct counters);
} counted SEC(".maps");

/* Whose events are paid for out of one budget, see budget.h. */
struct budget_key {
	u64 cgroup;
	u32 hierarchy;
	u32 uid; /* where the cgroup is that of no unit */
};
struct budget {
	u64 due;	   /* CLOCK_MONOTONIC, ns: until when it has emitted */
	u64 folded[LANES]; /* events that were counted instead of emitted */
};
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct budget_key);
	__type(value, struct budget);
} budgets SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct budget);
} shared_budget SEC(".maps");

/* Targets by cgroup id (and hierarchy in the top bit). */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, u64);
	__type(value, u8);
} target_cgroups SEC(".maps");

/* A direct-mapped cache, cgroup to whether it is below a target: a signal that is
 * dropped costs one array lookup. */
#define MEMO_SLOTS 1024
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MEMO_SLOTS);
	__type(key, u32);
	__type(value, u64); /* memo_of() | the answer */
} target_memo SEC(".maps");

/* Relatives of the target outside it: shim, monitor, their ancestors. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, u32);
	__type(value, u64);
} kin SEC(".maps");

struct pending_key {
	u32 tgid;
	s32 sig;
};
struct pending {
	struct event_signal s;
	u32 told; /* the signal has been emitted; the name is part of the pins' layout */
	u32 pad;
};

/* Signals whose fate is decided at delivery. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct pending_key);
	__type(value, struct pending);
} undecided SEC(".maps");

/* What oom_kill_process was called with, by the thread that runs it. */
struct oom_call {
	u64 victim_start;
	u32 victim_tgid;
	u32 constraint;
	s32 order;
	u32 gfp_mask;
	u64 limit_cgroup;
	u64 limit_pages, usage_pages;
	u64 total_pages;
	u32 flags;
	u32 told; /* unused, and part of the pins' layout */
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 256);
	__type(key, u32);
	__type(value, struct oom_call);
} oom_calls SEC(".maps");

/* The OOM kill that a thread is making, between its SIGKILL and mark_victim. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 256);
	__type(key, u32);
	__type(value, struct event_oom);
} oom_kills SEC(".maps");

/* Deaths whose records have not been written. What finds no room is counted
 * and stays in the ring alone. One entry each where nothing is kept. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct proc_key);
	__type(value, struct kept_death);
} kept_deaths SEC(".maps");

/* Of processes that have not exited: the least recently signalled goes first. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 2048);
	__type(key, struct proc_key);
	__type(value, struct kept_story);
} kept_stories SEC(".maps");

/* Zeros, to begin a story with. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct kept_story);
} kept_blank SEC(".maps");

/* The last signal of a burst, where it differs from the first. */
struct note_last {
	u64 boottime;
	u64 address;
	s32 code;
	u32 sender_tid, target_tid;
	u32 pad;
};

/* A burst of one signal from one source that its target handled: the first and
 * the last of it. */
struct note {
	struct event_signal first; /* h.size is 0: none, or being written */
	u64 address;
	u64 from;    /* the source: see note_source() */
	u64 emitted; /* boottime up to which it has been emitted */
	struct note_last last;
	struct kept_process sender; /* of those that a process sent */
};

/* What others sent, and what the kernel made of the process's own doings (faults,
 * limits, timers), apart: a flood of one never drops the other. */
enum note_class { NOTES_SENT, NOTES_OWN, NOTE_CLASSES };
#define NOTES_EACH 3
#define NOTES_MAX (NOTE_CLASSES * NOTES_EACH)

struct notes {
	struct note note[NOTES_MAX];
};

/* By process. Deleted as it exits; else the least recently signalled goes first. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct proc_key);
	__type(value, struct notes);
} noted SEC(".maps");

/* Zeros, to begin with. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct notes);
} notes_blank SEC(".maps");

#define SCRATCH_SIZE (32 << 10)
/* Working memory, one for each hook: the exit hook can be interrupted by a
 * signal on the same CPU. */
enum scratch_user { SCRATCH_SIGNAL, SCRATCH_EXIT, SCRATCH_FORK, SCRATCH_ITER, SCRATCH_USERS };
struct scratch {
	char bytes[SCRATCH_SIZE];
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SCRATCH_USERS);
	__type(key, u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

#endif
