// SPDX-License-Identifier: Apache-2.0

package session

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/sigtrace/sigtrace/internal/cgroup"
	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/proc"
	"github.com/sigtrace/sigtrace/internal/verdict"
)

// task looks at a process that was killed and has not ended.
func (s *Session) task(pid int, start uint64) (verdict.Task, bool) {
	t, there := s.proc.Task(pid, start)
	if !there {
		return verdict.Task{}, false
	}
	return verdict.Task{State: t.State, Wchan: t.Wchan, Stack: t.Stack, Frozen: frozen(s.proc, s.cache.Mounts(), pid)}, true
}

// alive reports whether a process is there and no zombie.
func (s *Session) alive(pid int, start uint64) *bool {
	t, there := s.proc.Task(pid, start)
	there = there && t.State != "Z" && t.State != "X"
	return &there
}

// frozen asks the freezer of a process's cgroup; nil where there is none.
func frozen(fs proc.FS, mounts cgroup.Mounts, pid int) *bool {
	groups, err := os.ReadFile(fs.Path(pid, "cgroup"))
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(groups)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) != 3 {
			continue
		}
		if is, known := frozenIn(mounts, fields[1], fields[2]); known {
			return &is
		}
	}
	return nil
}

// frozenIn asks one hierarchy; only "frozen" says anything, for the process may
// be held by another one.
func frozenIn(mounts cgroup.Mounts, controllers, path string) (is, known bool) {
	var file, mark string
	switch controllers {
	case "freezer":
		file, mark = filepath.Join("/sys/fs/cgroup/freezer", path, "freezer.state"), "FR"
	case "":
		file, mark = filepath.Join(mounts.Dir(cgroup.Unified, path), "cgroup.events"), "frozen 1"
	default:
		return false, false
	}
	b, err := os.ReadFile(file)
	is = err == nil && strings.Contains(string(b), mark)
	return is, is
}

// memory reads the figures of a process's cgroup.
func (s *Session) memory(p *event.Process) *event.Memory {
	figures, err := s.cache.Mounts().MemoryFigures(p.Cgroup)
	if err != nil {
		return nil
	}
	m := event.Memory{LimitBytes: figures.Limit, PeakBytes: figures.Peak, OOMKills: figures.OOMKills}
	if m == (event.Memory{}) {
		return nil // v2's root has no such files
	}
	return &m
}
