// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/sigtrace/sigtrace/internal/cgroup"
	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/pipeline"
	"github.com/sigtrace/sigtrace/internal/proc"
	"github.com/sigtrace/sigtrace/internal/recording"
	"github.com/sigtrace/sigtrace/internal/safefile"
	"github.com/sigtrace/sigtrace/internal/verdict"
)

// judging is the engine, with its recording where one is made.
type judging struct {
	engine pipeline.Verdicts
	record *recording.Writer
}

// verdicts makes the engine; it is nil where no record of its is wanted.
func (f *watchFlags) verdicts(s *session, types map[event.Type]bool) (judging, error) {
	o := verdict.Options{
		BootID: bootID(), Node: f.nodeName(), All: f.all,
		TargetPID: f.target.PID, MaskArgs: f.maskArgs,
		KernelLog: s.kernelLog != nil, Task: s.task, Alive: s.alive, Memory: s.memory, Untold: s.untold,
	}
	if f.record != "" {
		file, err := safefile.Create(f.record, 0o600)
		if err != nil {
			return judging{}, fmt.Errorf("--record: %w", err)
		}
		w := recording.New(file, o)
		return judging{engine: w, record: w}, nil
	}
	if !types[event.TypeDeath] && !types[event.TypeStuck] {
		return judging{}, nil
	}
	return judging{engine: verdict.New(o)}, nil
}

func (j judging) status(s *event.Status) {
	if j.record != nil {
		j.record.Status(s)
	}
}

func (j judging) close() error {
	if j.record == nil {
		return nil
	}
	if err := j.record.Close(); err != nil {
		return fmt.Errorf("--record: %w; the recording ends where that happened", err)
	}
	return nil
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

// alive reports whether a process is there and no zombie.
func (s *session) alive(pid int, start uint64) *bool {
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
func (s *session) memory(p *event.Process) *event.Memory {
	figures, err := s.cache.Mounts().MemoryFigures(p.Cgroup)
	if err != nil {
		return nil
	}
	m := event.Memory{LimitBytes: figures.Limit, PeakBytes: figures.Peak, OOMKills: figures.OOMKills}
	if m == (event.Memory{}) {
		return nil // v2's root tells nothing
	}
	return &m
}
