// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"path"
	"slices"
	"strings"

	"github.com/sigtrace/sigtrace/internal/event"
)

// who tells what a sender is to the dead. No comm is asked, for anybody can
// call itself runc: what counts is the executable's path, where the process
// runs, and from whom it descends.
func (e *Engine) who(from *event.Process, st *story, f *finding) event.Cause {
	dead := f.deciding.Target
	switch {
	case same(from, dead):
		return event.CauseSelfSignal
	case userspaceOOM(from):
		return event.CauseUserspaceOOM
	case serviceManager(from, dead):
		return event.CauseServiceManager
	case runtime(from, dead):
		return event.CauseRuntimeStop
	case !sameContainer(from, dead):
		return event.CauseForeignProcess
	case broughtIn(from, dead):
		return event.CauseExecSession
	}
	return event.CauseSameContainer
}

func sameContainer(a, b *event.Process) bool {
	return a.Container != nil && b.Container != nil && a.Container.ID == b.Container.ID
}

// system is where packages install: an executable elsewhere (/tmp, a home
// directory) is no runtime, whatever its name.
func system(exe string) bool {
	exe = strings.TrimSuffix(exe, " (deleted)") // as after an upgrade
	for _, dir := range []string{"/usr/", "/bin/", "/sbin/", "/opt/", "/lib/", "/var/lib/", "/nix/store/", "/snap/", "/run/current-system/"} {
		if strings.HasPrefix(exe, dir) {
			return true
		}
	}
	return false
}

// is tells whether a process outside of containers executes one of the named
// programs, installed where programs are.
func is(p *event.Process, names ...string) bool {
	return p != nil && p.Container == nil && system(p.Exe) &&
		slices.Contains(names, strings.TrimSuffix(path.Base(p.Exe), " (deleted)"))
}

func ociRuntime(p *event.Process) bool {
	return is(p, "runc", "crun", "youki", "runsc", "kata-runtime", "nvidia-container-runtime", "docker-runc")
}

// copyInMemory tells whether a process may be crun, or runc up to 1.1: they
// execute a sealed copy of themselves (CVE-2019-5736), a memfd that has no path
// but that of its descriptor. Its arguments prove nothing: whether a monitor or
// daemon started it does.
func copyInMemory(p *event.Process) bool {
	pathless := p.Exe == "" || strings.HasPrefix(p.Exe, "/dev/fd/") || strings.HasPrefix(p.Exe, "/proc/self/fd/")
	return p.Container == nil && pathless && len(p.Args) > 0 && slices.Contains([]string{"crun", "runc"}, path.Base(p.Args[0]))
}

func monitor(p *event.Process) bool {
	if p == nil || p.Container != nil || !system(p.Exe) {
		return false
	}
	base := path.Base(p.Exe)
	return strings.HasPrefix(base, "containerd-shim") || strings.HasPrefix(base, "conmon")
}

func daemon(p *event.Process) bool {
	return is(p, "containerd", "dockerd", "crio", "podman", "docker-containerd", "k3s", "k0s", "buildkitd", "cri-dockerd")
}

// monitorOf is the shim or conmon of a process's container: the nearest one
// among its ancestors, dead or alive.
func monitorOf(p *event.Process) *event.Process {
	for _, chain := range [][]*event.Process{p.Ancestors, p.PresentAncestors} {
		if i := slices.IndexFunc(chain, monitor); i >= 0 {
			return chain[i]
		}
	}
	return nil
}

// runtime tells whether the sender is the container's runtime at its job: its
// monitor, an OCI runtime that a monitor or daemon started, or such a daemon.
func runtime(from, dead *event.Process) bool {
	if dead.Container == nil && monitorOf(dead) == nil {
		return false
	}
	if monitor(from) || daemon(from) {
		return true
	}
	if !ociRuntime(from) && !copyInMemory(from) {
		return false
	}
	starts := func(p *event.Process) bool { return monitor(p) || daemon(p) }
	return slices.ContainsFunc(from.Ancestors, starts) || slices.ContainsFunc(from.PresentAncestors, starts)
}

