// SPDX-License-Identifier: Apache-2.0

package postmortem

import (
	"container/list"
	"slices"
	"strconv"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/output"
)

const (
	// places bounds the pods, containers, units and lone processes that are
	// remembered, momentsMax what is remembered of each, momentsAll of all.
	places     = 4096
	momentsMax = 64
	momentsAll = 16384
)

// Recorder is the flight recorder: it remembers the last minutes of every pod
// (else container, else unit, else process), so that a death's file says what
// came before it although nobody was asking then. It holds text alone, for
// events hold whole ancestries.
type Recorder struct {
	back time.Duration
	// byKey leads to elements of order, whose front is the longest untouched.
	byKey map[string]*list.Element
	order *list.List
	total int
}

type place struct {
	key     string
	moments []output.Moment
}

// NewRecorder remembers for so long; 0 is nothing.
func NewRecorder(back time.Duration) *Recorder {
	return &Recorder{back: back, byKey: map[string]*list.Element{}, order: list.New()}
}

// Record remembers an event where it happened.
func (r *Recorder) Record(e event.Event) {
	m, ok := output.MomentOf(e)
	key := placeKey(hit(e))
	if !ok || key == "" || r.back <= 0 {
		return
	}
	p := r.place(key)
	at, _ := slices.BinarySearchFunc(p.moments, m, func(a, b output.Moment) int {
		if a.BoottimeNS <= b.BoottimeNS {
			return -1 // behind those of the same time
		}
		return 1
	})
	p.moments = slices.Insert(p.moments, at, m)
	r.total++
	r.trim(p, m.BoottimeNS)
}

// Before returns what is remembered from where a process died, oldest first.
func (r *Recorder) Before(d *event.Death) []output.Moment {
	el, ok := r.byKey[placeKey(d.Process)]
	if !ok {
		return nil
	}
	p := el.Value.(*place)
	r.trim(p, d.BoottimeNS)
	return slices.Clone(p.moments)
}

func (r *Recorder) place(key string) *place {
	if el, ok := r.byKey[key]; ok {
		r.order.MoveToBack(el)
		return el.Value.(*place)
	}
	p := &place{key: key}
	r.byKey[key] = r.order.PushBack(p)
	for len(r.byKey) > places {
		r.evict()
	}
	return p
}

// trim drops what is too old or too much of one place, and the longest
// untouched places where it is too much altogether.
func (r *Recorder) trim(p *place, now uint64) {
	drop := max(0, len(p.moments)-momentsMax)
	for drop < len(p.moments) && p.moments[drop].BoottimeNS+uint64(r.back) < now {
		drop++
	}
	p.moments = slices.Delete(p.moments, 0, drop)
	r.total -= drop
	for r.total > momentsAll && r.order.Front().Value != p {
		r.evict()
	}
}

func (r *Recorder) evict() {
	el := r.order.Front()
	p := r.order.Remove(el).(*place)
	delete(r.byKey, p.key)
	r.total -= len(p.moments)
}

// hit is the process that an event is about.
func hit(e event.Event) *event.Process {
	switch e := e.(type) {
	case *event.Signal:
		return e.Target
	case *event.OOM:
		if e.Victim != nil {
			return e.Victim.Process
		}
	case *event.Death:
		return e.Process
	case *event.Stuck:
		return e.Target
	}
	return nil
}

// placeKey is where a process lives: its pod, else its container, its unit, or
// itself.
func placeKey(p *event.Process) string {
	switch {
	case p == nil:
		return ""
	case p.Pod != nil && p.Pod.UID != "":
		return "pod " + p.Pod.UID
	case p.Container != nil && p.Container.ID != "":
		return "container " + p.Container.ID
	case p.Unit != "":
		return "unit " + p.Unit
	}
	return "process " + strconv.Itoa(p.PID) + " " + strconv.FormatUint(p.StartBoottimeNS, 10)
}
