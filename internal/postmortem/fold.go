// SPDX-License-Identifier: Apache-2.0

package postmortem

import (
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/output"
	"github.com/sigtrace/sigtrace/internal/proctree"
)

// withinStop is how far apart the deaths of one stop of a pod are at most, when they
// are folded into that of a container's init.
const withinStop = 60 * time.Second

// fold leaves out the deaths that only go with another one of the list, and hangs
// them under that. Of a pod its containers' inits come first.
func (r *reading) fold() {
	h := r.h
	mains := map[string][]int{} // by pod or container
	for i, p := range h.Deaths {
		if isMain(p.Death) {
			k := groupOf(p.Death)
			mains[k] = append(mains[k], i)
		}
	}
	folded := make([]bool, len(h.Deaths))
	for i, p := range h.Deaths {
		if isMain(p.Death) {
			continue
		}
		if m := nearest(h.Deaths, mains[groupOf(p.Death)], p.Death); m >= 0 {
			h.Deaths[m].With = append(h.Deaths[m].With, p.Death)
			folded[i] = true
		}
	}
	var inits, others []Past
	for i, p := range h.Deaths {
		switch {
		case folded[i]:
		case r.q.Target.isPlace() && isMain(p.Death):
			inits = append(inits, p)
		default:
			others = append(others, p)
		}
	}
	h.Deaths = append(inits, others...)
}

// isMain reports whether a death is that of a container, which its processes' and
// its sandbox's go with.
func isMain(d *event.Death) bool {
	p := d.Process
	return p.Container != nil && (proctree.IsInit(p) || !p.PIDKnown()) && !output.IsBystander(d)
}

func groupOf(d *event.Death) string {
	p := d.Process
	switch {
	case p.Pod != nil && p.Pod.UID != "":
		return p.Pod.UID
	case p.Pod != nil:
		return p.Pod.Namespace + "/" + p.Pod.Name
	case p.Container != nil:
		return p.Container.ID
	}
	return ""
}

// nearest is the main death that another one goes with: the same pod's or
// container's, close by in time, and for the same reason or by the same actor; -1 if
// there is none.
func nearest(deaths []Past, mains []int, d *event.Death) int {
	best, gap := -1, withinStop
	for _, i := range mains {
		m := deaths[i].Death
		apart := m.Time.Sub(d.Time).Abs()
		goes := output.IsBystander(d) || d.Cause == m.Cause && sameActor(d, m)
		if goes && apart <= gap {
			best, gap = i, apart
		}
	}
	return best
}

func sameActor(a, b *event.Death) bool {
	return a.Actor == nil && b.Actor == nil || proctree.Same(a.Actor, b.Actor)
}
