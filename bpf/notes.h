// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Signals that are no request to stop and that their target handled: SIGABRT of a
 * watchdog, SIGUSR1, a fault. They are worth an event only if the target then exits,
 * or if it acts on them: so they are noted here, by process, and emitted just before
 * its exit or before the signal that it sends. A flood of them makes no event.
 */
#ifndef SIGTRACE_NOTES_H
#define SIGTRACE_NOTES_H

#include "kernel_types.h"
#include <bpf_helpers.h>
#include <bpf_core_read.h>
#include "build.h"
#include "compat.h"
#include "config.h"
#include "emit.h"
#include "event.h"
#include "keep.h"
#include "maps.h"
#include "signal_numbers.h"
#include "syscall.h"
#include "task.h"

/* How long after it a noted signal may be why its target ended or acted: the widest
 * windows of internal/verdict, which has the exact ones. */
#define NOTE_CRASH_NS 10000000000ULL
#define NOTE_USER_NS 1000000000ULL
#define NOTE_FAULT_NS 1000000000ULL
#define NOTE_FORWARD_NS 1000000000ULL

/* Signals no further apart are one burst, of which the first and the last are kept. */
#define NOTE_BURST_NS 1000000000ULL

/* asm-generic/siginfo.h: of timers and of F_SETSIG, and what a caller of
 * rt_sigqueueinfo(2) may choose as well. */
#define SI_TIMER -2
#define SI_SIGIO -5

static __always_inline bool notable(int sig)
{
	return rt_sigmask(sig) & (SIG_CRASH_MASK | SIG_USER_MASK);
}

/* Where a signal comes from: a process, a thread of the target's own that made a
 * fault, or the kernel, in the context of no matter whom (a timer). */
#define SOURCE_SENT (1ULL << 32)
#define SOURCE_FAULT (2ULL << 32)
#define SOURCE_KERNEL (3ULL << 32)
#define SOURCE_KIND(from) ((from) & (3ULL << 32))

/* 0 for what the target has sent to itself: it needs no notes to know. Garbage
 * collectors stop their threads so. */
static __always_inline u64 note_source(u32 target, u64 info, s32 code)
{
	u64 current = bpf_get_current_pid_tgid();
	u32 tgid = current >> 32, flags = 0;

	if (LACKS_SIGINFO(info))
		return SOURCE_KERNEL;
	if (code > 0)
		return tgid == target ? SOURCE_FAULT | (u32)current : SOURCE_KERNEL;
	if ((code == SI_TIMER || code == SI_SIGIO) &&
	    !sending_call(current_syscall(current_task(), &flags)))
		return SOURCE_KERNEL;
	return tgid == target ? 0 : SOURCE_SENT | tgid;
}

static __always_inline s32 code_of(u64 info)
{
	return HAS_SIGINFO(info) ? BPF_CORE_READ((struct kernel_siginfo *)info, si_code) : 0;
}

static __always_inline u64 fault_address(u64 info, u64 from)
{
	if (SOURCE_KIND(from) != SOURCE_FAULT)
		return 0;
	return (u64)BPF_CORE_READ((struct kernel_siginfo *)info, _sifields._sigfault._addr);
}

/* Is the signal the next one of a burst? Then it becomes its last. */
static __always_inline bool continues(struct note *note, u32 sig, u64 from, u64 now)
{
	u64 longest = SOURCE_KIND(from) == SOURCE_FAULT ? NOTE_FAULT_NS : NOTE_CRASH_NS;

	if (note->from != from || note->first.sig != sig || !note->first.h.size ||
	    now - note->last.boottime > NOTE_BURST_NS || now - note->first.h.boottime > longest)
		return false;
	/* A pid is used again. */
	return SOURCE_KIND(from) != SOURCE_SENT ||
	       note->first.current_.start == start_of(BPF_CORE_READ(current_task(), group_leader));
}

/* What becomes of a handled signal that is noted already, which is the cheap way for
 * a flood. target is its tgid, and the thread's id below it. Returns whether nothing
 * else has to be done. */
