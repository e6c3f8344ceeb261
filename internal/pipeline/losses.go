// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/resolve"
	"github.com/sigtrace/sigtrace/internal/tracer"
)

// emitLosses emits what the source has lost since the last time.
func (p *Pipeline) emitLosses(now time.Time) error {
	lost, err := p.source.Losses()
	if err != nil {
		p.o.Log.Warn("cannot read the loss counters", "error", err)
		return nil
	}
	for _, l := range lost {
		if err := p.emitLost(l); err != nil {
			return err
		}
	}
	p.since = now
	return nil
}

func (p *Pipeline) emitLost(l tracer.Loss) error {
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

// emitDropped emits how many routine signals came up after it was time to end.
func (p *Pipeline) emitDropped() error {
	if p.dropped == 0 {
		return nil
	}
	return p.emitLost(tracer.Loss{Count: p.dropped, Lane: tracer.Lanes()[1], Reason: "stopping"})
}
