// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The names of cgroups, emitted when they are made: a container's cgroup can be
 * gone before its processes' exits have been read. */
#ifndef SIGTRACE_CGROUP_H
#define SIGTRACE_CGROUP_H

#include "kernel_types.h"
#include <bpf_helpers.h>
#include <bpf_core_read.h>
#include "budget.h"
#include "emit.h"
#include "event.h"
#include "maps.h"

#define DEFAULT_HIERARCHY 0 /* cgroup_init() sets it up first, from 0 */

static __always_inline bool tracked_hierarchy(struct cgroup *cgrp, u8 *hierarchy)
{
	u32 memory = bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id);

	if (BPF_CORE_READ(cgrp, root, hierarchy_id) == DEFAULT_HIERARCHY) {
		*hierarchy = HIERARCHY_UNIFIED;
		return true;
	}
	*hierarchy = HIERARCHY_MEMORY;
	return BPF_CORE_READ(cgrp, root, subsys_mask) & (1U << memory);
}

static __always_inline void cgroup_changed(struct cgroup *cgrp, const char *path, u8 what)
{
	struct event_cgroup *e = scratch_of(SCRATCH_FORK);
	long len;

	if (!e || !tracked_hierarchy(cgrp, &e->hierarchy))
		return;
	if (!afford(bpf_get_current_task(), IMPORTANCE_ORDINARY, 1)) {
		fold(bpf_get_current_task(), LANE_CRITICAL);
		return;
	}
	e->id = BPF_CORE_READ(cgrp, kn, id);
	e->what = what;
	e->pad = 0;
	len = bpf_probe_read_kernel_str(e->path, sizeof(e->path), path);
	if (len <= 0)
		return;
	e->path_len = len - 1;
	u64 size = offsetof(struct event_cgroup, path) + len;

	barrier_var(size);
	size &= 2 * CGROUP_PATH_MAX - 1;
	fill_header(&e->h, EVENT_CGROUP, LANE_CRITICAL, size);
	emit_scratch(SCRATCH_FORK, LANE_CRITICAL, size);
}

#endif
