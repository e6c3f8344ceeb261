// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/sigtrace/sigtrace/internal/cgroup"
	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/resolve"
	"github.com/sigtrace/sigtrace/internal/tracer"
	"github.com/sigtrace/sigtrace/internal/tracer/wire"
)

// recover reads what is kept and tells what is known to be lost.
func (p *Pipeline) recover() error {
	r := p.o.Recovery
	if err := r.begin(time.Now()); err != nil {
		return err
	}
	if !r.Since.IsZero() {
		p.since = r.Since
	}
	if r.spent > 0 {
		r.Lost = append(r.Lost, tracer.Loss{Lane: tracer.Lanes()[0], Reason: "record_failed", Count: r.spent})
		r.spent = 0
	}
	for _, l := range r.Lost {
		e := &event.Lost{
			Header: p.resolver.Header(event.TypeLost, resolve.Now()),
			Count:  l.Count, Lane: l.Lane, Reason: l.Reason, Since: p.since,
		}
		p.judge(e)
		if err := p.print(e); err != nil {
			return err
		}
	}
	for _, d := range r.deaths {
		p.rememberCgroup(d)
	}
	return nil
}

// rememberCgroup: a container's cgroup may be gone, and with it its name.
func (p *Pipeline) rememberCgroup(d *wire.Kept) {
	if p.cache == nil || d.Cgroup == "" {
		return
	}
	h := cgroup.Hierarchy(d.Exit.Process.Hierarchy)
	if _, known := p.cache.Path(h, d.Exit.Process.Cgroup); !known {
		p.cache.Put(h, d.Exit.Process.Cgroup, d.Cgroup)
	}
}

// resume hands on what was kept once the rings have been read, and from then
// on what they have lost.
func (p *Pipeline) resume(ctx context.Context, now time.Time) error {
	r := p.o.Recovery
	switch {
	case r == nil:
		return nil
	case !r.done && r.ready(now):
		r.done = true
		if err := p.handKept(ctx, r.deaths, r.stories); err != nil {
			return err
		}
		r.deaths, r.stories = nil, nil
	case r.done && now.Sub(r.swept) >= sweepEvery:
		r.swept = now
		return p.sweep(ctx, now)
	}
	return nil
}

// handKept hands on, in order of time, what the rings have not told.
func (p *Pipeline) handKept(ctx context.Context, deaths map[wire.Key]*wire.Kept, stories []*wire.Story) error {
	var all []any
	for _, d := range deaths {
		p.resolver.Recall(d.Exit.Process.Key, d.Process)
		stories = append(stories, &d.Story)
		if !p.o.Recovery.knowsExit(d.Exit) {
			all = append(all, d.Exit)
		}
	}
	for _, s := range stories {
		all = append(all, p.unheard(s)...)
	}
	slices.SortStableFunc(all, func(a, b any) int {
		return cmp.Compare((&held{raw: a}).boottime(), (&held{raw: b}).boottime())
	})
	for _, raw := range all {
		var err error
		p.o.Fence.Run(func() string { return rawName(raw) }, func() { err = p.handOne(ctx, raw) })
		if err != nil {
			return err
		}
	}
	return nil
}

// unheard is what of a story has not been told.
func (p *Pipeline) unheard(s *wire.Story) []any {
	var all []any
	r := p.o.Recovery
	for _, k := range s.Signals {
		id := signalID{k.Target.Key, k.Signal.Signal, k.Boottime}
		if r.signals[id] {
			continue
		}
		r.signals[id] = true
		p.resolver.Recall(k.Current.Key, k.Sender)
		all = append(all, k.Signal)
	}
	if o := s.OOM; o != nil && !r.knowsOOM(o) {
		r.ooms[o.Victim.Key] = true
		all = append(all, o)
	}
	return all
}

func (p *Pipeline) handOne(ctx context.Context, raw any) error {
	var h *held
	switch e := raw.(type) {
	case *wire.Signal:
		h = p.newHeld(ctx, e, e.Current, e.Target)
	case *wire.OOM:
		h = p.newHeld(ctx, e, e.Victim, e.Trigger)
	case *wire.Exit:
		h = p.newHeld(ctx, e, e.Process)
	default:
		return nil
	}
	h.kept = true
	return p.add(h)
}

// sweep hands on deaths that are kept and have not come through the ring.
func (p *Pipeline) sweep(ctx context.Context, now time.Time) error {
	r := p.o.Recovery
	keys, err := r.Keeper.KeptDeaths()
	if err != nil {
		p.o.Log.Warn("what is kept cannot be read", "error", err)
		return nil
	}
	if n := r.Keeper.NotKept(); n > r.notKept {
		p.o.Log.Warn("deaths found no room in the pins: they are told, unless the agent is killed before", "count", n-r.notKept)
		r.notKept = n
	}
	r.deaths = map[wire.Key]*wire.Kept{}
	there := map[wire.Key]bool{}
	for _, k := range keys {
		there[wire.Key(k)] = true
		if _, known := r.exits[wire.Key(k)]; !known {
			r.takeDeath(k)
		}
	}
	// Only what the ring is past: under load it lags, and would tell it once more.
	seen := p.seenUntil()
	for k, d := range r.deaths {
		if d.Exit.Boottime+strays > seen {
			delete(r.deaths, k)
			continue
		}
		p.rememberCgroup(d)
	}
	for k, x := range r.exits {
		if !there[k] && now.Sub(x.at) > sweepEvery && x.boottime+strays < seen {
			delete(r.exits, k)
		}
	}
	if max(r.from, r.Overlap[1])+strays < seen {
		clear(r.single)
		clear(r.signals)
		clear(r.ooms)
	}
	deaths := r.deaths
	r.deaths = nil
	return p.handKept(ctx, deaths, nil)
}
