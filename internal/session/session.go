// SPDX-License-Identifier: Apache-2.0

package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sigtrace/sigtrace/internal/capability"
	"github.com/sigtrace/sigtrace/internal/cgroup"
	"github.com/sigtrace/sigtrace/internal/container"
	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/kmsg"
	"github.com/sigtrace/sigtrace/internal/kube"
	"github.com/sigtrace/sigtrace/internal/kubefact"
	"github.com/sigtrace/sigtrace/internal/proc"
	"github.com/sigtrace/sigtrace/internal/resolve"
	"github.com/sigtrace/sigtrace/internal/target"
	"github.com/sigtrace/sigtrace/internal/tracer"
)

// Session is what is open while a node is watched.
type Session struct {
	c        Config
	log      *slog.Logger
	tracer   *tracer.Tracer
	cache    *cgroup.Cache
	dir      *container.Directory
	notes    map[string]string
	watcher  *target.Watcher
	resolver *resolve.Resolver
	proc     proc.FS
	added    chan struct{}
	// kernelLog is nil where there is none.
	kernelLog *kmsg.Log
	// logFailures counts the ends of the kernel log that nobody asked for.
	logFailures atomic.Uint64
	// kube is what Kubernetes says; its sources start in the background.
	kube *kube.Set
	// kallsyms has the kernel's functions.
	kallsyms    *os.File
	kallsymsErr error
	// lasting are the capabilities that are used as long as it runs; reduced is closed
	// once there are no others.
	lasting capability.Set
	reduced chan struct{}
}

// olderInitsMax bounds the container inits that are read when sigtrace begins.
const olderInitsMax = 4096

// readOlder reads what the inits of containers execute that are there already; a
// start does not wait for it.
func (s *Session) readOlder(inits chan<- map[proc.Identity]proc.Image) {
	go func() { inits <- s.proc.Inits(olderInitsMax) }()
}

// refreshNames is how often the runtimes are asked for all they have.
const refreshNames = 10 * time.Second

// Open opens what the configuration names; Close ends it.
func Open(ctx context.Context, c Config) (*Session, error) {
	s := &Session{c: c, log: c.Log, added: make(chan struct{}, 1), reduced: make(chan struct{}), proc: proc.New("")}
	mounts, err := cgroup.Detect("/")
	if err != nil {
		return nil, fmt.Errorf("look at the cgroup file systems: %w", err)
	}
	s.cache = cgroup.NewCache(mounts, cgroup.DefaultCacheSize)
	sources, notes, err := c.Sources.discover(ctx)
	if err != nil {
		return nil, err
	}
	s.notes = notes
	if s.notes == nil {
		s.notes = map[string]string{}
	}
	s.kube = c.Sources.Kubernetes.open(c.Node)
	s.dir = container.NewDirectory(c.Log, sources...)
	s.dir.ReadCgroups(cgroupsOf(ctx, mounts))
	if slices.ContainsFunc(sources, func(from container.Source) bool { return from.Name() == kubefact.SourceCRI }) {
		s.kube.Add(kube.NewStatuses(s.dir))
	}
	if err := s.openKernelLog(c.Sources); err != nil {
		s.Close()
		return nil, err
	}
	config := c.tracerConfig(mounts)
	if pid := c.Target.PID; pid != 0 {
		process, err := target.FindProcess(pid)
		if err != nil {
			s.Close()
			return nil, err
		}
		config.TargetStart = process.StartTicks
	}
	if s.tracer, err = tracer.Load(config); err != nil {
		s.Close()
		return nil, err
	}
	s.watcher = target.NewWatcher(c.Target, s.dir, mounts, kernelFilter{s.tracer, s.cache, s.added}, c.Log)
	if err := errors.Join(s.watcher.Start(ctx), s.tracer.Retarget(), s.tracer.SetUnitRoots(findUnitRoots(mounts))); err != nil {
		s.Close()
		return nil, err
	}
	// Read later, and opened while this may still see addresses.
	s.kallsyms, s.kallsymsErr = s.proc.OpenSymbols()
	s.resolver = resolve.New(s.tracer, s.proc, &resolve.Names{Cgroups: s.cache, Containers: s.dir}, c.Node)
	return s, nil
}

