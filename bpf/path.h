// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The path of a file, as /proc/PID/exe shows it: bpf_d_path is not allowed in
 * these hooks. */
#ifndef SIGTRACE_PATH_H
#define SIGTRACE_PATH_H

#include "kernel_types.h"
#include <bpf_helpers.h>
#include <bpf_core_read.h>
#include "emit.h"
#include "event.h"
#include "loop.h"

#define MOUNT_OF(m) ((struct mount *)((u64)(m) - bpf_core_field_offset(struct mount, mnt)))

/*
 * Writes the components of mm's executable, leaf first, into slots of the
 * given scratch, one a step; a step over a mount point leaves its slot empty.
 * Returns the number of slots used, with PATH_DELETED set for an unlinked
 * file. A function of its own, with fixed slots and no early continue:
 * otherwise the verifier follows 2^24 paths.
 */
#define PATH_DELETED 0x100
#define PATH_USED_MASK 0x1f
_Static_assert(PATH_SLOTS <= PATH_USED_MASK, "slots fit their mask");

struct path_walk {
	struct dentry *dentry;
	struct vfsmount *mnt;
	char *out; /* PATH_SLOTS slots */
	u32 used;
};

STEP(path_step, struct path_walk)
{
	struct dentry *dentry = state->dentry;
	struct vfsmount *mnt = state->mnt;
	struct dentry *root = BPF_CORE_READ(mnt, mnt_root);
	struct dentry *parent = BPF_CORE_READ(dentry, d_parent);
	struct mount *m = MOUNT_OF(mnt);
	struct mount *up = BPF_CORE_READ(m, mnt_parent);
	bool at_root = dentry == root || dentry == parent;
	const unsigned char *name = BPF_CORE_READ(dentry, d_name.name);
	char *slot;

	if (i >= PATH_SLOTS)
		return 1;
	slot = state->out + i * PATH_SLOT_LEN;
	slot[0] = 0;
	if (at_root && up == m)
		return 1;
	state->used = i + 1;
	if (at_root) {
		state->dentry = BPF_CORE_READ(m, mnt_mountpoint);
		state->mnt = (void *)((u64)up + bpf_core_field_offset(struct mount, mnt));
	} else {
		bpf_probe_read_kernel_str(slot, PATH_SLOT_LEN, name);
		state->dentry = parent;
	}
	return 0;
}

__noinline int exe_path(u64 mm_address, u32 user, u32 offset)
{
	struct mm_struct *mm = (void *)mm_address;
	struct file *file = BPF_CORE_READ(mm, exe_file);
	struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
	struct path_walk walk = {};
	char *out = scratch_of(user);
	int deleted = 0;

	if (!out || !file || offset != sizeof(struct event_proc))
		return 0;
	walk.dentry = dentry;
	walk.mnt = BPF_CORE_READ(file, f_path.mnt);
	walk.out = out + sizeof(struct event_proc);
	/* A root dentry is unhashed as well, but no executable is one. */
	if (!BPF_CORE_READ(dentry, d_hash.pprev))
		deleted = PATH_DELETED;
	REPEAT(PATH_SLOTS, path_step, &walk);
	return walk.used | deleted;
}

#endif
