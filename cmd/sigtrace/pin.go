// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/sigtrace/sigtrace/internal/config"
	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/pipeline"
	"github.com/sigtrace/sigtrace/internal/postmortem"
	"github.com/sigtrace/sigtrace/internal/resolve"
	"github.com/sigtrace/sigtrace/internal/tracer"
	"github.com/sigtrace/sigtrace/internal/verdict"
)

// registerPins: what outlives the agent.
func (f *agentFlags) registerPins(c *cobra.Command) {
	fs := c.Flags()
	fs.StringVar(&f.pinDir, "pin", "", "keep the kernel side loaded in this `directory` of a BPF file system, so that what dies while the agent restarts is told (alone it means "+tracer.PinDir+"; another one is --pin=DIR)")
	fs.Lookup("pin").NoOptDefVal = tracer.PinDir
	fs.BoolVar(&f.unpin, "unpin", false, "unload what --pin has left, and end")
	config.CommandLineOnly(fs, "unpin")
}

// pinDirectory is where to pin; empty for nowhere. A configuration file or the
// environment may say true and false.
func (f *agentFlags) pinDirectory() string {
	switch f.pinDir {
	case "true":
		return tracer.PinDir
	case "false":
		return ""
	}
	return f.pinDir
}

// removePins is --unpin.
func (f *agentFlags) removePins(c *cobra.Command) error {
	dir := f.pinDirectory()
	if dir == "" {
		dir = tracer.PinDir
	}
	removed, err := tracer.Unpin(dir)
	switch {
	case err != nil:
		return fmt.Errorf("--unpin: %w", err)
	case removed:
		fmt.Fprintln(c.ErrOrStderr(), "sigtrace: the pins in", dir, "are removed")
	default:
		fmt.Fprintln(c.ErrOrStderr(), "sigtrace: there are no pins in", dir)
	}
	return nil
}

// openPins takes hold of the pin directory, or says that pins lie idle.
func (f *agentFlags) openPins(log *slog.Logger) error {
	dir := f.pinDirectory()
	if dir == "" {
		if tracer.Pinned(tracer.PinDir) {
			log.Warn("an agent with --pin has left its programs running: go on with --pin, or remove them with sigtrace agent --unpin", "dir", tracer.PinDir)
		}
		return nil
	}
	var err error
	if f.pins, err = tracer.OpenPins(dir); err != nil {
		return fmt.Errorf("--pin: %w", err)
	}
	return nil
}

// resume prepares to go on where the last agent has ended.
func (s *session) resume(pins *tracer.Pins, logDir string) {
	if pins == nil {
		return
	}
	s.pins = pins
	r := pins.Report()
	s.recovery = &pipeline.Recovery{
		Keeper: s.probe, Told: told(logDir, s.log), Lost: lostWithPins(r), Overlap: r.Overlap, Log: s.log,
	}
	if r.Seen != 0 {
		s.recovery.Since = time.Now().Add(-time.Duration(resolve.Now() - min(r.Seen, resolve.Now())))
	}
	if r.Why != "" {
		s.log.Warn("the pins were not used as they are", "dir", pins.Dir(), "state", r.State, "why", r.Why, "deaths_dropped", r.Dropped)
	}
}

// lostWithPins is what the pins could not carry over.
func lostWithPins(r tracer.PinReport) []tracer.Loss {
	var lost []tracer.Loss
	if r.Dropped > 0 {
		lost = append(lost, tracer.Loss{Lane: tracer.Lanes()[0], Reason: "pins_replaced", Count: uint64(r.Dropped)})
	}
	if r.NotKept > 0 {
		lost = append(lost, tracer.Loss{Lane: tracer.Lanes()[0], Reason: "pins_full", Count: r.NotKept})
	}
	return lost
}

// told tells of deaths that the files have already: they are read when that is
// first asked.
func told(logDir string, log *slog.Logger) func(int, uint64) bool {
	boot := bootID()
	known := sync.OnceValue(func() map[string]bool {
		ids, err := postmortem.DeathIDs(logDir)
		if err != nil {
			log.Warn("not all deaths that were written are known: some may be told again", "error", err)
		}
		return ids
	})
	return func(pid int, start uint64) bool { return known()[verdict.DeathID(boot, pid, start)] }
}

// written releases a death that is on the disk.
func (s *session) written(d *event.Death) {
	if s == nil || s.recovery == nil {
		return
	}
	if err := s.probe.Release(d.Process.PID, d.Process.StartBoottimeNS); err != nil {
		s.log.Debug("a death stays kept", "error", err)
	}
}

// untold releases an end that makes no record.
func (s *session) untold(p *event.Process) {
	if s.recovery == nil {
		return
	}
	if err := s.probe.Release(p.PID, p.StartBoottimeNS); err != nil {
		s.log.Debug("an end stays kept", "error", err)
	}
}

func (s *session) pinStatus() *event.Pins {
	if s.pins == nil {
		return nil
	}
	r := s.pins.Report()
	return &event.Pins{Directory: s.pins.Dir(), State: r.State, Why: r.Why}
}

// closePins lets go of the directory.
func (f *agentFlags) closePins(err error) error {
	if f.pins == nil {
		return err
	}
	if err == nil {
		err = f.pins.Settle()
	}
	return errors.Join(err, f.pins.Close())
}
