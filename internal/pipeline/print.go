// SPDX-License-Identifier: Apache-2.0

package pipeline

import "github.com/sigtrace/sigtrace/internal/event"

func (p *Pipeline) printRaw(raw any) error {
	switch e := raw.(type) {
	case *event.RawSignal:
		return p.print(p.resolver.Signal(e))
	case *event.RawOOM:
		return p.print(p.resolver.OOM(e))
	case *event.RawExit:
		return p.print(p.resolver.Exit(e))
	}
	return nil
}

// print writes one event. lost and status are written whatever is chosen.
func (p *Pipeline) print(e event.Event) error {
	t := e.Common().Type
	if t != event.TypeLost && t != event.TypeStatus && !p.o.Types[t] {
		return nil
	}
	if s, ok := e.(*event.Signal); ok && !p.o.All && !s.Matters {
		return nil
	}
	if err := p.printer.Print(e); err != nil {
		return err
	}
	if t == event.TypeStatus || t == event.TypeLost {
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
