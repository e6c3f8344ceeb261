// SPDX-License-Identifier: Apache-2.0

package proctree

import (
	"path"
	"slices"
	"strings"

	"github.com/sigtrace/sigtrace/internal/event"
)

// MonitorOf is the shim or conmon of a process's container: the nearest one
// among its ancestors, dead or alive.
func MonitorOf(p *event.Process) *event.Process {
	for _, chain := range [][]*event.Process{p.Ancestors, p.PresentAncestors} {
		if i := slices.IndexFunc(chain, IsMonitor); i >= 0 {
			return chain[i]
		}
	}
	return nil
}

// IsRuntime reports whether the sender is the container's runtime at its job: its
// IsMonitor, an OCI runtime that a monitor or daemon started, or such a daemon.
func IsRuntime(from, dead *event.Process) bool {
	if dead.Container == nil && MonitorOf(dead) == nil {
		return false
	}
	if IsMonitor(from) || IsDaemon(from) {
		return true
	}
	if !isOCIRuntime(from) && !maybeCopyInMemory(from) {
		return false
	}
	starts := func(p *event.Process) bool { return IsMonitor(p) || IsDaemon(p) }
	return slices.ContainsFunc(from.Ancestors, starts) || slices.ContainsFunc(from.PresentAncestors, starts)
}

// IsServiceManager reports whether systemd, as pid 1 or as a user's manager,
// stopped something of its own.
func IsServiceManager(from, dead *event.Process) bool {
	if from.Container != nil || path.Base(from.Exe) != "systemd" && path.Base(from.Exe) != "init" {
		return false
	}
	if from.PID == 1 {
		return dead.Unit != ""
	}
	return executes(from, "systemd") && strings.HasPrefix(from.Unit, "user@") && Descends(dead, from)
}

// IsExecSession reports whether a process of the dead one's container came from
// outside (kubectl exec, docker exec): its lineage leaves the container without
// passing through the container's init.
func IsExecSession(from, dead *event.Process) bool {
	if IsInit(from) {
		return false
	}
	top := from
	for _, a := range Lineage(from) {
		if IsInit(a) {
			return false
		}
		if !SameContainer(a, from) {
			break
		}
		if !a.Dead || !strings.HasPrefix(a.Comm, "runc:[") {
			top = a // the dead stages of runc run inside for a moment
		}
	}
	// Where it is not known which is init: the dead one's own line leads there.
	return !Same(top, dead) && !among(dead.Ancestors, top) && !among(dead.PresentAncestors, top)
}

// IsIdentified reports whether enough is known of a process to say what it is not:
// its executable or its ancestry.
func IsIdentified(p *event.Process) bool {
	return p != nil && (p.Exe != "" || len(Lineage(p)) > 0)
}
