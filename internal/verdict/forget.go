// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"cmp"
	"slices"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/proctree"
)

const (
	// storiesMax and storiesBytes bound what is remembered of processes.
	storiesMax   = 16384
	storiesBytes = 32 << 20
	// Rough sizes in bytes of what a story is made of, for weigh.
	storyWeight   = 512
	signalWeight  = 768
	processWeight = 512
)

// weigh adds to what a story holds. It is an estimate, made of what was handed in:
// a process that several events share counts for each story.
func (e *Engine) weigh(st *story, bytes int) {
	st.bytes += bytes
	e.bytes += bytes
}

// weightOf is about what a description of a process holds. Ancestors are mostly
// shared with others, so that they count with their pointers.
func weightOf(p *event.Process) int {
	if p == nil {
		return 0
	}
	n := processWeight + len(p.Exe) + len(p.Cgroup) + 16*(len(p.Ancestors)+len(p.PresentAncestors))
	for _, a := range p.Args {
		n += 16 + len(a)
	}
	return n
}

// forget drops what is too old to matter, and more where there is too much: first
// those whose end has been reported, and last containers' inits with the stop signals
// that they were sent.
func (e *Engine) forget(now uint64) {
	e.acts.forget(now)
	if !e.tooMuch(storiesMax, storiesBytes) {
		return
	}
	for _, st := range e.stories {
		if st.idle(now) {
			e.drop(st)
		}
	}
	if e.tooMuch(storiesMax, storiesBytes) {
		e.dropLeast(now)
	}
}

func (e *Engine) tooMuch(stories, bytes int) bool {
	return len(e.stories) > stories || e.bytes > bytes
}

func (e *Engine) drop(st *story) {
	delete(e.stories, st.id)
	e.bytes -= st.bytes
}

func (st *story) idle(now uint64) bool {
	if st.exit != nil {
		return st.exit.BoottimeNS+afterlife < now
	}
	return st.touched+window < now && st.killed == nil
}

// dropLeast makes room for a while: to half of the bounds.
func (e *Engine) dropLeast(now uint64) {
	all := make([]*story, 0, len(e.stories))
	for _, st := range e.stories {
		all = append(all, st)
	}
	slices.SortFunc(all, func(a, b *story) int {
		return cmp.Or(cmp.Compare(a.worth(), b.worth()), cmp.Compare(a.touched, b.touched))
	})
	for _, st := range all {
		if !e.tooMuch(storiesMax/2, storiesBytes/2) {
			return
		}
		e.drop(st)
		if !st.judged {
			e.forgot(st, now)
		}
	}
}

// worth is the order in which stories are forgotten.
func (st *story) worth() int {
	switch {
	case st.judged:
		return 0
	case proctree.IsInit(st.process) || st.process.NSPID == 1:
		return 2
	}
	return 1
}

// forgot counts the signals of a process that will die yet: its record says that
// something may be missing.
func (e *Engine) forgot(st *story, now uint64) {
	n := uint64(len(st.signals) + len(st.handled))
	if n == 0 {
		return
	}
	e.addForgotten(loss{from: now, to: now + window, count: n, cgroup: st.process.Cgroup, forgotten: true})
}
