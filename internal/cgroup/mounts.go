// SPDX-License-Identifier: Apache-2.0

package cgroup

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"syscall"
)

// Mount returns the mount point of h; empty if the host has no such hierarchy.
func (m Mounts) Mount(h Hierarchy) string {
	switch h {
	case Unified:
		return m.Unified
	case Memory:
		return m.Memory
	}
	return ""
}

// Hierarchies lists those that exist, Primary first.
func (m Mounts) Hierarchies() []Hierarchy {
	var hs []Hierarchy
	if m.Memory != "" {
		hs = append(hs, Memory)
	}
	if m.Unified != "" {
		hs = append(hs, Unified)
	}
	return hs
}

// Primary is the hierarchy in which containers are reported apart: the one that
// holds the memory controller. On v1 and hybrid hosts the unified cgroup of
// most tasks is the root.
func (m Mounts) Primary() Hierarchy {
	if m.Memory != "" {
		return Memory
	}
	return Unified
}

// Dir returns the directory of the cgroup cgPath; empty if the host has no such
// hierarchy. ".." never leads out of the mount.
func (m Mounts) Dir(h Hierarchy, cgPath string) string {
	mp := m.Mount(h)
	if mp == "" {
		return ""
	}
	return filepath.Join(mp, path.Clean("/"+cgPath))
}

// ID returns the kernfs id of the cgroup cgPath in h: its inode number, which
// is the whole id on 64-bit kernels since 5.5. The error wraps fs.ErrNotExist
// where there is no such hierarchy or cgroup.
func (m Mounts) ID(h Hierarchy, cgPath string) (uint64, error) {
	dir := m.Dir(h, cgPath)
	if dir == "" {
		return 0, fmt.Errorf("cgroup %s: no %s hierarchy: %w", cgPath, h, fs.ErrNotExist)
	}
	return dirID(dir)
}

// dirID returns the inode number of a directory.
func dirID(dir string) (uint64, error) {
	// Lstat: a cgroup is never a symbolic link, and a link such as v1's
	// cpuacct -> cpu,cpuacct is no cgroup.
	fi, err := os.Lstat(dir)
	if err != nil {
		return 0, fmt.Errorf("cgroup id: %w", err)
	}
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !fi.IsDir() || !ok {
		return 0, fmt.Errorf("cgroup id: %s is not a cgroup directory: %w", dir, fs.ErrNotExist)
	}
	return st.Ino, nil
}
