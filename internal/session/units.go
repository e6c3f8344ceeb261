// SPDX-License-Identifier: Apache-2.0

package session

import (
	"os"

	"github.com/sigtrace/sigtrace/internal/cgroup"
	"github.com/sigtrace/sigtrace/internal/container"
	"github.com/sigtrace/sigtrace/internal/tracer"
)

// findUnitRoots looks for cgroups below which units or containers lie at a depth of
// their own, for the kernel side to keep their budgets apart. What cannot be read is
// left out: then several of them share one.
func findUnitRoots(mounts cgroup.Mounts) []tracer.UnitRoot {
	var roots []tracer.UnitRoot
	for _, h := range mounts.Hierarchies() {
		entries, err := os.ReadDir(mounts.Mount(h))
		if err != nil {
			continue
		}
		for _, e := range entries {
			level, ok := container.UnitLevel(e.Name())
			if !ok || !e.IsDir() {
				continue
			}
			if id, err := mounts.ID(h, "/"+e.Name()); err == nil {
				roots = append(roots, tracer.UnitRoot{Hierarchy: uint8(h), ID: id, Level: level})
			}
		}
	}
	return roots
}

// unitRoots gives them to the kernel side again: there may be more.
func (s *Session) unitRoots() {
	if err := s.tracer.SetUnitRoots(findUnitRoots(s.cache.Mounts())); err != nil {
		s.log.Warn("budgets may be shared", "error", err)
	}
}
