// SPDX-License-Identifier: Apache-2.0

// Package agent is the watch that always runs: a session whose events go to stdout,
// to the postmortem files, to metrics and to Kubernetes Events, across restarts of
// its own.
package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/kubeevent"
	"github.com/sigtrace/sigtrace/internal/output"
	"github.com/sigtrace/sigtrace/internal/postmortem"
	"github.com/sigtrace/sigtrace/internal/proc"
	"github.com/sigtrace/sigtrace/internal/resolve"
	"github.com/sigtrace/sigtrace/internal/session"
)

// agent is one run.
type agent struct {
	c     Config
	log   *slog.Logger
	pulse *pulse
	files *postmortem.Writer
	// events is nil where no Kubernetes Events are made.
	events *kubeevent.Sink
	// session is nil until it is open.
	session atomic.Pointer[session.Session]
}

// Run runs an agent until ctx ends.
func Run(ctx context.Context, c Config) error {
	c.Session.Writes = append(c.Session.Writes, c.LogDir)
	a := &agent{c: c, log: c.Session.Log, pulse: newPulse()}
	c.apply(c.Level)
	pins, err := session.OpenPins(c.PinDir, a.log)
	if err != nil {
		return fmt.Errorf("--pin: %w", err)
	}
	if a.c.Session.Pins = pins; pins == nil {
		return a.serve(ctx)
	}
	if err = a.serve(ctx); err == nil {
		err = pins.Settle()
	}
	return errors.Join(err, pins.Close())
}

// serve opens the sinks and streams into them until ctx ends.
func (a *agent) serve(ctx context.Context) (err error) {
	if a.files, err = a.openFiles(); err != nil {
		return err
	}
	all, streaming := output.Tee(a.sinks()...), false
	err = session.Run(ctx, a.c.Session, func(s *session.Session) (session.Stream, error) {
		streaming = true
		away := absenceSince(a.files.Previous(), time.Now())
		a.session.Store(s)
		counted, err := a.count(ctx)
		if err != nil {
			return session.Stream{Printer: all}, err
		}
		a.reloads(ctx)
		absent, account := a.absent(ctx, s, away)
		return session.Stream{
			Printer: farewell{output.Tee(all, counted, a.pulse), s},
			State:   event.StateStarted, Away: away, Absent: absent,
			Recovery: s.Recovery(a.writtenBefore()),
			Started: func() {
				account()
				a.started(ctx)
			},
		}, nil
	})
	if !streaming {
		err = errors.Join(err, all.Close())
	}
	return err
}

// started: everything is attached.
func (a *agent) started(ctx context.Context) {
	a.pulse.ready.Store(true)
	notify(a.log, daemon.SdNotifyReady)
	go watchdog(ctx, a.log, a.pulse.alive)
}

func (a *agent) openFiles() (*postmortem.Writer, error) {
	return postmortem.Open(postmortem.Options{
		Dir: a.c.LogDir, Limits: a.c.Limits, MaskArgs: a.c.Session.MaskArgs, Flight: a.c.Flight, Log: a.log,
		Synced: func(d *event.Death) { a.session.Load().Release(d.Process) },
		Presence: postmortem.Presence{
			Node: a.c.Session.Node, BootID: proc.BootID(), Version: a.c.Session.Version, Started: time.Now().UTC(),
		},
	})
}

// absenceSince is the time in which no agent was there; nil where none was before.
func absenceSince(before *postmortem.Presence, now time.Time) *event.Away {
	if before == nil {
		return nil
	}
	return &event.Away{
		Since: before.LastSeen, Until: now.UTC(), Stopped: before.Stopped,
		Rebooted: before.BootID != proc.BootID(),
	}
}

// farewell ends the stream with a status: the agent ends as asked.
type farewell struct {
	output.Printer
	s *session.Session
}

func (f farewell) Close() error {
	status := f.s.Status(resolve.Now())
	status.State = event.StateStopped
	return errors.Join(f.Print(status), f.Printer.Close())
}
