// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/sigtrace/sigtrace/internal/cgroup"
	"github.com/sigtrace/sigtrace/internal/tracer"
	"github.com/sigtrace/sigtrace/internal/tracer/wire"
)

// beginRecovery reads what is kept and emits what is known to be lost.
func (p *Pipeline) beginRecovery() error {
	r := p.recovery
	if r == nil {
		return nil
	}
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
		if err := p.emitLost(l); err != nil {
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
	r := p.recovery
	switch {
	case r == nil:
		return nil
	case !r.done && r.ready(now):
		return p.handOnKept(ctx)
	case r.done && now.Sub(r.swept) >= sweepEvery:
		return p.sweep(ctx, now)
	}
	return nil
}

// endRecovery hands on what is still kept: the rings have been read to their end.
func (p *Pipeline) endRecovery(ctx context.Context) error {
	switch r := p.recovery; {
	case r == nil:
		return nil
	case !r.done:
		return p.handOnKept(ctx)
	}
	return p.sweep(ctx, time.Now())
}

// handOnKept hands on what the last reader has left.
func (p *Pipeline) handOnKept(ctx context.Context) error {
	r := p.recovery
	deaths, stories := r.deaths, r.stories
	r.done, r.deaths, r.stories = true, nil, nil
	return p.handOn(ctx, deaths, stories)
}

// handOn hands on, in order of time, what has not come through the rings.
func (p *Pipeline) handOn(ctx context.Context, deaths map[wire.Key]*wire.Kept, stories []*wire.Story) error {
	var all []any
	for _, d := range deaths {
		p.resolver.Recall(d.Exit.Process.Key, d.Process)
		stories = append(stories, &d.Story)
		if !p.recovery.markExit(d.Exit) {
			all = append(all, d.Exit)
		}
	}
	for _, s := range stories {
		all = append(all, p.takeStory(s)...)
	}
	slices.SortStableFunc(all, func(a, b any) int {
		return cmp.Compare((&held{raw: a}).boottime(), (&held{raw: b}).boottime())
	})
	for _, raw := range all {
		var err error
		p.fence.Run(func() string { return rawName(raw) }, func() { err = p.handOne(ctx, raw) })
		if err != nil {
			return err
		}
	}
	return nil
}

// takeStory marks and returns what of a story has not been handed on.
func (p *Pipeline) takeStory(s *wire.Story) []any {
	var all []any
	r := p.recovery
	for _, k := range s.Signals {
		id := signalID{k.Target.Key, k.Signal.Signal, k.Boottime}
		if r.signals[id] {
			continue
		}
		r.signals[id] = true
		p.resolver.Recall(k.Current.Key, k.Sender)
		all = append(all, k.Signal)
	}
	if o := s.OOM; o != nil && !r.markOOM(o) {
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
	return p.emitHeld(p.waiting.add(h))
}

// sweep hands on deaths that are kept and have not come through the ring.
func (p *Pipeline) sweep(ctx context.Context, now time.Time) error {
	r := p.recovery
	r.swept = now
	keys, err := r.Keeper.KeptDeaths()
	if err != nil {
		p.o.Log.Warn("cannot read the deaths in the pins", "error", err)
		return nil
	}
	if n := r.Keeper.NotKept(); n > r.notKept {
		p.o.Log.Warn("the pins are full: these deaths are lost if the agent is killed before it has written them", "count", n-r.notKept)
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
	// Only what the ring is past: under load it lags, and would bring it once more.
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
	return p.handOn(ctx, deaths, nil)
}