__noinline int note_again(u64 start, u64 target, u64 info, u32 sig)
{
	struct proc_key key = {.start = start, .tgid = target >> 32};
	s32 code = code_of(info);
	u64 from = note_source(key.tgid, info, code), now;
	struct notes *notes;

	if (!from)
		return 1;
	notes = bpf_map_lookup_elem(&noted, &key);
	if (!notes)
		return 0;
	now = bpf_ktime_get_boot_ns();
	for (u32 i = 0; i < NOTES_MAX; i++) {
		struct note *note = &notes->note[i];

		if (!continues(note, sig, from, now))
			continue;
		note->last.code = code;
		note->last.sender_tid = bpf_get_current_pid_tgid();
		note->last.target_tid = target;
		note->last.address = fault_address(info, from);
		note->last.boottime = now;
		return 1;
	}
	return 0;
}

static __always_inline struct notes *notes_of(struct proc_key *key)
{
	struct notes *notes = bpf_map_lookup_elem(&noted, key);
	u32 slot = 0;
	void *blank;

	if (notes)
		return notes;
	blank = bpf_map_lookup_elem(&notes_blank, &slot);
	if (blank)
		bpf_map_update_elem(&noted, key, blank, BPF_NOEXIST);
	return bpf_map_lookup_elem(&noted, key);
}

/* The place for a new burst: the one whose last signal is the oldest. */
static __always_inline u32 oldest_note(struct notes *notes, u64 from)
{
	u32 oldest = SOURCE_KIND(from) == SOURCE_SENT ? 0 : NOTES_EACH;
	u32 end = oldest + NOTES_EACH;

	for (u32 i = oldest + 1; i < end && i < NOTES_MAX; i++)
		if (oldest < NOTES_MAX &&
		    notes->note[i].last.boottime < notes->note[oldest].last.boottime)
			oldest = i;
	return oldest;
}

/* Begins a burst. The target's siglock is held: only those who emit may look on, and
 * they leave out what has no size. */
__noinline int note_signal(u64 task, u64 info, u32 sig, u32 result, u32 flags)
{
	struct proc_key key = key_of((struct task_struct *)task);
	struct event_signal *e = scratch_of(SCRATCH_SIGNAL);
	u64 from = note_source(key.tgid, info, code_of(info));
	struct notes *notes;
	struct note *note;
	u32 at;

	if (!from || !e)
		return 0;
	notes = notes_of(&key);
	if (!notes)
		return 0;
	at = oldest_note(notes, from);
	if (at >= NOTES_MAX)
		return 0;
	note = &notes->note[at];
	*(volatile u32 *)&note->first.h.size = 0;
	flags |= SIGNAL_NOTED;
	flags &= ~SIGNAL_UNDECIDED; /* unnote() is for those that turn out to be fatal */
	build_signal(task, info, sig, result, flags);
	fill_header(&e->h, EVENT_SIGNAL, LANE_CRITICAL, 0);
	note->from = from;
	note->emitted = 0;
	note->address = fault_address(info, from);
	note->last.boottime = e->h.boottime;
	note->sender.known = 0;
	if (SOURCE_KIND(from) == SOURCE_SENT) {
		key = key_of(current_task());
		keep_process(&note->sender, &key);
	}
	bpf_probe_read_kernel(&note->first, sizeof(note->first), e);
	*(volatile u32 *)&note->first.h.size = sizeof(struct event_signal_noted);
	return 0;
}

/* What emit_note() is to do, in one number: global functions take five. */
#define NOTE_USER(user) (user)
#define NOTE_FOR(sig) ((sig) << 8) /* for the signal that the process sends; 0: for its exit */
#define NOTE_CONTEXT (1U << 16)

static __always_inline u64 note_window(struct note *note, u32 for_signal)
{
	if (for_signal)
		return NOTE_FORWARD_NS;
	return SOURCE_KIND(note->from) == SOURCE_FAULT ? NOTE_FAULT_NS : NOTE_CRASH_NS;
}

