// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/kubefact"
	"github.com/sigtrace/sigtrace/internal/tracer/wire"
)

// tell resolves an event, hands it to the verdicts, and prints it. What was
// kept may have been printed before.
func (p *Pipeline) tell(h *held) error {
	e := p.fencedResolve(h)
	if e == nil {
		return nil
	}
	p.judge(e)
	p.witness(e)
	if h.kept {
		return nil
	}
	wait := false
	p.o.Fence.Run(named(e), func() { e, wait = p.joinLog(e) })
	if wait {
		return nil
	}
	return p.print(e)
}

// resolved names what an event has ids of; nil for what is not to be emitted.
func (p *Pipeline) resolved(h *held) event.Event {
	switch raw := h.raw.(type) {
	case *wire.Signal:
		s := p.resolver.Signal(raw)
		s.Kept = h.kept
		return s
	case *wire.OOM:
		return p.resolver.OOM(raw)
	case *wire.Exit:
		x := p.resolver.Exit(raw)
		x.Kept, x.Undecided = h.kept, p.o.Recovery.undecided(raw.Process.Key)
		return x
	}
	return nil
}

// witness lets those look who know of pods.
func (p *Pipeline) witness(e event.Event) {
	if p.o.Witnesses == nil {
		return
	}
	p.o.Fence.Run(named(e), func() {
		switch e := e.(type) {
		case *event.Signal:
			p.o.Witnesses.Signalled(e)
		case *event.Exit:
			p.o.Witnesses.Exited(e)
		}
	})
}

func (p *Pipeline) judge(e event.Event) {
	if p.o.Verdicts == nil {
		return
	}
	p.o.Fence.Run(named(e), func() {
		switch e := e.(type) {
		case *event.Signal:
			p.o.Verdicts.Signal(e)
		case *event.OOM:
			p.o.Verdicts.OOM(e)
		case *event.Exit:
			p.o.Verdicts.Exit(e)
		case *event.Lost:
			p.o.Verdicts.Lost(e)
		}
	})
}

func (p *Pipeline) fact(f *kubefact.Fact) {
	if p.o.Verdicts != nil {
		p.o.Fence.Run(func() string { return "a fact from " + f.Source }, func() { p.o.Verdicts.Fact(f) })
	}
}

// verdicts prints the records that are ripe.
func (p *Pipeline) verdicts() error {
	if p.o.Verdicts == nil || p.o.Recovery.running() {
		return nil
	}
	return p.printAll(p.due(p.seenUntil()))
}

func (p *Pipeline) printAll(events []event.Event) error {
	for _, e := range events {
		if err := p.print(e); err != nil {
			return err
		}
	}
	return nil
}

// print writes one event, if it is to be shown.
func (p *Pipeline) print(e event.Event) (err error) {
	p.o.Fence.Run(named(e), func() { err = p.printShown(e) })
	return err
}

func (p *Pipeline) printShown(e event.Event) error {
	if !p.shown(e) {
		p.o.Recovery.unshown(e)
		return nil
	}
	if err := p.printer.Print(e); err != nil {
		return err
	}
	if t := e.Common().Type; t == event.TypeStatus || t == event.TypeLost {
		return nil
	}
	p.printed++
	if p.o.MaxEvents > 0 && p.printed >= p.o.MaxEvents {
		return errDone
	}
	return nil
}

// Status prints the first event of the stream: what it sees with.
func (p *Pipeline) Status(s *event.Status) error {
	if err := p.print(s); err != nil {
		return err
	}
	return p.printer.Flush()
}
