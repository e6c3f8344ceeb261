// SPDX-License-Identifier: Apache-2.0

package target

import (
	"fmt"
	"path"

	"github.com/sigtrace/sigtrace/internal/cgroup"
	"github.com/sigtrace/sigtrace/internal/event"
)

// maxRecent is how many removed target cgroups are remembered for events that
// come late.
const maxRecent = 1024

// Filter is the kernel side's set of target cgroups; an entry stands for the
// cgroup and everything below it. Adding twice and removing what is not there
// are no errors.
type Filter interface {
	AddCgroup(h cgroup.Hierarchy, id uint64) error
	RemoveCgroup(h cgroup.Hierarchy, id uint64) error
}

type cgroupID struct {
	h  cgroup.Hierarchy
	id uint64
}

// group is one cgroup of the target, in each hierarchy that has it.
type group struct {
	path string
	ids  map[cgroup.Hierarchy]uint64
	// pod and container are what it was matched by; they may be unknown.
	pod       *event.Pod
	container string
	// round is the reconciliation during or after which it was added: a walk of
	// the tree that began earlier cannot report that it is gone.
	round uint64
}

// name takes over what a later match knows.
func (g *group) name(by group) {
	if by.pod != nil {
		g.pod = by.pod
	}
	if by.container != "" {
		g.container = by.container
	}
}

// groups is what the filter holds, and keeps it so. It is not safe for
// concurrent use.
type groups struct {
	filter Filter
	byPath map[string]*group
	byID   map[cgroupID]*group
	// recent are paths of removed ones, the oldest first.
	recent []string
	round  uint64
}

func newGroups(filter Filter) *groups {
	return &groups{filter: filter, byPath: make(map[string]*group), byID: make(map[cgroupID]*group)}
}

// add puts one id of a group into the filter. g is taken over if the path is
// new.
func (gs *groups) add(g group, h cgroup.Hierarchy, id uint64) error {
	if old, ok := gs.byPath[g.path]; ok && old.ids[h] == id {
		old.name(g)
		return nil
	}
	if err := gs.filter.AddCgroup(h, id); err != nil {
		return fmt.Errorf("put cgroup %s into the filter: %w", g.path, err)
	}
	have, ok := gs.byPath[g.path]
	if !ok {
		have = &group{path: g.path, ids: make(map[cgroup.Hierarchy]uint64)}
		gs.byPath[g.path] = have
	}
	if stale, ok := have.ids[h]; ok {
		// Removed and made again under the same path.
		delete(gs.byID, cgroupID{h, stale})
		if err := gs.filter.RemoveCgroup(h, stale); err != nil {
			return fmt.Errorf("take the former cgroup %s out of the filter: %w", g.path, err)
		}
	}
	have.ids[h] = id
	have.name(g)
	have.round = gs.round
	gs.byID[cgroupID{h, id}] = have
	return nil
}

// remove takes one id out of the filter; found is false if it was not in it.
// gone says that the cgroup does not exist any more: its path still stands for
// the target in events that come late. Otherwise it was not the target's.
func (gs *groups) remove(h cgroup.Hierarchy, id uint64, gone bool) (found bool, err error) {
	g, ok := gs.byID[cgroupID{h, id}]
	if !ok {
		return false, nil
	}
	delete(gs.byID, cgroupID{h, id})
	delete(g.ids, h)
	if len(g.ids) == 0 {
		delete(gs.byPath, g.path)
		if gone {
			gs.remember(g.path)
		}
	}
	if err := gs.filter.RemoveCgroup(h, id); err != nil {
		return true, fmt.Errorf("take cgroup %s out of the filter: %w", g.path, err)
	}
	return true, nil
}

func (gs *groups) remember(p string) {
	if len(gs.recent) >= maxRecent {
		gs.recent = append(gs.recent[:0], gs.recent[1:]...)
	}
	gs.recent = append(gs.recent, p)
}

// covers reports whether the filter takes in the cgroup p of h by itself or by
// one above it.
func (gs *groups) covers(h cgroup.Hierarchy, p string) bool {
	return gs.up(p, func(at string) bool {
		g, ok := gs.byPath[at]
		return ok && g.ids[h] != 0
	})
}

// holds reports whether p is or was in the target, in any hierarchy.
func (gs *groups) holds(p string) bool {
	if gs.up(p, func(at string) bool { return gs.byPath[at] != nil }) {
		return true
	}
	for _, r := range gs.recent {
		if below(p, r) {
			return true
		}
	}
	return false
}

// up asks about p and each cgroup above it.
func (gs *groups) up(p string, ask func(string) bool) bool {
	for ; ; p = path.Dir(p) {
		if ask(p) {
			return true
		}
		if p == "/" || p == "." {
			return false
		}
	}
}

// below reports whether p is root or lies under it.
func below(p, root string) bool {
	if root == "/" || p == root {
		return true
	}
	return len(p) > len(root) && p[:len(root)] == root && p[len(root)] == '/'
}

// in lists the groups that h has.
func (gs *groups) in(h cgroup.Hierarchy) []*group {
	var list []*group
	for _, g := range gs.byPath {
		if _, ok := g.ids[h]; ok {
			list = append(list, g)
		}
	}
	return list
}
