// SPDX-License-Identifier: Apache-2.0

package safetext

import (
	"slices"

	"github.com/sigtrace/sigtrace/internal/event"
)

// Events are shared and never written to: what the functions here change is a
// copy.

// MaskEvent hides the secrets in the arguments of every process of an event.
func MaskEvent(e event.Event) event.Event {
	return eachProcess(e, func(p *event.Process) { maskArgs(p) })
}

// PublicEvent is the event as the contract shows it, without what only
// recordings hold, its secrets hidden if mask is set.
func PublicEvent(e event.Event, mask bool) event.Event {
	c := eachProcess(e, func(p *event.Process) { public(p, mask) })
	switch c := c.(type) {
	case *event.Signal:
		c.SignalDetail = event.SignalDetail{}
	case *event.OOM:
		c.OOMDetail = event.OOMDetail{}
	case *event.Death:
		if c.OOM != nil {
			o := *c.OOM
			o.OOMDetail = event.OOMDetail{}
			c.OOM = &o
		}
	case *event.Exit:
		c.ExitDetail = event.ExitDetail{}
	case *event.Stuck:
		s := *c.Signal
		s.SignalDetail = event.SignalDetail{}
		c.Signal = &s
	}
	return c
}

// PublicProcess does the same for one process.
func PublicProcess(p *event.Process, mask bool) *event.Process {
	return change(p, func(p *event.Process) { public(p, mask) })
}

func public(p *event.Process, mask bool) {
	p.PresentAncestors, p.ProcessDetail = nil, event.ProcessDetail{}
	if mask {
		p.Args = Mask(p.Args)
	}
	inner := func(p *event.Process) { public(p, mask) }
	p.PresentParent, p.Ancestors = change(p.PresentParent, inner), eachOf(p.Ancestors, inner)
}

func maskArgs(p *event.Process) {
	p.Args = Mask(p.Args)
	p.PresentParent = change(p.PresentParent, maskArgs)
	p.Ancestors = eachOf(p.Ancestors, maskArgs)
	p.PresentAncestors = eachOf(p.PresentAncestors, maskArgs)
	p.Tracer = change(p.Tracer, maskArgs)
}

// eachOf copies a list with every process of it edited.
func eachOf(list []*event.Process, edit func(*event.Process)) []*event.Process {
	if list == nil {
		return nil
	}
	edited := make([]*event.Process, len(list))
	for i, p := range list {
		edited[i] = change(p, edit)
	}
	return edited
}

func change(p *event.Process, edit func(*event.Process)) *event.Process {
	if p == nil {
		return nil
	}
	c := *p
	edit(&c)
	return &c
}

// eachProcess copies an event with every process of it edited.
func eachProcess(e event.Event, edit func(*event.Process)) event.Event {
	switch e := e.(type) {
	case *event.Signal:
		return editSignal(e, edit)
	case *event.OOM:
		return editOOM(e, edit)
	case *event.Exit:
		c := *e
		c.Process = change(e.Process, edit)
		return &c
	case *event.Stuck:
		c := *e
		c.Target, c.Signal = change(e.Target, edit), editSignal(e.Signal, edit)
		return &c
	case *event.Death:
		return editDeath(e, edit)
	}
	return e
}

func editDeath(d *event.Death, edit func(*event.Process)) *event.Death {
	c := *d
	c.Process, c.Actor = change(d.Process, edit), change(d.Actor, edit)
	if d.OOM != nil {
		c.OOM = editOOM(d.OOM, edit)
	}
	c.Chain = make([]event.Hop, len(d.Chain))
	for i, h := range d.Chain {
		c.Chain[i] = event.Hop{Process: change(h.Process, edit), What: h.What}
	}
	c.Signals = make([]event.Sent, len(d.Signals))
	for i, s := range d.Signals {
		s.Sender, s.Trigger = change(s.Sender, edit), change(s.Trigger, edit)
		c.Signals[i] = s
	}
	c.HandledSignals = slices.Clone(d.HandledSignals)
	for i := range c.HandledSignals {
		s := &c.HandledSignals[i]
		s.Sender = change(s.Sender, edit)
	}
	return &c
}

func editSignal(s *event.Signal, edit func(*event.Process)) *event.Signal {
	c := *s
	c.Sender, c.Trigger, c.Target = change(s.Sender, edit), change(s.Trigger, edit), change(s.Target, edit)
	return &c
}

func editOOM(o *event.OOM, edit func(*event.Process)) *event.OOM {
	c := *o
	c.Trigger = change(o.Trigger, edit)
	if o.Victim != nil {
		v := *o.Victim
		v.Process = change(v.Process, edit)
		c.Victim = &v
	}
	return &c
}
