// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"time"

	"github.com/sigtrace/sigtrace/internal/container"
	"github.com/sigtrace/sigtrace/internal/event"
)

// What is asked of a session about processes that ended before it began.

// EndedSince lists the containers that have ended since a time.
func (s *Session) EndedSince(ctx context.Context, from time.Time) ([]container.Past, error) {
	return s.dir.EndedSince(ctx, from)
}

// IsTarget answers whether a process that is gone belonged to the target.
func (s *Session) IsTarget(p *event.Process) bool {
	if p.Cgroup != "" && s.watcher.Matches(p.Cgroup) {
		return true
	}
	c := p.Container
	if c == nil {
		return s.watcher.MatchesContainer(container.Info{Pod: p.Pod, CgroupPath: p.Cgroup})
	}
	return s.watcher.MatchesContainer(container.Info{ID: c.ID, Name: c.Name, Pod: p.Pod, CgroupPath: p.Cgroup})
}

// NameByCgroup puts container and pod on a process whose cgroup is known.
func (s *Session) NameByCgroup(p *event.Process) {
	ref := container.ParsePath(p.Cgroup)
	p.Unit = ref.Unit
	info, _ := s.dir.Cached(p.Cgroup)
	p.Pod = info.Pod
	if info.ID != "" && !ref.Candidate {
		p.Container = &event.Container{ID: info.ID, Name: info.Name, Image: info.Image, Runtime: info.Runtime}
	}
}

// RecursionMisses counts, by hook, the runs that the kernel skipped because the
// program was running already.
func (s *Session) RecursionMisses() map[string]uint64 { return s.tracer.RecursionMisses() }
