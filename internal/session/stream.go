// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"time"

	"github.com/sigtrace/sigtrace/internal/capability"
	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/output"
	"github.com/sigtrace/sigtrace/internal/pipeline"
	"github.com/sigtrace/sigtrace/internal/proc"
	"github.com/sigtrace/sigtrace/internal/resolve"
	"github.com/sigtrace/sigtrace/internal/safefile"
	"github.com/sigtrace/sigtrace/internal/verdict"
)

// Stream is where a session's events go, and what joins them.
type Stream struct {
	// Printer is closed at the end.
	Printer output.Printer
	// State and Away stand in the first status.
	State string
	Away  *event.Away
	// Absent brings what ended while nobody watched; nil for nothing.
	Absent <-chan *event.Exit
	// Recovery goes on where another reader of the pins has ended; nil for nothing.
	Recovery *pipeline.Recovery
	// Started is called once everything is attached; it may be nil.
	Started func()
}

// Run opens a session and streams it until ctx ends, to what prepare makes. Where
// prepare fails, a printer that it returns besides is closed too.
func Run(ctx context.Context, c Config, prepare func(*Session) (Stream, error)) error {
	if c.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.Timeout)
		defer cancel()
	}
	if err := MayRun(); err != nil {
		return err
	}
	// Collecting garbage while starting costs an eighth of the start, and
	// there is hardly any yet.
	percent := debug.SetGCPercent(-1)
	collect := func() { debug.SetGCPercent(percent) }
	defer collect()
	s, err := Open(ctx, c)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil // it was asked to end while it started
	case err != nil:
		return err
	}
	defer s.Close()
	to, err := prepare(s)
	if err == nil {
		err = s.stream(ctx, to, collect)
	}
	if to.Printer != nil {
		err = errors.Join(err, to.Printer.Close())
	}
	return err
}

// stream runs the pipeline; started is called once everything is attached.
func (s *Session) stream(ctx context.Context, to Stream, started func()) (err error) {
	verdicts, err := s.verdicts(to.Recovery)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, verdicts.close()) }()
	statuses, older := make(chan *event.Status), make(chan map[proc.Identity]proc.Image, 1)
	p := pipeline.New(s.tracer, s.resolver, s.cache, s.watcher, to.Printer, pipeline.Options{
		Filter: s.c.Shown, Verdicts: verdicts.engine, JoinLog: verdict.WithKernelLog, Observer: s.kube,
		Recovery: to.Recovery, FetchNames: s.fetch, Symbols: s.symbols, TopCgroup: s.unitRoots,
		Feeds: pipeline.Feeds{
			KernelLog: s.followKernelLog(ctx), Facts: s.kube.Facts(), Statuses: statuses, Absent: to.Absent, Older: older,
		},
		Fence: s.c.Fence, Log: s.log,
	})
	if err := s.ready(); err != nil {
		return err
	}
	// After the last file that may lie in a directory of somebody else's, and before
	// the status, which says what is left.
	s.dropPrivileges(append(s.c.Writes, s.c.Sources.CRIEndpoint, s.c.Sources.DockerHost)...)
	status := s.Status(resolve.Now())
	status.State, status.Away = to.State, to.Away
	verdicts.status(status)
	if err := p.Status(status); err != nil {
		return err
	}
	started()
	s.readOlder(older)
	if to.Started != nil {
		to.Started()
	}
	s.background(ctx)
	go s.connected(ctx, status, statuses)
	return p.Run(ctx)
}

// ready says that everything is attached.
func (s *Session) ready() error {
	if !s.c.Target.Empty() {
		s.seed() // before it is ready: a shim may be killed at once
	}
	if s.watcher.Waiting() && s.c.Waiting != nil {
		s.c.Waiting(s.watcher.Describe())
	}
	if s.c.ReadyFile == "" {
		return nil
	}
	file, err := safefile.Create(s.c.ReadyFile, 0o644)
	if err == nil {
		err = file.Close()
	}
	if err != nil {
		return fmt.Errorf("--ready-file: %w", err)
	}
	return nil
}

// unanswered: a source has had no time to answer yet.
func (s *Session) unanswered() bool {
	for _, state := range s.States() {
		if state == event.SourceNotAsked {
			return true
		}
	}
	return false
}

// sourcesSettle is how long sources have to answer before their states are reported
// again.
const sourcesSettle = 3 * time.Second

// connected emits another status once the sources have answered and the last privileges
// have gone, if it differs from the first one, which was made before that.
func (s *Session) connected(ctx context.Context, first *event.Status, emit chan<- *event.Status) {
	select {
	case <-ctx.Done():
		return
	case <-s.reduced:
	}
	for end := time.Now().Add(sourcesSettle); s.unanswered() && time.Now().Before(end); {
		select {
		case <-ctx.Done():
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
	status := s.Status(resolve.Now())
	if maps.Equal(status.Sources, first.Sources) && slices.Equal(status.Capabilities, first.Capabilities) {
		return
	}
	select {
	case emit <- status:
	case <-ctx.Done():
	}
}

// Status is what sigtrace sees with at a time (CLOCK_BOOTTIME, ns).
func (s *Session) Status(boottime uint64) *event.Status {
	status := &event.Status{
		Header:  s.resolver.Header(event.TypeStatus, boottime),
		Version: s.c.Version, Hooks: s.tracer.Hooks(),
		CgroupMode: s.cache.Mounts().Mode, Kernel: proc.KernelRelease(),
		Sources: s.States(), Pins: s.pinStatus(),
	}
	if own, err := capability.Own(); err == nil {
		status.Capabilities, status.NoNewPrivs, status.Seccomp = own.Permitted.Names(), &own.NoNewPrivs, own.Seccomp
	}
	return status
}
