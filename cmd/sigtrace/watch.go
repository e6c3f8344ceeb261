// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"runtime/debug"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/sigtrace/sigtrace/internal/capability"
	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/fence"
	"github.com/sigtrace/sigtrace/internal/output"
	"github.com/sigtrace/sigtrace/internal/pipeline"
	"github.com/sigtrace/sigtrace/internal/resolve"
	"github.com/sigtrace/sigtrace/internal/safefile"
	"github.com/sigtrace/sigtrace/internal/signal"
	"github.com/sigtrace/sigtrace/internal/tracer"
	"github.com/sigtrace/sigtrace/internal/verdict"
)

func newWatch(types *tracer.Types) *cobra.Command {
	f := &watchFlags{kernelTypes: types}
	c := &cobra.Command{
		Use:     "watch",
		Short:   "Watch this node live (the default command)",
		Example: examples,
		Args:    noArgs,
		RunE:    f.run,
	}
	f.register(c)
	return c
}

func (f *watchFlags) run(c *cobra.Command, _ []string) error {
	if err := errors.Join(f.validate(), f.kube.missing()); err != nil {
		return err
	}
	log := newLog(c.ErrOrStderr(), f.verbose)
	f.fence = fence.New(fence.Options{Log: log})
	return brokenPipe(f.watch(c, log, func(*session) (output.Printer, error) {
		p, err := f.printer(c.OutOrStdout(), time.Now)
		if err != nil {
			return nil, err
		}
		return output.Fenced(p, f.fence), nil
	}))
}

// watch opens a session and streams it until the command's context ends: to
// what printer makes, which is closed at the end.
func (f *watchFlags) watch(c *cobra.Command, log *slog.Logger, printer func(*session) (output.Printer, error)) error {
	ctx := c.Context()
	if f.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, f.timeout)
		defer cancel()
	}
	if err := mayRun(); err != nil {
		return err
	}
	// Collecting garbage while starting costs an eighth of the start, and
	// there is hardly any yet.
	percent := debug.SetGCPercent(-1)
	collect := func() { debug.SetGCPercent(percent) }
	defer collect()
	s, err := open(ctx, f, log)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil // it was asked to end while it started
	case err != nil:
		return err
	}
	defer s.close()
	p, err := printer(s)
	if err != nil {
		if p != nil {
			err = errors.Join(err, p.Close())
		}
		return err
	}
	s.started = append(s.started, collect)
	return errors.Join(f.stream(ctx, c, s, p), p.Close())
}

func (f *watchFlags) stream(ctx context.Context, c *cobra.Command, s *session, printer output.Printer) (err error) {
	types := f.chosen(c)
	verdicts, err := f.verdicts(s, types)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, verdicts.close()) }()
	set, _ := signal.ParseSet(f.signals)
	statuses := make(chan *event.Status)
	p := pipeline.New(s.probe, s.resolver, s.cache, s.watcher, printer, pipeline.Options{
		Types: types, All: f.all, MaxEvents: f.maxEvents, Signals: set,
		SenderPID: f.senderPID, SenderComm: f.senderComm,
		Causes: f.chosenCauses(), Verdicts: verdicts.engine, Recovery: s.recovery, Absent: s.absent,
		KernelLog: s.followKernelLog(ctx), Witnessed: verdict.Witnessed, Statuses: statuses, Facts: s.kube.Facts(), Witnesses: s.kube,
		Fence: f.fence, Log: s.log, FetchNames: s.fetch, Symbols: s.symbols, Older: s.older(), TopCgroup: s.unitRoots,
	})
	if !f.target.Empty() {
		s.seed() // before it is ready: a shim may be killed at once
	}
	if s.watcher.Waiting() && (f.format == "table" || f.format == "wide") {
		fmt.Fprintln(c.ErrOrStderr(), "sigtrace:", s.watcher.Describe())
	}
	if err := f.ready(); err != nil {
		return err
	}
	// After the last file that may lie in a directory of somebody else's, and before
	// the status, which says what is left.
	s.dropPrivileges(append(s.writes, f.criEndpoint, f.dockerHost)...)
	status := s.status(resolve.Now())
	verdicts.status(status)
	if err := p.Status(status); err != nil {
		return err
	}
	for _, tell := range s.started {
		tell()
	}
	s.background(ctx)
	go s.connected(ctx, status, statuses)
	return p.Run(ctx)
}

// waiting tells whether a source has had no time to answer yet.
func (s *session) waiting() bool {
	for _, state := range s.sources() {
		if state == event.SourceNotAsked {
			return true
		}
	}
	return false
}

// settled is how long sources have to say whether they see.
const settled = 3 * time.Second

// connected tells the status again once the sources have spoken, if that is news:
// the first one is told before anybody could answer.
func (s *session) connected(ctx context.Context, said *event.Status, tell chan<- *event.Status) {
	select {
	case <-ctx.Done():
		return
	case <-s.reduced:
	}
	for end := time.Now().Add(settled); s.waiting() && time.Now().Before(end); {
		select {
		case <-ctx.Done():
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
	status := s.status(resolve.Now())
	if maps.Equal(status.Sources, said.Sources) && slices.Equal(status.Capabilities, said.Capabilities) {
		return
	}
	status.State, status.Away = "", nil // that was the first one
	select {
	case tell <- status:
	case <-ctx.Done():
	}
}

// brokenPipe is how `sigtrace | head` ends: as asked.
func brokenPipe(err error) error {
	if errors.Is(err, unix.EPIPE) {
		return nil
	}
	return err
}

func (f *watchFlags) ready() error {
	if f.readyFile == "" {
		return nil
	}
	file, err := safefile.Create(f.readyFile, 0o644)
	if err == nil {
		err = file.Close()
	}
	if err != nil {
		return fmt.Errorf("--ready-file: %w", err)
	}
	return nil
}

func newLog(w io.Writer, verbose bool) *slog.Logger {
	level := slog.LevelError
	if verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
}

// status is the first event of the stream.
func (s *session) status(boottime uint64) *event.Status {
	status := &event.Status{
		Header:  s.resolver.Header(event.TypeStatus, boottime),
		Version: versionString(), Hooks: s.probe.Hooks(),
		CgroupMode: s.cache.Mounts().Mode, Kernel: kernelRelease(),
		Sources: s.sources(), State: s.state, Away: s.away, Pins: s.pinStatus(),
	}
	if own, err := capability.Own(); err == nil {
		status.Capabilities, status.NoNewPrivs, status.Seccomp = own.Permitted.Names(), &own.NoNewPrivs, own.Seccomp
	}
	return status
}
