// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sigtrace/sigtrace/internal/capability"
	"github.com/sigtrace/sigtrace/internal/cgroup"
	"github.com/sigtrace/sigtrace/internal/container"
	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/kmsg"
	"github.com/sigtrace/sigtrace/internal/kube"
	"github.com/sigtrace/sigtrace/internal/kubefact"
	"github.com/sigtrace/sigtrace/internal/pipeline"
	"github.com/sigtrace/sigtrace/internal/proc"
	"github.com/sigtrace/sigtrace/internal/resolve"
	"github.com/sigtrace/sigtrace/internal/signal"
	"github.com/sigtrace/sigtrace/internal/target"
	"github.com/sigtrace/sigtrace/internal/tracer"
)

// session is everything that watch and agent open.
type session struct {
	log      *slog.Logger
	probe    *tracer.Probe
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
	// state and away are what an agent's status says besides.
	state string
	away  *event.Away
	// absent brings what ended while no agent was there; nil for nothing.
	absent <-chan *event.Exit
	// pins and recovery are nil without --pin.
	pins     *tracer.Pins
	recovery *pipeline.Recovery
	// started is called once everything is attached.
	started []func()
	// kube is what Kubernetes says; its sources start in the background.
	kube *kube.Set
	// kallsyms has the kernel's functions.
	kallsyms    *os.File
	kallsymsErr error
	// writes are what is written to, or connected to, after the start.
	writes []string
	// kept are the capabilities that are used as long as it runs; reduced is closed
	// once there are no others.
	kept    capability.Set
	reduced chan struct{}
	// noSymbols leaves the kernel's functions out, for tests.
	noSymbols bool
}

// oldest bounds the container inits that are read when sigtrace begins.
const oldest = 4096

// older reads what is there already; a start does not wait for it.
func (s *session) older() <-chan map[proc.Identity]proc.Image {
	inits := make(chan map[proc.Identity]proc.Image, 1)
	s.started = append(s.started, func() {
		go func() { inits <- s.proc.Inits(oldest) }()
	})
	return inits
}

// refreshNames is how often the runtimes are asked for all they have.
const refreshNames = 10 * time.Second

