// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/sigtrace/sigtrace/internal/cgroup"
	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/tracer"
	"github.com/sigtrace/sigtrace/internal/tracer/wire"
)

// takeBatch takes in what one lane held.
func (p *Pipeline) takeBatch(ctx context.Context, b tracer.Batch) error {
	if b.Drained {
		defer p.recovery.markDrained(b.Lane)
	}
	if len(b.Ends) > 0 {
		p.queued[b.Lane].Add(-1)
	}
	p.until[b.Lane] = max(p.until[b.Lane], b.Until)
	from := 0
	for _, end := range b.Ends {
		data := b.Data[from:end]
		from = end
		if err := p.takeOne(ctx, b.Lane, data); err != nil {
			return err
		}
	}
	return nil
}

// takeOne decodes and takes in one event of the kernel side. What it costs when it
// cannot be digested is itself.
func (p *Pipeline) takeOne(ctx context.Context, lane int, data []byte) (err error) {
	var raw any
	p.fence.Run(func() string { return rawName(raw) }, func() {
		if raw, err = wire.Decode(data); err != nil {
			p.o.Log.Error("cannot decode an event of the kernel side", "error", err)
			err = nil
			return
		}
		if lane != 0 && p.isPastCut(raw) {
			p.dropped++
			return
		}
		err = p.take(ctx, raw)
	})
	return err
}

// isPastCut answers whether a routine signal comes up after the time to end.
func (p *Pipeline) isPastCut(raw any) bool {
	_, ok := raw.(*wire.Signal)
	return ok && !p.cut.IsZero() && !time.Now().Before(p.cut)
}

func (p *Pipeline) take(ctx context.Context, raw any) error {
	switch e := raw.(type) {
	case *wire.Proc:
		p.resolver.Describe(e)
	case *wire.Chain:
		p.resolver.Chain(e)
	case *wire.Cgroup:
		p.cgroup(ctx, e)
	case *wire.Deliver:
		return p.emitHeld(p.waiting.decide(e))
	case *wire.Signal:
		if p.recovery.markSignal(e) {
			return nil
		}
		return p.signal(ctx, e)
	case *wire.OOM:
		if p.recovery.markOOM(e) {
			return nil
		}
		return p.hold(ctx, raw, e.Victim, e.Trigger)
	case *wire.Exit:
		if p.recovery.markExit(e) {
			return nil
		}
		return p.exit(ctx, e)
	}
	return nil
}

func (p *Pipeline) cgroup(ctx context.Context, e *wire.Cgroup) {
	h := cgroup.Hierarchy(e.Hierarchy)
	if e.Removed {
		if p.cgroups != nil {
			p.cgroups.CgroupRemoved(h, e.ID)
		}
		return
	}
	if p.cache != nil {
		p.cache.Put(h, e.ID, e.Path)
	}
	p.resolver.Names().CgroupCreated(e.Path)
	if p.o.TopCgroup != nil && strings.LastIndexByte(e.Path, '/') == 0 {
		p.o.TopCgroup()
	}
	if p.cgroups != nil {
		p.cgroups.CgroupCreated(ctx, h, e.ID, e.Path)
	}
}

func (p *Pipeline) signal(ctx context.Context, e *wire.Signal) error {
	if p.verdicts == nil && (!p.filter.Types[event.TypeSignal] || e.Flags&wire.SignalContext != 0) {
		return nil
	}
	h := p.newHeld(ctx, e, e.Current, e.Target)
	if e.Flags&wire.SignalUndecided != 0 {
		h.awaitDecision(e, time.Now())
	}
	return p.emitHeld(p.waiting.add(h))
}

func (p *Pipeline) exit(ctx context.Context, e *wire.Exit) error {
	if p.verdicts == nil && (!p.filter.Types[event.TypeExit] || e.Flags&wire.ExitContext != 0) {
		return nil
	}
	return p.hold(ctx, e, e.Process)
}

func (p *Pipeline) hold(ctx context.Context, raw any, about ...wire.Brief) error {
	return p.emitHeld(p.waiting.add(p.newHeld(ctx, raw, about...)))
}

// newHeld asks for the names that are missing, each once.
func (p *Pipeline) newHeld(ctx context.Context, raw any, about ...wire.Brief) *held {
	h := &held{raw: raw}
	for _, b := range about {
		path, unnamed := p.resolver.Names().Unnamed(b.Hierarchy, b.Cgroup)
		if unnamed && p.waiting.names.ask(ctx, path) {
			h.paths = append(h.paths, path)
			h.until = time.Now().Add(nameWait)
		}
	}
	return h
}

// emitHeld resolves events that wait no longer, and emits them.
func (p *Pipeline) emitHeld(all []*held) error {
	for _, h := range all {
		e := p.fencedResolve(h)
		if e == nil {
			continue
		}
		if err := p.emit(e, h.kept); err != nil {
			return err
		}
	}
	return nil
}

// fencedResolve resolves an event; where that panics, an exit goes on with what the
// kernel side said of it alone, and anything else is dropped (nil).
func (p *Pipeline) fencedResolve(h *held) (e event.Event) {
	if p.fence.Run(func() string { return rawName(h.raw) }, func() { e = p.resolved(h) }) {
		return e
	}
	if raw, ok := h.raw.(*wire.Exit); ok {
		x := p.resolver.BareExit(raw)
		x.Kept, x.Undecided = h.kept, event.UndecidedError
		return x
	}
	return nil
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
		x.Kept, x.Undecided = h.kept, p.recovery.undecided(raw.Process.Key)
		return x
	}
	return nil
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
