// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"time"

	"github.com/sigtrace/sigtrace/internal/absence"
	"github.com/sigtrace/sigtrace/internal/container"
	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/kmsg"
	"github.com/sigtrace/sigtrace/internal/postmortem"
	"github.com/sigtrace/sigtrace/internal/resolve"
	"github.com/sigtrace/sigtrace/internal/tracer"
)

// lookBack is how long after its start an agent asks what it has missed: what
// ended at that very moment has been seen and written by then.
const lookBack = 3 * time.Second

// drifts is the inverse of how fast a processor's clock and one that is kept right
// may part: 100 ppm, eight seconds a day.
const drifts = 10_000

// missed tells of what ended while no agent was there, unless the pins know it
// all.
func (f *agentFlags) missed(ctx context.Context, s *session) {
	if s.away == nil || s.pins != nil && !missedByPins(s.pins.Report()) {
		return
	}
	away, ends := *s.away, make(chan *event.Exit)
	s.absent = ends
	s.started = append(s.started, func() {
		go func() {
			select {
			case <-time.After(lookBack):
			case <-ctx.Done():
				return
			}
			for _, x := range absence.Ends(f.account(ctx, s, away)) {
				if !s.mine(x.Process) {
					continue
				}
				select {
				case ends <- x:
				case <-ctx.Done():
					return
				}
			}
		}()
	})
}

// mine tells whether a process that is gone belonged to the target.
func (s *session) mine(p *event.Process) bool {
	if p.Cgroup != "" && s.watcher.Matches(p.Cgroup) {
		return true
	}
	c := p.Container
	if c == nil {
		return s.watcher.MatchesContainer(container.Info{Pod: p.Pod, CgroupPath: p.Cgroup})
	}
	return s.watcher.MatchesContainer(container.Info{ID: c.ID, Name: c.Name, Pod: p.Pod, CgroupPath: p.Cgroup})
}

// missedByPins: pins that were there and could be read have missed nothing.
func missedByPins(r tracer.PinReport) bool {
	return r.State == tracer.PinsMade || r.State == tracer.PinsReplaced
}

// account asks all who may remember.
func (f *agentFlags) account(ctx context.Context, s *session, away event.Away) absence.Account {
	from, drift := away.Since.Add(-absence.Slack), time.Duration(resolve.Now())/drifts
	a := absence.Account{
		Since: away.Since, Until: away.Until, BootID: bootID(), Node: f.nodeName(),
		Name: s.nameByCgroup, Boottime: boottimeOf,
		Drift: drift,
	}
	var err error
	if a.Written, err = postmortem.WrittenSince(f.logDir, from.Add(-time.Minute-2*drift)); err != nil {
		s.log.Warn("not all deaths that were written are known: some may be told again", "error", err)
	}
	if a.Containers, err = s.dir.EndedSince(ctx, from); err != nil {
		s.log.Warn("which containers ended while no agent was there is not known", "since", away.Since, "error", err)
	}
	if f.kernelLog != "off" {
		path := f.kernelLog
		if path == "" {
			path = defaultKernelLog
		}
		if a.OOMs, err = kmsg.Past(path, from.Add(-drift)); err != nil {
			s.log.Warn("what was killed for memory while no agent was there is not known", "since", away.Since, "error", err)
		}
	}
	return a
}

// nameByCgroup puts container and pod on a process whose cgroup is known.
func (s *session) nameByCgroup(p *event.Process) {
	ref := container.ParsePath(p.Cgroup)
	p.Unit = ref.Unit
	info, _ := s.dir.Cached(p.Cgroup)
	p.Pod = info.Pod
	if info.ID != "" && !ref.Candidate {
		p.Container = &event.Container{ID: info.ID, Name: info.Name, Image: info.Image, Runtime: info.Runtime}
	}
}

// boottimeOf is CLOCK_BOOTTIME at a wall time, 0 if that was before the boot.
func boottimeOf(t time.Time) uint64 {
	ago := uint64(max(0, time.Since(t)))
	now := resolve.Now()
	return now - min(ago, now)
}
