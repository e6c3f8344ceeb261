// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"context"
	"time"

	"github.com/sigtrace/sigtrace/internal/absence"
	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/kmsg"
	"github.com/sigtrace/sigtrace/internal/postmortem"
	"github.com/sigtrace/sigtrace/internal/proc"
	"github.com/sigtrace/sigtrace/internal/resolve"
	"github.com/sigtrace/sigtrace/internal/session"
	"github.com/sigtrace/sigtrace/internal/tracer"
)

// lookBack is how long after its start an agent asks what it has missed: what
// ended at that very moment has been seen and written by then.
const lookBack = 3 * time.Second

// clockDriftShare is the inverse of how fast a processor's clock and one that is kept
// right may part: 100 ppm, eight seconds a day.
const clockDriftShare = 10_000

// absent brings what ended while no agent was there; account begins to ask for it.
// With pins that know all of it there is nothing to ask.
func (a *agent) absent(ctx context.Context, s *session.Session, away *event.Away) (absent <-chan *event.Exit, account func()) {
	if pins := a.c.Session.Pins; away == nil || pins != nil && !missedByPins(pins.Report()) {
		return nil, func() {}
	}
	ends := make(chan *event.Exit)
	past := a.openPast() // now: the capability that it takes is dropped after the start
	return ends, func() {
		go func() {
			select {
			case <-time.After(lookBack):
			case <-ctx.Done():
				if past != nil {
					_ = past.Close()
				}
				return
			}
			for _, x := range absence.Ends(a.account(ctx, s, *away, past)) {
				if !s.IsTarget(x.Process) {
					continue
				}
				select {
				case ends <- x:
				case <-ctx.Done():
					return
				}
			}
		}()
	}
}

// openPast opens the kernel log for what happened while no agent was running; nil
// where there is none.
func (a *agent) openPast() *kmsg.Past {
	path := a.c.Session.Sources.KernelLogPath()
	if path == "" {
		return nil
	}
	past, err := kmsg.OpenPast(path)
	if err != nil {
		a.log.Warn("cannot read the OOM kills that happened while no agent was running", "error", err)
		return nil
	}
	return past
}

// missedByPins: pins that were there and could be read have missed nothing.
func missedByPins(r tracer.PinReport) bool {
	return r.State == tracer.PinsMade || r.State == tracer.PinsReplaced
}

// account asks the files, the runtime and the kernel's log.
func (a *agent) account(ctx context.Context, s *session.Session, away event.Away, past *kmsg.Past) absence.Account {
	from, drift := away.Since.Add(-absence.Slack), time.Duration(resolve.Now())/clockDriftShare
	known := absence.Account{
		Since: away.Since, Until: away.Until, BootID: proc.BootID(), Node: a.c.Session.Node,
		Name: s.NameByCgroup, Boottime: boottimeOf,
		Drift: drift,
	}
	var err error
	if known.Written, err = postmortem.WrittenSince(a.c.LogDir, from.Add(-time.Minute-2*drift)); err != nil {
		a.log.Warn("cannot read all of the written deaths; some may be reported again", "error", err)
	}
	if known.Containers, err = s.EndedSince(ctx, from); err != nil {
		a.log.Warn("cannot list the containers that ended while no agent was running", "since", away.Since, "error", err)
	}
	if past != nil {
		if known.OOMs, err = past.OOMs(from.Add(-drift)); err != nil {
			a.log.Warn("cannot read the OOM kills that happened while no agent was running", "since", away.Since, "error", err)
		}
	}
	return known
}

// boottimeOf is CLOCK_BOOTTIME at a wall time, 0 if that was before the boot.
func boottimeOf(t time.Time) uint64 {
	ago := uint64(max(0, time.Since(t)))
	now := resolve.Now()
	return now - min(ago, now)
}
