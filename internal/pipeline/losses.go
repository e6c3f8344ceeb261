// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/resolve"
	"github.com/sigtrace/sigtrace/internal/tracer"
	"github.com/sigtrace/sigtrace/internal/tracer/wire"
)

func (p *Pipeline) losses(now time.Time) error {
	lost, err := p.kernel.Losses()
	if err != nil {
		p.o.Log.Warn("losses are not known", "error", err)
		return nil
	}
	for _, l := range lost {
		if err := p.lost(l); err != nil {
			return err
		}
	}
	p.since = now
	return nil
}

func (p *Pipeline) lost(l tracer.Loss) error {
	e := &event.Lost{
		Header: p.resolver.Header(event.TypeLost, resolve.Now()),
		Count:  l.Count, Lane: l.Lane, Reason: l.Reason, Since: p.since,
	}
	if l.Folded {
		e.Folded = l.Count
		e.Cgroup, e.Container = p.resolver.Names().Owner(l.Hierarchy, l.Cgroup)
	}
	p.judge(e)
	return p.print(e)
}

// leaves counts a routine signal that comes up when it is time to end.
func (p *Pipeline) leaves(raw any) bool {
	if _, ok := raw.(*wire.Signal); !ok || p.cut.IsZero() || time.Now().Before(p.cut) {
		return false
	}
	p.untold++
	return true
}

func (p *Pipeline) tellUntold() error {
	if p.untold == 0 {
		return nil
	}
	return p.lost(tracer.Loss{Count: p.untold, Lane: tracer.Lanes()[1], Reason: "stopping"})
}
