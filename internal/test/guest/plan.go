// SPDX-License-Identifier: Apache-2.0

package main

import (
	"runtime"
	"slices"
	"strings"
)

// A kind of guest is what a group of tests needs around it.
const (
	small     = ""                // an initial RAM disk with busybox
	debian    = "debian"          // Debian with systemd, runtimes and daemons
	integrity = "integrity"       // small, locked down
	secret    = "confidentiality" // small, locked down further
)

// group is a set of tests that the guest's init knows by this name.
type group struct {
	name string
	kind string
	// floor: for kernels that sigtrace refuses; all others are for the rest.
	floor bool
	// foreign: only for an architecture that is not this machine's, where a
	// Debian cannot be made to run the same tests in.
	foreign bool
}

func groups() []group {
	return []group{
		{name: "check"},
		{name: "budget"},
		{name: "tracer"},
		{name: "cgroup"},
		{name: "zoo"},
		{name: "fallback"},
		{name: "guest"},
		{name: "floor", floor: true},
		{name: "check-integrity", kind: integrity},
		{name: "zoo-integrity", kind: integrity},
		{name: "check-confidentiality", kind: secret},
		{name: "lockdown", kind: secret},
		// First, while the cgroups are as systemd made them: after the container tests
		// systemd-oomd learns of no unit.
		{name: "daemons", kind: debian},
		{name: "live", kind: debian},
		{name: "containers", kind: debian},
		{name: "live-small", foreign: true},
	}
}

func groupNames() []string {
	var names []string
	for _, g := range groups() {
		names = append(names, g.name)
	}
	return names
}

// guest is one virtual machine: a kernel, a cgroup mode and a kind.
type guest struct {
	arch   string
	kernel kernel
	mode   string
	kind   string
	groups []string
	// console is the log's path, out the folder with what it handed out.
	console, out string
	seconds      float64
	ended        string // why it did not power itself off; empty if it did
	results      []*result
}

func (g *guest) name() string {
	name := strings.Trim(g.kernel.name+"-"+g.mode+"-"+g.kind, "-")
	if g.arch != "amd64" {
		name = g.arch + "-" + name
	}
	return name
}

// plan is every guest that is needed, the longest first.
func (c *config) plan() []*guest {
	var guests []*guest
	for _, kind := range []string{debian, small, integrity, secret} {
		if kind == debian && c.arch != runtime.GOARCH {
			continue // it is made by running its own programs
		}
		for _, p := range c.pairs {
			if kind == debian && !among(p.kernel.runtimes, p.mode) {
				continue
			}
			if p.kernel.floor() && c.arch != "amd64" {
				continue // User Mode Linux has no other architecture
			}
			if named := c.groupsOf(p.kernel, kind); len(named) > 0 {
				guests = append(guests, &guest{arch: c.arch, kernel: p.kernel, mode: p.mode, kind: kind, groups: named})
			}
		}
	}
	return guests
}

func (c *config) groupsOf(k kernel, kind string) []string {
	var names []string
	for _, g := range groups() {
		if g.kind == kind && slices.Contains(c.groups, g.name) && (g.floor || !k.floor()) && (!g.foreign || c.arch != runtime.GOARCH) {
			names = append(names, g.name)
		}
	}
	return names
}
