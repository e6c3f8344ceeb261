// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/sigtrace/sigtrace/internal/fence"
	"github.com/sigtrace/sigtrace/internal/output"
	"github.com/sigtrace/sigtrace/internal/session"
	"github.com/sigtrace/sigtrace/internal/tracer"
)

// watchFlags are the flags of watch.
type watchFlags struct {
	target  targetFlags
	shown   shownFlags
	sources sourceFlags
	form    formFlags
	run     runFlags
}

func newWatch(types *tracer.Types) *cobra.Command {
	c := &cobra.Command{
		Use:     "watch",
		Short:   "Watch this node live (the default command)",
		Example: examples,
		Args:    noArgs,
	}
	makeWatch(c, types)
	return c
}

// makeWatch gives a command the flags and the run of watch.
func makeWatch(c *cobra.Command, types *tracer.Types) {
	f := &watchFlags{}
	f.target.register(c)
	f.shown.register(c)
	f.sources.register(c)
	f.form.register(c)
	f.run.register(c)
	c.RunE = func(c *cobra.Command, _ []string) error { return f.start(c, types) }
}

// validate finds the user's mistakes before anything is loaded.
func (f *watchFlags) validate() error {
	mistake := cmp.Or(f.target.validate(), f.shown.validate(), f.form.validate(), f.sources.validate(), f.run.validate())
	return errors.Join(mistake, f.sources.Kubernetes.Missing())
}

func (f *watchFlags) start(c *cobra.Command, types *tracer.Types) error {
	if err := f.validate(); err != nil {
		return err
	}
	s := f.session(c, types)
	return brokenPipe(session.Run(c.Context(), s, func(*session.Session) (session.Stream, error) {
		p, err := f.form.printer(c.OutOrStdout(), time.Now)
		if err != nil {
			return session.Stream{}, err
		}
		return session.Stream{Printer: output.Fenced(p, s.Fence)}, nil
	}))
}

func (f *watchFlags) session(c *cobra.Command, types *tracer.Types) session.Config {
	log := newLog(c.ErrOrStderr(), f.run.verbose)
	s := session.Config{
		Version: versionString(), Node: f.sources.nodeName(), Target: f.target.Spec,
		Shown: f.shown.filter(c.Flags().Changed("type")), Sources: f.sources.Sources, MaskArgs: f.form.maskArgs,
		Types: types, DropPrivileges: dropsPrivileges, Fence: fence.New(fence.Options{Log: log}), Log: log,
	}
	if f.form.format == "table" || f.form.format == "wide" {
		s.Waiting = func(sentence string) { fmt.Fprintln(c.ErrOrStderr(), "sigtrace:", sentence) }
	}
	f.run.apply(&s)
	f.sources.forced.apply(&s)
	return s
}

// brokenPipe is how `sigtrace | head` ends: as asked.
func brokenPipe(err error) error {
	if errors.Is(err, unix.EPIPE) {
		return nil
	}
	return err
}

func newLog(w io.Writer, verbose bool) *slog.Logger {
	level := slog.LevelError
	if verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
}
