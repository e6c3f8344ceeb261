// SPDX-License-Identifier: Apache-2.0

package cgroup

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	cgroups "github.com/containerd/cgroups/v3"
)

// Paths is where a process is in the hierarchies that sigtrace looks at. An
// empty string means: not reported, or no such hierarchy.
type Paths struct {
	Unified string
	Memory  string
	// Systemd is the path in v1's name=systemd, where units are named on
	// hosts whose unified hierarchy is not systemd's.
	Systemd string
}

// Primary is the path that tells containers apart: that of the memory
// controller on v1 and hybrid hosts, else the unified one.
func (p Paths) Primary() string {
	if p.Memory != "" {
		return p.Memory
	}
	return p.Unified
}

// In returns the path in h.
func (p Paths) In(h Hierarchy) string {
	switch h {
	case Unified:
		return p.Unified
	case Memory:
		return p.Memory
	}
	return ""
}

// ParseProc parses the text of /proc/PID/cgroup, see cgroups(7). The paths are
// as the reader's cgroup namespace shows them: Rebase makes them the host's.
func ParseProc(r io.Reader) (Paths, error) {
	v1, unified, err := cgroups.ParseCgroupFromReaderUnified(r)
	if err != nil {
		return Paths{}, fmt.Errorf("parse /proc/PID/cgroup: %w", err)
	}
	return Paths{
		Unified: alive(unified),
		Memory:  alive(v1["memory"]),
		Systemd: alive(v1["name=systemd"]),
	}, nil
}

// alive takes off the mark that proc_cgroup_show() puts behind the path of a
// cgroup that was removed while a zombie was in it.
func alive(p string) string {
	return strings.TrimSuffix(p, " (deleted)")
}

// ReadProc reads root/proc/PID/cgroup; root is "/" but for tests.
func ReadProc(root string, pid int) (Paths, error) {
	f, err := os.Open(filepath.Join(root, "proc", strconv.Itoa(pid), "cgroup"))
	if err != nil {
		return Paths{}, fmt.Errorf("read the cgroup of pid %d: %w", pid, err)
	}
	defer f.Close()
	return ParseProc(f)
}
