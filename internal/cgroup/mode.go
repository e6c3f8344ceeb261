// SPDX-License-Identifier: Apache-2.0

package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// The cgroup setups, as status events and `sigtrace check` name them.
const (
	ModeV2     = "v2"     // cgroup2 only
	ModeHybrid = "hybrid" // v1 controllers and a cgroup2 mount beside them
	ModeV1     = "v1"     // no cgroup2 mount
)

// ErrNoCgroups says that neither cgroup2 nor a v1 memory controller is mounted
// where this process can see it.
var ErrNoCgroups = errors.New("no cgroup file system is mounted here; mount the host's /sys/fs/cgroup into this container")

// Mounts is the cgroup setup of the host and where its trees can be read.
type Mounts struct {
	// Mode is ModeV2, ModeHybrid or ModeV1.
	Mode string
	// Unified is the mount point of cgroup2; empty if there is none.
	Unified string
	// Memory is the mount point of the v1 memory controller; empty if memory is
	// on cgroup2.
	Memory string
	// Systemd is the mount point of the v1 hierarchy name=systemd; empty if
	// there is none.
	Systemd string
	// Partial is set when only a subtree of a hierarchy is mounted here, as in a
	// container that was not given the host's /sys/fs/cgroup. What lies outside
	// of it can then be neither listed nor read.
	Partial bool
}

// Detect finds the cgroup mounts from root/proc/self/mountinfo. root is "/"
// but for tests. A mount of a whole hierarchy is preferred to a container's own
// subtree of it; where this process has only such a subtree, those of pid 1 are
// reached through /proc/1/root (needs the host's PID namespace).
//
// cgroups.Mode() of containerd/cgroups looks at the fixed place /sys/fs/cgroup
// only, and not for the memory controller: it is the test's second opinion.
func Detect(root string) (Mounts, error) {
	return detector{root: root, whole: isHierarchyRoot}.detect()
}

// detector is Detect with the one thing that a fixture tree cannot have: a
// directory that is the root of a cgroup hierarchy.
type detector struct {
	root  string
	whole func(dir string) bool
}

func (d detector) detect() (Mounts, error) {
	own, err := d.read("self", d.root)
	if err != nil {
		return Mounts{}, err
	}
	m := d.choose(own)
	if m.Mode == "" || m.Partial {
		// Without the host's PID namespace, pid 1 is some container's init and
		// has no whole hierarchy either: then nothing is won and nothing lost.
		if host, err := d.read("1", filepath.Join(d.root, "proc/1/root")); err == nil {
			if hm := d.choose(host); hm.Mode != "" && !hm.Partial {
				m = hm
			}
		}
	}
	if m.Unified == "" && m.Memory == "" {
		return Mounts{}, ErrNoCgroups
	}
	return m, nil
}

// read parses the mountinfo of pid and puts prefix in front of the mount
// points.
func (d detector) read(pid, prefix string) ([]mount, error) {
	f, err := os.Open(filepath.Join(d.root, "proc", pid, "mountinfo"))
	if err != nil {
		return nil, fmt.Errorf("read cgroup mounts: %w", err)
	}
	defer f.Close()
	mounts, err := parseMountinfo(f)
	if err != nil {
		return nil, fmt.Errorf("read cgroup mounts of pid %s: %w", pid, err)
	}
	for i := range mounts {
		mounts[i].point = filepath.Join(prefix, mounts[i].point)
	}
	return mounts, nil
}

func (d detector) choose(mounts []mount) Mounts {
	var m Mounts
	var v1 bool
	for _, c := range mounts {
		v1 = v1 || !c.v2
	}
	m.Unified = d.pick(&m, mounts, func(c mount) bool { return c.v2 })
	m.Memory = d.pick(&m, mounts, func(c mount) bool { return !c.v2 && c.has("memory") })
	m.Systemd = d.pick(&m, mounts, func(c mount) bool { return !c.v2 && c.has("name=systemd") })
	switch {
	case m.Unified != "" && v1:
		m.Mode = ModeHybrid
	case m.Unified != "":
		m.Mode = ModeV2
	case v1:
		m.Mode = ModeV1
	}
	return m
}

// pick returns the first mount of a whole hierarchy, else the first of all.
func (d detector) pick(m *Mounts, mounts []mount, want func(mount) bool) string {
	first := ""
	for _, c := range mounts {
		if !want(c) {
			continue
		}
		if d.whole(c.point) {
			return c.point
		}
		if first == "" {
			first = c.point
		}
	}
	if first != "" {
		m.Partial = true
	}
	return first
}

// isHierarchyRoot reports whether dir is the root of a cgroup hierarchy: kernfs
// gives its root node id 1. What mountinfo shows as the root of the mount is
// relative to the reader's cgroup namespace and does not report.
func isHierarchyRoot(dir string) bool {
	var fs unix.Statfs_t
	var st unix.Stat_t
	if unix.Statfs(dir, &fs) != nil || unix.Stat(dir, &st) != nil {
		return false
	}
	cgroupfs := fs.Type == unix.CGROUP2_SUPER_MAGIC || fs.Type == unix.CGROUP_SUPER_MAGIC
	return cgroupfs && st.Ino == 1
}
