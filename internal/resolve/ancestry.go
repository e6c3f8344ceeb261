// SPDX-License-Identifier: Apache-2.0

package resolve

import (
	"slices"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/tracer/wire"
)

// addAncestry puts the lineage on a process: who forked it, and who forked
// that one, also where they have died since and the kernel has hung the chain
// elsewhere. Where the lineage is not known further, present parents go on.
func (r *Resolver) addAncestry(p *event.Process, k *known) {
	p.PresentAncestors = r.ancestors(k.present)
	chain := complete(k.lineage, k.present)
	nodes := r.ancestors(chain)
	if len(k.lineage) > 0 && len(k.present) > 0 {
		mark(p, k.lineage[0], k.present[0], p.PresentAncestors[0])
	}
	for i := 0; i+1 < len(nodes) && i < len(k.lineage); i++ {
		if chain[i].Dead {
			continue
		}
		at := index(k.present, chain[i].Key)
		if at < 0 || at+1 >= len(k.present) {
			if chain[i+1].Dead {
				r.markLiving(nodes[i])
			}
			continue
		}
		// Nodes are shared between events: mark a copy.
		c := *nodes[i]
		mark(&c, chain[i+1], k.present[at+1], p.PresentAncestors[at+1])
		nodes[i] = &c
	}
	p.Ancestors = nodes
}

func mark(p *event.Process, forker, present wire.Node, shown *event.Process) {
	reparented := forker.Key != present.Key
	p.Reparented = &reparented
	if reparented {
		p.PresentParent = parentOnly(shown)
	}
}

// markLiving is for an ancestor that is reached over a dead one: the chain of
// present parents does not lead over it, so /proc has to report its parent.
func (r *Resolver) markLiving(p *event.Process) {
	yes := true
	p.Reparented = &yes
	stat, err := r.proc.Stat(p.PID)
	if err != nil || !r.proc.Same(p.PID, p.StartBoottimeNS) {
		return
	}
	if parent, err := r.proc.Stat(stat.PPID); err == nil {
		p.PresentParent = &event.Process{PID: stat.PPID, Comm: parent.Comm}
	}
}

func parentOnly(p *event.Process) *event.Process {
	return &event.Process{PID: p.PID, Comm: p.Comm, StartBoottimeNS: p.StartBoottimeNS}
}

// complete continues a lineage that ends early with the present parents of its
// last node.
func complete(lineage, present []wire.Node) []wire.Node {
	if len(lineage) == 0 {
		return present
	}
	last := lineage[len(lineage)-1]
	if last.TGID == 0 {
		return lineage
	}
	if at := index(present, last.Key); at >= 0 {
		return append(slices.Clip(lineage), present[at+1:]...)
	}
	return lineage
}

func index(nodes []wire.Node, k wire.Key) int {
	return slices.IndexFunc(nodes, func(n wire.Node) bool { return n.Key == k })
}

func (r *Resolver) ancestors(nodes []wire.Node) []*event.Process {
	var list []*event.Process
	for _, n := range nodes {
		list = append(list, r.ancestor(n))
	}
	return list
}

func (r *Resolver) ancestor(n wire.Node) *event.Process {
	p := &event.Process{PID: int(n.TGID), Comm: n.Comm, StartBoottimeNS: n.Start, Dead: n.Dead}
	if n.TGID == 0 {
		return p
	}
	r.names.put(p, n.Hierarchy, n.Cgroup, false)
	if k := r.memory.get(n.Key); k != nil {
		p.Exe = k.exe
		p.Place = r.place(k.place, p)
		p.Args, p.ArgsTruncated = k.asAncestor()
	}
	if p.Exe == "" || p.Args == nil {
		r.images.add(r, p)
	}
	return p
}
