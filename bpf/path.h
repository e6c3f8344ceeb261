// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The path of a file, as /proc/PID/exe shows it: bpf_d_path is not allowed in
 * these hooks. */
#ifndef SIGTRACE_PATH_H
#define SIGTRACE_PATH_H

#define MOUNT_OF(m) ((struct mount *)((u64)(m) - bpf_core_field_offset(struct mount, mnt)))

/*
 * Writes the components of mm's executable, leaf first, into slots of the
 * given scratch, one a step; a step over a mount point leaves its slot empty.
 * Returns the number of slots used, with PATH_DELETED set for an unlinked
 * file. A function of its own, with fixed slots and no early continue:
 * otherwise the verifier follows 2^24 paths.
 */
#define PATH_DELETED 0x100

__noinline int exe_path(u64 mm_address, u32 user, u32 offset)
{
	struct mm_struct *mm = (void *)mm_address;
	struct file *file = BPF_CORE_READ(mm, exe_file);
	struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
	struct vfsmount *mnt = BPF_CORE_READ(file, f_path.mnt);
	char *out = scratch_of(user);
	int used = 0;
	int deleted = 0;

	if (!out || !file || offset != sizeof(struct event_proc))
		return 0;
	/* A root dentry is unhashed as well, but no executable is one. */
	if (!BPF_CORE_READ(dentry, d_hash.pprev))
		deleted = PATH_DELETED;
	for (int i = 0; i < PATH_SLOTS; i++) {
		struct dentry *root = BPF_CORE_READ(mnt, mnt_root);
		struct dentry *parent = BPF_CORE_READ(dentry, d_parent);
		struct mount *m = MOUNT_OF(mnt);
		struct mount *up = BPF_CORE_READ(m, mnt_parent);
		bool at_root = dentry == root || dentry == parent;
		const unsigned char *name = BPF_CORE_READ(dentry, d_name.name);
		char *slot = out + offset + i * PATH_SLOT_LEN;

		slot[0] = 0;
		if (at_root && up == m)
			break;
		used = i + 1;
		if (at_root) {
			dentry = BPF_CORE_READ(m, mnt_mountpoint);
			mnt = (void *)((u64)up + bpf_core_field_offset(struct mount, mnt));
		} else {
			bpf_probe_read_kernel_str(slot, PATH_SLOT_LEN, name);
			dentry = parent;
		}
	}
	return used | deleted;
}

#endif
