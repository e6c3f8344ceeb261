// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/proctree"
)

// containerSurvives is a fact about the init of a process's container: false once
// that has exited or was sent what ends it, true where it was seen alive, and nil
// where neither is known.
func (e *Engine) containerSurvives(st *story) *bool {
	yes, no := true, false
	p := st.process
	switch {
	case p.Container == nil:
		return nil
	case proctree.IsInit(p):
		return &no
	}
	init := initOf(p)
	if init == nil {
		init = endedInit(st)
	}
	if init == nil {
		return nil
	}
	if other := e.find(init); other != nil && (other.exit != nil || other.killed != nil) {
		return &no
	}
	if init.Dead {
		return &no
	}
	if e.isAlive(init) {
		return &yes
	}
	return nil // gone since: whether with this death or after it was not seen
}

// isAlive reports whether a process is seen alive now.
func (e *Engine) isAlive(p *event.Process) bool {
	return p != nil && e.o.Alive != nil && isTrue(e.o.Alive(p.PID, p.StartBoottimeNS))
}

// initOf is the init of a process's container, where it is an ancestor.
func initOf(p *event.Process) *event.Process {
	for _, chain := range [][]*event.Process{p.Ancestors, p.PresentAncestors} {
		for _, a := range chain {
			if proctree.IsInit(a) && proctree.SameContainer(a, p) {
				return a
			}
		}
	}
	return nil
}

// endedInit is the init of the PID namespace whose end brought the process down.
func endedInit(st *story) *event.Process {
	for i := range st.signals {
		if s := &st.signals[i]; s.Via == event.ViaPidnsExit {
			return s.Trigger
		}
	}
	return nil
}
