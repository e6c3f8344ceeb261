// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Into the rings, and the count of what found no room there. */
#ifndef SIGTRACE_EMIT_H
#define SIGTRACE_EMIT_H

#include "kernel_types.h"
#include <bpf_helpers.h>
#include "config.h"
#include "event.h"
#include "maps.h"

_Static_assert(LOSS_RING_FULL_CRITICAL + LANE_ROUTINE == LOSS_RING_FULL_ROUTINE, "loss index");

static __always_inline void count_ring_full(u32 lane)
{
	u32 slot = LOSS_RING_FULL_CRITICAL + lane;
	u64 *count = bpf_map_lookup_elem(&losses, &slot);

	if (count)
		*count += 1; /* per CPU, and a tracepoint is not entered twice */
}

static __always_inline void fill_header(struct event_header *h, u32 kind, u32 lane, u32 size)
{
	h->kind = kind;
	h->lane = lane;
	h->generation = config_generation;
	h->size = size;
	h->boottime = bpf_ktime_get_boot_ns();
}

#define WAKE_EVERY_NS 1000000

/* CLOCK_MONOTONIC, ns, of the critical reader's last wake-up. CPUs that
 * race for it wake the reader once more than needed. */
volatile u64 woken_at = 0;

/* While events come, both readers look every few milliseconds: waking one for
 * each event would cost the sender more than the event itself. The critical lane
 * wakes its reader at most once in a millisecond, which also ends its rest. */
static __always_inline u64 wakeup(u32 lane)
{
	if (lane == LANE_CRITICAL) {
		u64 now = bpf_ktime_get_ns();

		if (now - woken_at < WAKE_EVERY_NS)
			return BPF_RB_NO_WAKEUP;
		woken_at = now;
		return 0;
	}
	if (bpf_ringbuf_query(&routine, BPF_RB_AVAIL_DATA) >= config_wakeup_bytes)
		return BPF_RB_FORCE_WAKEUP;
	return BPF_RB_NO_WAKEUP;
}

static __always_inline long emit(u32 lane, void *event, u64 size)
{
	long err;

	if (lane == LANE_CRITICAL)
		err = bpf_ringbuf_output(&critical, event, size, wakeup(lane));
	else
		err = bpf_ringbuf_output(&routine, event, size, wakeup(lane));
	if (err)
		count_ring_full(lane);
	return err;
}

static __always_inline void *scratch_of(u32 user)
{
	return bpf_map_lookup_elem(&scratches, &user);
}

/* What a hook has written into its scratch. Global, as every function that many
 * places call: the verifier then looks at it once, and not on each path that
 * leads there. A quarter of what starting costs is the verifier's. */
__noinline int emit_scratch(u32 user, u32 lane, u32 size)
{
	void *event = scratch_of(user);

	if (!event)
		return -1;
	return emit(lane & LANE_MASK, event, size & (SCRATCH_SIZE - 1));
}

#endif
