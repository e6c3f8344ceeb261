// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"errors"
	"fmt"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/fence"
	"github.com/sigtrace/sigtrace/internal/kubefact"
)

// Printer is where events go.
type Printer interface {
	Print(event.Event) error
	// Tick lets go of what was held back for folding.
	Tick(now time.Time) error
	// Flush writes out what is buffered.
	Flush() error
}

// Verdicts joins what it is handed into deaths.
type Verdicts interface {
	Signal(*event.Signal)
	OOM(*event.OOM)
	Exit(*event.Exit)
	Lost(*event.Lost)
	KernelLog(*event.KernelOOM)
	Fact(*kubefact.Fact)
	// Due returns the records that are ripe: everything up to seen
	// (CLOCK_BOOTTIME, ns) has been handed on.
	Due(seen uint64) []event.Event
	// Flush returns those that wait: the stream has ended.
	Flush() []event.Event
}

// Observer is shown what happens, so that it looks at once at what it watches.
type Observer interface {
	Signalled(*event.Signal)
	Exited(*event.Exit)
}

// errDone ends the run after MaxEvents.
var errDone = errors.New("enough events")

// emitter hands resolved events to the verdicts and to the observer, and prints those
// that the filter shows. Each step runs under the fence: what cannot be digested
// costs that one event.
type emitter struct {
	printer  Printer
	filter   Filter
	verdicts Verdicts // nil decides no deaths
	observer Observer // may be nil
	recovery *Recovery
	ooms     oomLog
	fence    *fence.Fence
	printed  int
}

func newEmitter(printer Printer, o Options) emitter {
	e := emitter{
		printer: printer, filter: o.Filter, verdicts: o.Verdicts, observer: o.Observer,
		recovery: o.Recovery, fence: o.Fence,
	}
	if o.Feeds.KernelLog != nil {
		e.ooms.join = o.JoinLog
	}
	return e
}

// emit hands an event to the verdicts and prints it, unless it waits for the kernel's
// log. What was kept may have been printed before: only the verdicts get it.
func (p *emitter) emit(e event.Event, kept bool) error {
	p.judge(e)
	p.observe(e)
	if kept {
		return nil
	}
	wait := false
	p.fence.Run(named(e), func() {
		if o, ok := e.(*event.OOM); ok && p.filter.shows(o) {
			e, wait = p.ooms.take(o, time.Now())
		}
	})
	if wait {
		return nil
	}
	return p.print(e)
}

func (p *emitter) observe(e event.Event) {
	if p.observer == nil {
		return
	}
	p.fence.Run(named(e), func() {
		switch e := e.(type) {
		case *event.Signal:
			p.observer.Signalled(e)
		case *event.Exit:
			p.observer.Exited(e)
		}
	})
}

func (p *emitter) judge(e event.Event) {
	if p.verdicts == nil {
		return
	}
	p.fence.Run(named(e), func() {
		switch e := e.(type) {
		case *event.Signal:
			p.verdicts.Signal(e)
		case *event.OOM:
			p.verdicts.OOM(e)
		case *event.Exit:
			p.verdicts.Exit(e)
		case *event.Lost:
			p.verdicts.Lost(e)
		}
	})
}

func (p *emitter) fact(f *kubefact.Fact) {
	if p.verdicts != nil {
		p.fence.Run(func() string { return "a fact from " + f.Source }, func() { p.verdicts.Fact(f) })
	}
}

// kernelLog hands a line of the log to the verdicts, and prints the kill that waited
// for it.
func (p *emitter) kernelLog(k *event.KernelOOM) error {
	about := func() string { return fmt.Sprintf("a line of the kernel log on pid %d", k.PID) }
	if p.verdicts != nil {
		p.fence.Run(about, func() { p.verdicts.KernelLog(k) })
	}
	kill := p.ooms.takeKill(k)
	if kill == nil {
		p.ooms.remember(k, time.Now())
		return nil
	}
	joined := kill // as it was where the two cannot be joined
	p.fence.Run(named(kill), func() { joined = p.ooms.join(kill, k) })
	return p.print(joined)
}

// due prints the records that are ripe; the engine has a fence for each of them, and
// this one is for what lies between.
func (p *emitter) due(seen uint64) error {
	if p.verdicts == nil {
		return nil
	}
	var due []event.Event
	p.fence.Run(func() string { return fmt.Sprintf("the records due at %d", seen) }, func() { due = p.verdicts.Due(seen) })
	return p.printAll(due)
}

// flush prints the records that still wait: the stream has ended.
func (p *emitter) flush() error {
	if p.verdicts == nil {
		return p.fence.Err()
	}
	var last []event.Event
	p.fence.Run(func() string { return "the last records" }, func() { last = p.verdicts.Flush() })
	if err := p.printAll(last); err != nil {
		return err
	}
	return p.fence.Err()
}

func (p *emitter) printAll(events []event.Event) error {
	for _, e := range events {
		if err := p.print(e); err != nil {
			return err
		}
	}
	return nil
}

// print writes one event, if it is to be shown.
func (p *emitter) print(e event.Event) (err error) {
	p.fence.Run(named(e), func() { err = p.printShown(e) })
	return err
}

func (p *emitter) printShown(e event.Event) error {
	if !p.filter.shows(e) {
		p.recovery.releaseUnshown(e)
		return nil
	}
	if err := p.printer.Print(e); err != nil {
		return err
	}
	if t := e.Common().Type; t == event.TypeStatus || t == event.TypeLost {
		return nil
	}
	p.printed++
	if p.filter.MaxEvents > 0 && p.printed >= p.filter.MaxEvents {
		return errDone
	}
	return nil
}

// Status prints a status: what sigtrace sees with.
func (p *emitter) Status(s *event.Status) error {
	if err := p.print(s); err != nil {
		return err
	}
	return p.printer.Flush()
}

func (p *emitter) tickPrinter(now time.Time) (err error) {
	p.fence.Run(func() string { return "the printer's tick" }, func() {
		if err = p.printer.Tick(now); err == nil {
			err = p.printer.Flush()
		}
	})
	return err
}

// named is the id of a resolved event, for the fence's log.
func named(e event.Event) func() string {
	return func() string { return event.Name(e) }
}
