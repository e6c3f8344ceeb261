// SPDX-License-Identifier: Apache-2.0

package proctree

import (
	"path"
	"strings"

	"github.com/sigtrace/sigtrace/internal/event"
)

// MonitorOf is the shim or conmon of a process's container: the nearest one
// among its ancestors, dead or alive, that is believed to be one.
func MonitorOf(p *event.Process) *event.Process {
	for _, chain := range [][]*event.Process{p.Ancestors, p.PresentAncestors} {
		for _, a := range chain {
			if IsMonitor(a) && trustFor(a, p) > None {
				return a
			}
		}
	}
	return nil
}

// IsRuntime reports whether the sender may be the container's runtime at its job.
func IsRuntime(from, dead *event.Process) bool { return Runtime(from, dead) > None }

// Runtime is how far the sender is believed to be the container's runtime at its
// job: its monitor, a runtime's daemon, or an OCI runtime that one of those started.
func Runtime(from, dead *event.Process) Trust {
	trust := min(trustFor(from, dead), inContainer(dead))
	if !rootOfHost(from) {
		return None
	}
	if IsMonitor(from) || isDaemon(from) {
		return trust
	}
	if !isOCIRuntime(from) && !maybeCopyInMemory(from) {
		return None
	}
	return min(trust, startedByRuntime(from, dead))
}

// inContainer is how far the target is believed to run in a container: by its cgroup,
// as a runtime confirms it, or by its monitor.
func inContainer(p *event.Process) Trust {
	if p.Container != nil && !p.Unconfirmed {
		return Proven
	}
	m := MonitorOf(p)
	switch {
	case m == nil:
		return None
	case p.Unconfirmed:
		return min(trustFor(m, p), Likely)
	}
	return trustFor(m, p)
}

// startedByRuntime is how far an OCI runtime is believed to have been started by a
// monitor or a daemon: as far as the most believable of them.
func startedByRuntime(from, dead *event.Process) Trust {
	most := None
	for _, chain := range [][]*event.Process{from.Ancestors, from.PresentAncestors} {
		for _, a := range chain {
			if IsMonitor(a) || isDaemon(a) {
				most = max(most, trustFor(a, dead))
			}
		}
	}
	return most
}

// ServiceManager is how far the sender is believed to be systemd, as pid 1 or as a
// user's manager, that stopped something of its own.
func ServiceManager(from, dead *event.Process) Trust {
	if from.Container != nil || path.Base(from.Exe) != "systemd" && path.Base(from.Exe) != "init" {
		return None
	}
	if from.PID == 1 {
		if dead.Unit != "" {
			return Proven
		}
		return None
	}
	if executes(from, "systemd") && strings.HasPrefix(from.Unit, "user@") && Descends(dead, from) {
		return trustFor(from, dead)
	}
	return None
}

// ExecSession is how far a process of the target's container is believed to have
// come from outside (kubectl exec, docker exec): its lineage leaves the container
// without passing through the container's init. Of a lineage that does not lead out
// of the container, for it was cut at its maximum or begins in the midst, it is not
// known; then sure is false.
func ExecSession(from, dead *event.Process) (is, sure bool) {
	if IsInit(from) {
		return false, true
	}
	top, left := from, false
	for _, a := range Lineage(from) {
		if IsInit(a) {
			return false, true
		}
		if !SameContainer(a, from) {
			left = true
			break
		}
		if !a.Dead || !strings.HasPrefix(a.Comm, "runc:[") {
			top = a // the dead stages of runc run inside for a moment
		}
	}
	// Where it is not known which is init: the target's own ancestry leads there.
	if Same(top, dead) || among(dead.Ancestors, top) || among(dead.PresentAncestors, top) {
		return false, true
	}
	return left, left
}

// IsIdentified reports whether enough is known of a process to say what it is not:
// its executable or its ancestry.
func IsIdentified(p *event.Process) bool {
	return p != nil && (p.Exe != "" || len(Lineage(p)) > 0)
}