func open(ctx context.Context, f *watchFlags, log *slog.Logger) (*session, error) {
	s := &session{log: log, added: make(chan struct{}, 1), reduced: make(chan struct{}), proc: proc.New(""), noSymbols: slices.Contains(f.without, "symbols")}
	mounts, err := cgroup.Detect("/")
	if err != nil {
		return nil, fmt.Errorf("look at the cgroup file systems: %w", err)
	}
	s.cache = cgroup.NewCache(mounts, cgroup.DefaultCacheSize)
	sources, notes, err := container.Discover(ctx, container.Options{CRIEndpoint: f.criEndpoint, DockerHost: f.dockerHost})
	if err != nil {
		return nil, err
	}
	s.notes = notes
	if s.notes == nil {
		s.notes = map[string]string{}
	}
	s.kube = f.kube.sources(f.nodeName())
	s.dir = container.NewDirectory(log, sources...)
	s.dir.ReadCgroups(cgroupsOf(ctx, mounts))
	if slices.ContainsFunc(sources, func(c container.Source) bool { return c.Name() == kubefact.SourceCRI }) {
		s.kube.Add(kube.NewStatuses(s.dir))
	}
	if err := s.openKernelLog(f); err != nil {
		s.close()
		return nil, err
	}
	config := f.probeConfig(mounts)
	if pid := f.target.PID; pid != 0 {
		process, err := target.FindProcess(pid)
		if err != nil {
			s.close()
			return nil, err
		}
		config.TargetStart = process.StartTicks
	}
	if s.probe, err = tracer.Load(config); err != nil {
		s.close()
		return nil, err
	}
	s.watcher = target.NewWatcher(f.target, s.dir, mounts, kernelFilter{s.probe, s.cache, s.added}, log)
	if err := errors.Join(s.watcher.Start(ctx), s.probe.Retarget(), s.probe.SetUnitRoots(findUnitRoots(mounts))); err != nil {
		s.close()
		return nil, err
	}
	// Read later, and opened while this may still see addresses.
	s.kallsyms, s.kallsymsErr = s.proc.OpenSymbols()
	s.resolver = resolve.New(s.probe, s.proc, &resolve.Names{Cgroups: s.cache, Containers: s.dir}, f.nodeName())
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

func (f *watchFlags) probeConfig(mounts cgroup.Mounts) tracer.Config {
	set, _ := signal.ParseSet(f.signals)
	t := f.target
	cgroups := t.Pod != "" || t.Namespace != "" || t.Container != "" || t.Selector != "" || t.ContainerID != "" || t.Cgroup != ""
	exits := slices.Contains(f.types, "exit")
	if f.record != "" || slices.Contains(f.types, "death") || slices.Contains(f.types, "stuck") {
		set = 0 // verdicts need them all; what is shown is chosen later
	}
	return tracer.Config{
		Signals: set, All: f.all, Exits: exits,
		TargetPID: t.PID, TargetCgroups: cgroups,
		Pins: f.pins, Version: versionString(),
		MemoryV1: mounts.Memory != "", BTFPath: f.btf, Raw: f.forceRaw, Types: f.kernelTypes, Without: f.without,
	}
}

// kernelFilter gives the kernel the depth of a target cgroup with its id.
type kernelFilter struct {
	probe *tracer.Probe
	cache *cgroup.Cache
	// added hears that there are new targets.
	added chan<- struct{}
}

func (k kernelFilter) AddCgroup(h cgroup.Hierarchy, id uint64) error {
	path, ok := k.cache.Path(h, id)
	if !ok {
		return fmt.Errorf("cgroup %d is gone", id)
	}
	if err := k.probe.AddCgroup(uint8(h), id, depth(path)); err != nil {
		return err
	}
	select {
	case k.added <- struct{}{}:
	default: // it has been told and not yet looked
	}
	return nil
}

func (k kernelFilter) RemoveCgroup(h cgroup.Hierarchy, id uint64) error {
	return k.probe.RemoveCgroup(uint8(h), id)
}

// depth is a cgroup's level: 0 for the root.
func depth(path string) uint32 {
	path = strings.Trim(path, "/")
	if path == "" {
		return 0
	}
	return uint32(strings.Count(path, "/") + 1)
}

// background starts what serves the stream without holding up its start.
func (s *session) background(ctx context.Context) {
	go s.watcher.Run(ctx)
	go s.dir.Run(ctx, refreshNames)
	s.kube.Start(ctx)
	go func() {
		s.seed()
		s.keep(s.kept) // the iterator was the last program to be loaded
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

// seed tells the kernel side of processes that are older than sigtrace, and
// has it mark the parents of those that are targets: their shims' signals and
// exits are needed for verdicts.
func (s *session) seed() {
	if err := s.probe.Seed(); err != nil {
		s.log.Warn("lineage begins with sigtrace", "error", err)
	}
}

func (s *session) fetch(ctx context.Context, path string) { s.dir.Fetch(ctx, path) }

func (s *session) symbols() (*proc.Symbols, error) {
	if s.noSymbols {
		return nil, nil
	}
	if s.kallsymsErr != nil {
		return nil, s.kallsymsErr
	}
	defer s.kallsyms.Close()
	return proc.ReadSymbols(s.kallsyms, s.resolver.Mechanisms().Knows)
}

func (s *session) sources() map[string]string {
	all := s.dir.Sources()
	maps.Copy(all, s.notes)
	maps.Copy(all, s.kube.States())
	return all
}

// failures counts, by source, what the sources failed to tell.
func (s *session) failures() map[string]uint64 {
	all := s.dir.Failures()
	for source, n := range s.kube.Failures() {
		all[source] += n // CRI is asked for names and for statuses
	}
	all[kernelLogName] = s.logFailures.Load()
	return all
}

func (s *session) close() {
	if s.probe != nil {
		if err := s.probe.Close(); err != nil {
			s.log.Debug("close the probe", "error", err)
		}
	}
	if s.kernelLog != nil {
		_ = s.kernelLog.Close()
	}
	_ = s.dir.Close()
	_ = s.cache.Close()
}

func kernelRelease() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Release[:])
}
