// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/sigtrace/sigtrace/internal/cgroup"
	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/pipeline"
	"github.com/sigtrace/sigtrace/internal/proc"
	"github.com/sigtrace/sigtrace/internal/verdict"
)

// verdicts makes the engine, or nil where no record of its is to be shown.
func (f *watchFlags) verdicts(s *session, types map[event.Type]bool) pipeline.Verdicts {
	if !types[event.TypeDeath] && !types[event.TypeStuck] {
		return nil
	}
	return verdict.New(verdict.Options{
		BootID: bootID(), Node: f.nodeName(), All: f.all,
		TargetPID: f.target.PID, MaskArgs: f.maskArgs,
		Task: s.task, Memory: s.memory,
	})
}

// bootID makes the ids of deaths differ between boots.
func bootID() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// task looks at a process that was killed and has not ended.
func (s *session) task(pid int, start uint64) (verdict.Task, bool) {
	t, there := s.proc.Task(pid, start)
	if !there {
		return verdict.Task{}, false
	}
	return verdict.Task{State: t.State, Wchan: t.Wchan, Stack: t.Stack, Frozen: frozen(s.proc, s.cache.Mounts(), pid)}, true
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

func frozenIn(mounts cgroup.Mounts, controllers, path string) (is, known bool) {
	switch controllers {
	case "freezer":
		b, err := os.ReadFile(filepath.Join("/sys/fs/cgroup/freezer", path, "freezer.state"))
		return err == nil && strings.TrimSpace(string(b)) != "THAWED", err == nil && strings.TrimSpace(string(b)) != "THAWED"
	case "":
		b, err := os.ReadFile(filepath.Join(mounts.Dir(cgroup.Unified, path), "cgroup.events"))
		return err == nil && strings.Contains(string(b), "frozen 1"), err == nil && strings.Contains(string(b), "frozen 1")
	}
	return false, false
}

// memory reads the figures of a process's cgroup.
func (s *session) memory(p *event.Process) *event.Memory {
	figures, err := s.cache.Mounts().MemoryFigures(p.Cgroup)
	if err != nil {
		return nil
	}
	return &event.Memory{LimitBytes: figures.Limit, PeakBytes: figures.Peak, OOMKills: figures.OOMKills}
}