// cgroupsOf returns what reads the cgroups of a process, by the names that they have
// in the host's cgroup namespace.
func cgroupsOf(ctx context.Context, mounts cgroup.Mounts) func(pid int) []string {
	root := sync.OnceValues(func() (cgroup.Paths, error) { return mounts.NamespaceRoot(ctx, "/") })
	return func(pid int) []string {
		paths, err := cgroup.ReadProc("/", pid)
		if err != nil {
			return nil
		}
		ns, err := root()
		if err != nil {
			return nil
		}
		paths = paths.Rebase(ns)
		return []string{paths.Memory, paths.Unified}
	}
}

// discover finds the container runtimes, and notes of those that are not there why.
func (c Sources) discover(ctx context.Context) ([]container.Source, map[string]string, error) {
	return container.Discover(ctx, container.Options{CRIEndpoint: c.CRIEndpoint, DockerHost: c.DockerHost})
}

func (c Config) tracerConfig(mounts cgroup.Mounts) tracer.Config {
	t, signals := c.Target, c.Shown.Signals
	cgroups := t.Pod != "" || t.Namespace != "" || t.Container != "" || t.Selector != "" || t.ContainerID != "" || t.Cgroup != ""
	if c.needsVerdicts() {
		signals = 0 // verdicts need them all; what is shown is chosen later
	}
	return tracer.Config{
		Signals: signals, All: c.Shown.All, Exits: c.Shown.Types[event.TypeExit],
		TargetPID: t.PID, TargetCgroups: cgroups,
		Pins: c.Pins, Version: c.Version,
		MemoryV1: mounts.Memory != "", BTFPath: c.Sources.BTF, Types: c.Types,
		Raw: c.Forced.RawTracepoints, Without: c.Forced.Without,
	}
}

// background starts what serves the stream without holding up its start.
func (s *Session) background(ctx context.Context) {
	go s.watcher.Run(ctx)
	go s.dir.Run(ctx, refreshNames)
	s.kube.Start(ctx)
	go func() {
		s.seed()
		s.keep(s.lasting) // the iterator was the last program to be loaded
		close(s.reduced)
		debug.FreeOSMemory() // what starting took: the kernel's types
		if err := s.cache.Seed(ctx); err != nil {
			s.log.Debug("cgroups not seeded", "error", err)
		}
		for {
			select {
			case <-s.added:
				s.seed()
			case <-ctx.Done():
				return
			}
		}
	}()
}

// seed gives the kernel side the processes that are older than sigtrace, and has it
// mark the parents of those that are targets: their shims' signals and exits are
// needed for verdicts.
func (s *Session) seed() {
	if err := s.tracer.Seed(); err != nil {
		s.log.Warn("cannot list existing tasks; ancestry of older processes is incomplete", "error", err)
	}
}

func (s *Session) fetch(ctx context.Context, path string) { s.dir.Fetch(ctx, path) }

func (s *Session) symbols() (*proc.Symbols, error) {
	if slices.Contains(s.c.Forced.Without, "symbols") {
		return nil, nil
	}
	if s.kallsymsErr != nil {
		return nil, s.kallsymsErr
	}
	defer s.kallsyms.Close()
	return proc.ReadSymbols(s.kallsyms, s.resolver.Mechanisms().Knows)
}

// States is what each source says of itself: connected, or why not.
func (s *Session) States() map[string]string {
	all := s.dir.Sources()
	maps.Copy(all, s.notes)
	maps.Copy(all, s.kube.States())
	return all
}

// Failures counts, by source, the questions that the sources did not answer.
func (s *Session) Failures() map[string]uint64 {
	all := s.dir.Failures()
	for source, n := range s.kube.Failures() {
		all[source] += n // CRI is asked for names and for statuses
	}
	all[KernelLog] = s.logFailures.Load()
	return all
}

// Close detaches the programs, unless they are pinned, and closes the sources.
func (s *Session) Close() {
	if s.tracer != nil {
		if err := s.tracer.Close(); err != nil {
			s.log.Debug("close the tracer", "error", err)
		}
	}
	if s.kernelLog != nil {
		_ = s.kernelLog.Close()
	}
	_ = s.dir.Close()
	_ = s.cache.Close()
}