/* Emits the first and the last signal of a burst, each once. */
__noinline int emit_note(u64 start, u32 tgid, u32 at, u32 how)
{
	struct proc_key key = {.start = start, .tgid = tgid};
	struct notes *notes = bpf_map_lookup_elem(&noted, &key);
	u32 user = how & 0xff, sig = how >> 8 & 0xff;
	struct event_signal_noted *e = scratch_of(user);
	u64 now = bpf_ktime_get_boot_ns(), window, emitted;
	struct note *note;

	if (!notes || !e || at >= NOTES_MAX)
		return 0;
	note = &notes->note[at];
	window = note_window(note, sig);
	emitted = note->emitted;
	if (sig && note->first.sig != sig && note->first.sig != SIGUSR2)
		return 0;
	if (now - note->last.boottime > window || note->last.boottime <= emitted)
		return 0;
	bpf_probe_read_kernel(&e->s, sizeof(e->s), &note->first);
	bpf_probe_read_kernel(&e->sender, sizeof(e->sender), &note->sender);
	/* Another CPU may be writing it. */
	if (!e->s.h.size || e->s.h.boottime != note->first.h.boottime)
		return 0;
	e->address = note->address;
	e->s.h.generation = config_generation;
	if (how & NOTE_CONTEXT)
		e->s.flags |= SIGNAL_CONTEXT;
	if (now - e->s.h.boottime <= window && e->s.h.boottime > emitted)
		emit_scratch(user, LANE_CRITICAL, sizeof(*e));
	note->emitted = note->last.boottime;
	if (note->last.boottime == e->s.h.boottime)
		return 0;
	e->s.h.boottime = note->last.boottime;
	e->s.code = note->last.code;
	e->s.current_.tid = note->last.sender_tid;
	e->s.target.tid = note->last.target_tid;
	e->address = note->last.address;
	return emit_scratch(user, LANE_CRITICAL, sizeof(*e));
}

__noinline int emit_notes(u64 start, u32 tgid, u32 how)
{
	struct proc_key key = {.start = start, .tgid = tgid};

	if (!bpf_map_lookup_elem(&noted, &key))
		return 0;
	for (u32 i = 0; i < NOTES_MAX; i++)
		emit_note(start, tgid, i, how);
	return 0;
}

/* What a process sends to another it may only be passing on: the reload by SIGUSR2
 * that makes it end its workers, or the same signal. */
static __always_inline void emit_notes_of_sender(u32 target, int sig)
{
	struct proc_key key;

	if (bpf_get_current_pid_tgid() >> 32 == target || !(rt_sigmask(sig) & SIG_TERMINATES_MASK))
		return;
	key = key_of(current_task());
	emit_notes(key.start, key.tgid, NOTE_USER(SCRATCH_SIGNAL) | NOTE_FOR(sig));
}

/* May a noted signal be why a process exited with a status of its own? */
__noinline int notes_explain(u64 start, u32 tgid, u32 status)
{
	struct proc_key key = {.start = start, .tgid = tgid};
	struct notes *notes = bpf_map_lookup_elem(&noted, &key);
	u64 now = bpf_ktime_get_boot_ns();

	if (!notes)
		return 0;
	for (u32 i = 0; i < NOTES_MAX; i++) {
		struct note *note = &notes->note[i];
		u64 ago = now - note->last.boottime;

		if (!note->first.h.size)
			continue;
		if (SOURCE_KIND(note->from) != SOURCE_FAULT && ago <= NOTE_CRASH_NS &&
		    rt_sigmask(note->first.sig) & SIG_CRASH_MASK)
			return 1;
		if (status && ago <= NOTE_USER_NS)
			return 1;
	}
	return 0;
}

/* It was fatal after all, once it was unblocked. */
__noinline int unnote(u64 start, u32 tgid, u32 sig)
{
	struct proc_key key = {.start = start, .tgid = tgid};
	struct notes *notes = bpf_map_lookup_elem(&noted, &key);

	if (!notes)
		return 0;
	for (u32 i = 0; i < NOTES_MAX; i++)
		if (notes->note[i].first.sig == sig)
			notes->note[i].first.h.size = 0;
	return 0;
}

#endif
