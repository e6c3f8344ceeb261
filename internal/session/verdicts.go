// SPDX-License-Identifier: Apache-2.0

package session

import (
	"fmt"

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

// needsVerdicts: deaths are shown, or all that decides them is recorded.
func (c Config) needsVerdicts() bool {
	return c.Record != "" || c.Shown.Types[event.TypeDeath] || c.Shown.Types[event.TypeStuck]
}

// verdicts makes the engine; it is nil where no record of its is wanted.
func (s *Session) verdicts(recovery *pipeline.Recovery) (judging, error) {
	if !s.c.needsVerdicts() {
		return judging{}, nil
	}
	o := verdict.Options{
		BootID: proc.BootID(), Node: s.c.Node, All: s.c.Shown.All,
		TargetPID: s.c.Target.PID, MaskArgs: s.c.MaskArgs,
		KernelLog: s.kernelLog != nil, Task: s.task, Alive: s.alive, Memory: s.memory, Untold: s.Release,
		Fence: s.c.Fence, Attempts: recovery,
	}
	if s.c.Record != "" {
		file, err := safefile.Create(s.c.Record, 0o600)
		if err != nil {
			return judging{}, fmt.Errorf("--record: %w", err)
		}
		w := recording.New(file, o)
		return judging{engine: w, record: w}, nil
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
