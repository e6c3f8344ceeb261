// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"context"
	"strings"
	"time"

	"github.com/sigtrace/sigtrace/internal/cgroup"
	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/tracer/wire"
)

// held is an event that waits: a signal for the kernel's decision, any event
// for its container's name.
type held struct {
	raw   any
	until time.Time
	// undecided is the signal whose fate is awaited; nil once it is known.
	undecided *wire.Signal
	paths     []string
	// kept: only the verdicts hear of it.
	kept bool
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
		return p.decided(e)
	case *wire.Signal:
		if p.o.Recovery.knows(e) {
			return nil
		}
		return p.signal(ctx, e)
	case *wire.OOM:
		if p.o.Recovery.knowsOOM(e) {
			return nil
		}
		return p.hold(ctx, raw, e.Victim, e.Trigger)
	case *wire.Exit:
		if p.o.Recovery.knowsExit(e) {
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
	if p.o.Verdicts == nil && (!p.o.Types[event.TypeSignal] || e.Flags&wire.SignalContext != 0) {
		return nil
	}
	h := p.newHeld(ctx, e, e.Current, e.Target)
	if e.Flags&wire.SignalUndecided != 0 {
		h.undecided = e
		h.until = latest(h.until, time.Now().Add(undecided))
	}
	return p.add(h)
}

func (p *Pipeline) exit(ctx context.Context, e *wire.Exit) error {
	if p.o.Verdicts == nil && (!p.o.Types[event.TypeExit] || e.Flags&wire.ExitContext != 0) {
		return nil
	}
	return p.hold(ctx, e, e.Process)
}

func (p *Pipeline) hold(ctx context.Context, raw any, about ...wire.Brief) error {
	return p.add(p.newHeld(ctx, raw, about...))
}

// newHeld asks for the names that are missing, each once.
func (p *Pipeline) newHeld(ctx context.Context, raw any, about ...wire.Brief) *held {
	h := &held{raw: raw}
	for _, b := range about {
		path, unnamed := p.resolver.Names().Unnamed(b.Hierarchy, b.Cgroup)
		if unnamed && p.names.ask(ctx, path) {
			h.paths = append(h.paths, path)
			h.until = time.Now().Add(naming)
		}
	}
	return h
}

func (p *Pipeline) add(h *held) error {
	if !p.waits(h, time.Now()) {
		return p.tell(h)
	}
	if len(p.held) >= heldMax {
		first := p.held[0]
		p.held = p.held[1:]
		if err := p.tell(first); err != nil {
			return err
		}
	}
	p.held = append(p.held, h)
	return nil
}

func (p *Pipeline) waits(h *held, now time.Time) bool {
	if now.After(h.until) {
		return false
	}
	return h.undecided != nil || p.names.open(h.paths)
}

// decided gives a waiting signal its fate.
func (p *Pipeline) decided(e *wire.Deliver) error {
	for _, h := range p.held {
		s := h.undecided
		if s == nil || s.Signal != e.Signal || s.Target.Key != e.Target.Key || s.Boottime != e.Generated {
			continue
		}
		s.Flags &^= wire.SignalUndecided
		if e.Fatal {
			s.Flags |= wire.SignalFatal
		} else {
			s.Flags |= wire.SignalSurvived
		}
		h.undecided = nil
		return p.release(time.Now())
	}
	return nil
}

// seenUntil is the time up to which everything has been handed on: a lane that
// lags and what waits hold it back. The batches of a lane come in order.
func (p *Pipeline) seenUntil() uint64 {
	seen := p.until[0]
	if p.waiting[1].Load() > 0 {
		seen = max(min(seen, p.until[1]), seen-min(seen, routineLag))
	}
	for _, h := range p.held {
		seen = min(seen, h.boottime())
	}
	return seen
}

func (h *held) boottime() uint64 {
	switch e := h.raw.(type) {
	case *wire.Signal:
		return e.Boottime
	case *wire.OOM:
		return e.Boottime
	case *wire.Exit:
		return e.Boottime
	}
	return 0
}

// release prints what need not wait any longer.
func (p *Pipeline) release(now time.Time) error {
	var still []*held
	for i, h := range p.held {
		if p.waits(h, now) {
			still = append(still, h)
			continue
		}
		if err := p.tell(h); err != nil {
			p.held = append(still, p.held[i+1:]...)
			return err
		}
	}
	p.held = still
	return nil
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
