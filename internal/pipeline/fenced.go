// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"context"
	"fmt"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/tracer/wire"
)

// What one event costs when it cannot be digested: itself. Each step of the stream
// runs under the fence, with the event's kind, pid and start as its id.

// fencedTake decodes and takes in one event of the kernel side.
func (p *Pipeline) fencedTake(ctx context.Context, lane int, data []byte) (err error) {
	var raw any
	p.o.Fence.Run(func() string { return rawName(raw) }, func() {
		if raw, err = wire.Decode(data); err != nil {
			p.o.Log.Error("an event of the kernel side was not understood", "error", err)
			err = nil
			return
		}
		if lane == 0 || !p.leaves(raw) {
			err = p.take(ctx, raw)
		}
	})
	return err
}

// fencedResolve resolves an event; where that panics, an exit goes on with what the
// kernel side said of it alone, and anything else is dropped (nil).
func (p *Pipeline) fencedResolve(h *held) (e event.Event) {
	if p.o.Fence.Run(func() string { return rawName(h.raw) }, func() { e = p.resolved(h) }) {
		return e
	}
	if raw, ok := h.raw.(*wire.Exit); ok {
		x := p.resolver.BareExit(raw)
		x.Kept, x.Undecided = h.kept, event.UndecidedError
		return x
	}
	return nil
}

// due returns the ripe records; the engine has a fence for each of them, and this
// one is for what lies between.
func (p *Pipeline) due(seen uint64) (due []event.Event) {
	p.o.Fence.Run(func() string { return fmt.Sprintf("the records due at %d", seen) }, func() { due = p.o.Verdicts.Due(seen) })
	return due
}

func (p *Pipeline) flushed() (due []event.Event) {
	p.o.Fence.Run(func() string { return "the last records" }, func() { due = p.o.Verdicts.Flush() })
	return due
}

// rawName is what a log calls an event of the kernel side.
func rawName(raw any) string {
	switch e := raw.(type) {
	case *wire.Signal:
		return fmt.Sprintf("signal %d to pid %d, start %d", e.Signal, e.Target.TGID, e.Target.Start)
	case *wire.Deliver:
		return fmt.Sprintf("delivery of signal %d to pid %d, start %d", e.Signal, e.Target.TGID, e.Target.Start)
	case *wire.OOM:
		return fmt.Sprintf("OOM kill of pid %d, start %d", e.Victim.TGID, e.Victim.Start)
	case *wire.Exit:
		return fmt.Sprintf("exit of pid %d, start %d", e.Process.TGID, e.Process.Start)
	case *wire.Proc:
		return fmt.Sprintf("description of pid %d, start %d", e.TGID, e.Start)
	case *wire.Chain:
		return fmt.Sprintf("ancestry of pid %d, start %d", e.TGID, e.Start)
	case *wire.Cgroup:
		return fmt.Sprintf("cgroup %d", e.ID)
	}
	return fmt.Sprintf("an event of type %T", raw)
}

// named is the id of a resolved event.
func named(e event.Event) func() string {
	return func() string { return event.Name(e) }
}

func (p *Pipeline) tickPrinter(now time.Time) (err error) {
	p.o.Fence.Run(func() string { return "the printer's tick" }, func() {
		if err = p.printer.Tick(now); err == nil {
			err = p.printer.Flush()
		}
	})
	return err
}
