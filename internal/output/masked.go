// SPDX-License-Identifier: Apache-2.0

package output

import (
	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/safetext"
)

// masked is the event with the secrets in its arguments hidden. Events are
// shared and never written to, so what changes is a copy.
func (j *jsonPrinter) masked(e event.Event) event.Event {
	if !j.o.MaskArgs {
		return e
	}
	switch e := e.(type) {
	case *event.Signal:
		return j.maskSignal(e)
	case *event.OOM:
		return j.maskOOM(e)
	case *event.Exit:
		c := *e
		c.Process = j.maskProcess(e.Process)
		return &c
	case *event.Stuck:
		c := *e
		c.Target, c.Signal = j.maskProcess(e.Target), j.maskSignal(e.Signal)
		return &c
	case *event.Death:
		return j.maskDeath(e)
	}
	return e
}

func (j *jsonPrinter) maskDeath(d *event.Death) *event.Death {
	c := *d
	c.Process, c.Actor = j.maskProcess(d.Process), j.maskProcess(d.Actor)
	c.OOM = j.maskOOM(d.OOM)
	c.Chain = make([]event.Hop, len(d.Chain))
	for i, h := range d.Chain {
		c.Chain[i] = event.Hop{Process: j.maskProcess(h.Process), What: h.What}
	}
	c.Signals = make([]event.Sent, len(d.Signals))
	for i, s := range d.Signals {
		s.Sender, s.Trigger = j.maskProcess(s.Sender), j.maskProcess(s.Trigger)
		c.Signals[i] = s
	}
	return &c
}

func (j *jsonPrinter) maskSignal(s *event.Signal) *event.Signal {
	if s == nil {
		return nil
	}
	c := *s
	c.Sender, c.Trigger, c.Target = j.maskProcess(s.Sender), j.maskProcess(s.Trigger), j.maskProcess(s.Target)
	return &c
}

func (j *jsonPrinter) maskOOM(o *event.OOM) *event.OOM {
	if o == nil {
		return nil
	}
	c := *o
	c.Trigger = j.maskProcess(o.Trigger)
	if o.Victim != nil {
		v := *o.Victim
		v.Process = j.maskProcess(v.Process)
		c.Victim = &v
	}
	return &c
}

func (j *jsonPrinter) maskProcess(p *event.Process) *event.Process {
	if p == nil || !j.o.MaskArgs {
		return p
	}
	c := *p
	c.Args = safetext.Mask(p.Args)
	c.Ancestors = make([]*event.Process, len(p.Ancestors))
	for i, a := range p.Ancestors {
		ac := *a
		ac.Args = safetext.Mask(a.Args)
		c.Ancestors[i] = &ac
	}
	return &c
}
