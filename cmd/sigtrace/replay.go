// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/fence"
	"github.com/sigtrace/sigtrace/internal/output"
	"github.com/sigtrace/sigtrace/internal/pipeline"
	"github.com/sigtrace/sigtrace/internal/recording"
	"github.com/sigtrace/sigtrace/internal/verdict"
)

// replayFlags are the flags of replay.
type replayFlags struct {
	shown   shownFlags
	form    formFlags
	verbose bool
}

func newReplay() *cobra.Command {
	f := &replayFlags{}
	c := &cobra.Command{
		Use:   "replay FILE...",
		Short: "Run recorded events through the verdicts again",
		Long:  "replay reads what sigtrace watch --record FILE wrote and decides and prints it\nagain, with the same or with other flags. It needs no privileges.",
		Example: `  sigtrace watch --record /tmp/kill.jsonl   # elsewhere, as root
  sigtrace replay /tmp/kill.jsonl
  sigtrace replay kill.jsonl --type death -o json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError{errors.New("replay needs a recording: sigtrace replay FILE (sigtrace watch --record FILE makes one)")}
			}
			return nil
		},
	}
	f.shown.register(c)
	f.form.register(c)
	c.Flags().BoolVarP(&f.verbose, "verbose", "v", false, "diagnostics on stderr")
	c.RunE = func(c *cobra.Command, files []string) error {
		if err := cmp.Or(f.shown.validate(), f.form.validate()); err != nil {
			return err
		}
		for _, name := range files {
			if err := f.replay(c, name); err != nil {
				return brokenPipe(err)
			}
		}
		return nil
	}
	return c
}

func (f *replayFlags) replay(c *cobra.Command, name string) error {
	file, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	defer file.Close()
	r, err := recording.NewReader(file)
	if err != nil {
		return fmt.Errorf("replay %s: %w", name, err)
	}
	panics := bugFence(newLog(c.ErrOrStderr(), f.verbose))
	clock := &playClock{Recording: r}
	printer, err := f.form.printer(c.OutOrStdout(), clock.time)
	if err != nil {
		return err
	}
	printer = output.Fenced(printer, panics)
	o := r.Options()
	o.All, o.MaskArgs, o.Fence = o.All || f.shown.all, f.form.maskArgs, panics
	engine := verdict.New(o)
	r.HandLog(engine.KernelLog)
	r.HandFacts(engine.Fact)
	err = pipeline.Replay(c.Context(), clock, printer, pipeline.Options{
		Filter: f.shown.filter(c.Flags().Changed("type")), Verdicts: engine, Fence: panics,
	})
	err = errors.Join(err, printer.Close())
	if bug := panics.Err(); bug != nil {
		return fmt.Errorf("replay %s: %w: this is a bug in sigtrace, please report it with the recording (--verbose shows the stack)", name, bug)
	}
	return err
}

// bugFence ends a replay at the first panic, with one sentence instead of a stack: a
// replay is for finding out what is wrong.
func bugFence(log *slog.Logger) *fence.Fence {
	return fence.New(fence.Options{Limit: 1, Level: slog.LevelDebug, Log: log})
}

// playClock is the time of the recording: what was one act is folded as it was.
type playClock struct {
	pipeline.Recording
	now time.Time
}

func (p *playClock) Next() (event.Event, uint64, error) {
	e, seen, err := p.Recording.Next()
	if e != nil && e.Common().Time.After(p.now) {
		p.now = e.Common().Time
	}
	return e, seen, err
}

func (p *playClock) time() time.Time { return p.now }
