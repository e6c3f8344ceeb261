// SPDX-License-Identifier: Apache-2.0

package target

import (
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/sigtrace/sigtrace/internal/cgroup"
)

// cgroupfs is where the host mounts its cgroups, under whatever directory this
// process sees them.
const cgroupfs = "/sys/fs/cgroup"

// root is the cgroup that --cgroup names.
type root struct {
	path string
	// in are the hierarchies that are meant: the one whose directory was given,
	// or all.
	in []cgroup.Hierarchy
}

// findRoot reads --cgroup: a directory of a cgroup mount, or a path within the
// hierarchy, as /proc/PID/cgroup shows it. At least one hierarchy must have it.
func findRoot(m cgroup.Mounts, given string) (root, error) {
	clean := path.Clean("/" + given)
	for _, h := range m.Hierarchies() {
		for _, mountPoint := range namesOf(m.Mount(h)) {
			if below(clean, mountPoint) {
				r := root{path: path.Clean("/" + clean[len(mountPoint):]), in: []cgroup.Hierarchy{h}}
				return r, r.check(m, given)
			}
		}
	}
	if below(clean, cgroupfs) {
		return root{}, fmt.Errorf("--cgroup %s is in a hierarchy that cannot be filtered on: give its path in %s",
			given, strings.Join(mountPoints(m), " or "))
	}
	r := root{path: clean, in: m.Hierarchies()}
	return r, r.check(m, given)
}

// check is an error if no hierarchy has the cgroup.
func (r root) check(m cgroup.Mounts, given string) error {
	for _, h := range r.in {
		if _, err := m.ID(h, r.path); err == nil {
			return nil
		}
	}
	return fmt.Errorf("--cgroup %s: there is no such cgroup in %s: %w",
		given, strings.Join(mountPoints(m), " or "), fs.ErrNotExist)
}

// namesOf gives the mount point and, where this process sees the host's file
// system below a directory (/host, /proc/1/root), the host's name for it.
func namesOf(mountPoint string) []string {
	if at := strings.Index(mountPoint, cgroupfs); at > 0 {
		return []string{mountPoint, mountPoint[at:]}
	}
	return []string{mountPoint}
}

func mountPoints(m cgroup.Mounts) []string {
	var points []string
	for _, h := range m.Hierarchies() {
		points = append(points, m.Mount(h))
	}
	return points
}