// removesRemains tells whether an OCI runtime is removing what a dead shim has
// left: containerd runs the shim's "delete", and that "runc … delete --force",
// which kills what still lives. A stop is never that.
func removesRemains(p *event.Process) bool {
	if !ociRuntime(p) || len(p.Ancestors) == 0 || !monitor(p.Ancestors[0]) {
		return false
	}
	i := slices.Index(p.Args, "delete")
	return i >= 0 && i+1 < len(p.Args) && p.Args[i+1] == "--force"
}

// serviceManager tells whether systemd, as pid 1 or as a user's manager,
// stopped something of its own.
func serviceManager(from, dead *event.Process) bool {
	if from.Container != nil || path.Base(from.Exe) != "systemd" && path.Base(from.Exe) != "init" {
		return false
	}
	if from.PID == 1 {
		return dead.Unit != ""
	}
	return is(from, "systemd") && strings.HasPrefix(from.Unit, "user@") && descends(dead, from)
}

// userspaceOOM tells whether the sender is a daemon that frees memory: by its
// executable, and that the service manager runs it as a service.
func userspaceOOM(p *event.Process) bool {
	if !is(p, "systemd-oomd", "earlyoom", "nohang", "oomd", "oomd_bin", "psi-monitor", "bustd") {
		return false
	}
	return len(p.Ancestors) > 0 && p.Ancestors[0].PID == 1 || strings.HasSuffix(p.Unit, ".service")
}

// broughtIn tells whether a process of the dead one's container came from
// outside (kubectl exec, docker exec): its lineage leaves the container without
// passing through the container's init.
func broughtIn(from, dead *event.Process) bool {
	if isInit(from) {
		return false
	}
	top := from
	for _, a := range lineage(from) {
		if isInit(a) {
			return false
		}
		if !sameContainer(a, from) {
			break
		}
		if !a.Dead || !strings.HasPrefix(a.Comm, "runc:[") {
			top = a // the dead stages of runc run inside for a moment
		}
	}
	// Where it is not known which is init: the dead one's own line leads there.
	return !same(top, dead) && !among(dead.Ancestors, top) && !among(dead.PresentAncestors, top)
}

func isInit(p *event.Process) bool { return p.Container != nil && isTrue(p.Container.Init) }

func lineage(p *event.Process) []*event.Process {
	if len(p.Ancestors) > 0 {
		return p.Ancestors
	}
	return p.PresentAncestors
}

// relate says what the actor is to the dead, the nearest first.
func relate(actor, dead *event.Process) event.Relation {
	switch {
	case actor == nil:
		return ""
	case same(actor, dead):
		return event.RelationSelf
	case parentOf(dead, actor):
		return event.RelationParent
	case descends(dead, actor):
		return event.RelationAncestor
	case descends(actor, dead):
		return event.RelationChild
	case siblings(actor, dead):
		return event.RelationSibling
	case sameContainer(actor, dead):
		return event.RelationSameContainer
	case actor.Pod != nil && dead.Pod != nil && actor.Pod.UID != "" && actor.Pod.UID == dead.Pod.UID:
		return event.RelationSamePod
	case actor.Container != nil:
		return event.RelationOtherContainer
	}
	return event.RelationHost
}

func parentOf(p, parent *event.Process) bool {
	return len(p.Ancestors) > 0 && same(p.Ancestors[0], parent) ||
		len(p.PresentAncestors) > 0 && same(p.PresentAncestors[0], parent)
}

// siblings have the same forker, and are of the same container or none.
func siblings(a, b *event.Process) bool {
	return len(a.Ancestors) > 0 && len(b.Ancestors) > 0 && a.Ancestors[0].PID > 1 &&
		same(a.Ancestors[0], b.Ancestors[0]) && (sameContainer(a, b) || a.Container == nil && b.Container == nil)
}
