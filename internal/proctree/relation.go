// SPDX-License-Identifier: Apache-2.0

package proctree

import (
	"strings"

	"github.com/sigtrace/sigtrace/internal/event"
)

// Same reports whether two descriptions are of one process: pid and start time.
func Same(a, b *event.Process) bool {
	return a != nil && b != nil && a.PID == b.PID && a.StartBoottimeNS == b.StartBoottimeNS
}

// Descends reports whether p comes from a, by lineage or by present parents.
func Descends(p, a *event.Process) bool {
	return among(p.Ancestors, a) || among(p.PresentAncestors, a)
}

func among(list []*event.Process, p *event.Process) bool {
	for _, q := range list {
		if Same(q, p) {
			return true
		}
	}
	return false
}

// SameContainer reports whether two processes run in one container. Anybody who may
// make a cgroup can name it after a container: the same ID in another place is not it.
func SameContainer(a, b *event.Process) bool {
	if a.Container == nil || b.Container == nil || a.Container.ID != b.Container.ID {
		return false
	}
	x, y := containerCgroup(a), containerCgroup(b)
	return x == y || x == "" || y == ""
}

// containerCgroup is the path of a process's cgroup down to the innermost part that
// holds its container's ID, empty where none does.
func containerCgroup(p *event.Process) string {
	at := strings.LastIndex(p.Cgroup, p.Container.ID)
	if at < 0 || p.Container.ID == "" {
		return ""
	}
	end := at + len(p.Container.ID)
	if rest := strings.IndexByte(p.Cgroup[end:], '/'); rest >= 0 {
		return p.Cgroup[:end+rest]
	}
	return p.Cgroup
}

// Relate says what the actor is to the target, the nearest first.
func Relate(actor, dead *event.Process) event.Relation {
	switch {
	case actor == nil:
		return ""
	case Same(actor, dead):
		return event.RelationSelf
	case IsParent(dead, actor):
		return event.RelationParent
	case Descends(dead, actor):
		return event.RelationAncestor
	case Descends(actor, dead):
		return event.RelationChild
	case siblings(actor, dead):
		return event.RelationSibling
	case SameContainer(actor, dead):
		return event.RelationSameContainer
	case actor.Pod != nil && dead.Pod != nil && actor.Pod.UID != "" && actor.Pod.UID == dead.Pod.UID:
		return event.RelationSamePod
	case actor.Container != nil:
		return event.RelationOtherContainer
	}
	return event.RelationHost
}

// IsParent reports whether parent forked p, or is its parent at present.
func IsParent(p, parent *event.Process) bool {
	return len(p.Ancestors) > 0 && Same(p.Ancestors[0], parent) ||
		len(p.PresentAncestors) > 0 && Same(p.PresentAncestors[0], parent)
}

// siblings have the same forker, and are of the same container or none.
func siblings(a, b *event.Process) bool {
	return len(a.Ancestors) > 0 && len(b.Ancestors) > 0 && a.Ancestors[0].PID > 1 &&
		Same(a.Ancestors[0], b.Ancestors[0]) && (SameContainer(a, b) || a.Container == nil && b.Container == nil)
}

// IsInit reports whether a process is known to be its container's init.
func IsInit(p *event.Process) bool {
	return p.Container != nil && p.Container.Init != nil && *p.Container.Init
}

// Lineage is the ancestry of a process, nearest first: who forked it, or else its
// present parents.
func Lineage(p *event.Process) []*event.Process {
	if len(p.Ancestors) > 0 {
		return p.Ancestors
	}
	return p.PresentAncestors
}
