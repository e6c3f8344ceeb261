// SPDX-License-Identifier: Apache-2.0

package target

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sigtrace/sigtrace/internal/cgroup"
	"github.com/sigtrace/sigtrace/internal/container"
)

// Directory names what is in a cgroup; container.Directory is one.
type Directory interface {
	// Cached answers at once from what is known.
	Cached(cgroupPath string) (container.Info, bool)
	// Fetch asks the runtimes.
	Fetch(ctx context.Context, cgroupPath string) (container.Info, bool)
	// Refresh lists everything anew.
	Refresh(ctx context.Context) error
	Containers() []container.Info
}

var _ Directory = (*container.Directory)(nil)

const (
	// tick is how often the target is looked for while it is awaited, idle how
	// many ticks pass between two looks otherwise.
	tick = time.Second
	idle = 5
)

// Watcher keeps the kernel's filter on the target. All methods may be called
// concurrently.
type Watcher struct {
	spec     Spec
	criteria criteria
	specErr  error
	dir      Directory
	mounts   cgroup.Mounts
	log      *slog.Logger
	// procRoot is "/" but for tests.
	procRoot string

	queue chan created
	// dropped counts the created cgroups that the queue had no room for; missed
	// asks for a look at the tree because of one.
	dropped atomic.Uint64
	missed  atomic.Bool

	mu      sync.Mutex
	groups  *groups
	root    root
	process Process
	// reported is what was last logged about the target.
	reported string
}

// NewWatcher prepares a watcher; Start reports what is wrong with spec. dir may
// be nil where spec names no pod or container.
func NewWatcher(spec Spec, dir Directory, mounts cgroup.Mounts, filter Filter, log *slog.Logger) *Watcher {
	w := &Watcher{
		spec: spec, dir: dir, mounts: mounts, log: log, procRoot: "/",
		queue:  make(chan created, maxQueue),
		groups: newGroups(filter),
	}
	w.specErr = spec.Validate()
	if w.specErr == nil {
		w.criteria, w.specErr = spec.criteria()
	}
	return w
}

// Start looks for the target once and fills the filter. A pod or container that
// is not there yet is waited for (Waiting); a process or cgroup that is not
// there is an error that wraps fs.ErrNotExist and is a sentence for the user.
func (w *Watcher) Start(ctx context.Context) error {
	if w.specErr != nil {
		return w.specErr
	}
	switch {
	case w.spec.PID != 0:
		p, err := findProcess(w.procRoot, w.spec.PID)
		if err != nil {
			return err
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.process = p
		return nil
	case w.spec.Cgroup != "":
		r, err := findRoot(w.mounts, w.spec.Cgroup)
		if err != nil {
			return err
		}
		w.mu.Lock()
		w.root = r
		w.mu.Unlock()
	case w.spec.Empty():
		return nil
	case len(w.mounts.Hierarchies()) == 0:
		return cgroup.ErrNoCgroups
	}
	if err := w.reconcile(ctx); err != nil {
		return err
	}
	return ctx.Err()
}

// Run keeps the filter right until ctx is done: it looks up what the created
// cgroups are, and reads the whole tree every second while the target is
// awaited, every five seconds otherwise, so that a missed event heals.
func (w *Watcher) Run(ctx context.Context) {
	if w.spec.Empty() || w.spec.PID != 0 {
		<-ctx.Done()
		return
	}
	var lookups sync.WaitGroup
	lookups.Go(func() { w.lookUp(ctx) })
	defer lookups.Wait()
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if !w.Waiting() && !w.missed.Swap(false) && n%idle != 0 {
			continue
		}
		if err := w.reconcile(ctx); err != nil && ctx.Err() == nil {
			w.log.Warn("target not fully followed", "error", err)
		}
	}
}

// Waiting reports whether a pod, container or cgroup is awaited.
func (w *Watcher) Waiting() bool {
	if w.spec.Empty() || w.spec.PID != 0 {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.groups.byPath) == 0
}

// Dropped counts the created cgroups that could not be looked into at once;
// they were found by reading the tree instead, up to a second later.
func (w *Watcher) Dropped() uint64 { return w.dropped.Load() }

// Process returns the process that --pid names; false without that flag.
func (w *Watcher) Process() (Process, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.process, w.process.PID != 0
}

// Matches reports whether a cgroup, which may have been removed, is the target's.
// With --pid no cgroup is.
func (w *Watcher) Matches(cgroupPath string) bool {
	switch {
	case w.spec.Empty():
		return true
	case w.spec.PID != 0 || cgroupPath == "" || w.specErr != nil:
		return false
	}
	if w.spec.Cgroup != "" {
		r := w.rootNow()
		return r.path != "" && below(cgroupPath, r.path)
	}
	if w.holds(cgroupPath) {
		return true
	}
	a, _ := w.judgeCached(cgroupPath)
	return a == yes
}

// MatchesContainer reports whether a container, which may have been removed, is the
// target's.
func (w *Watcher) MatchesContainer(info container.Info) bool {
	switch {
	case w.spec.Empty():
		return true
	case w.spec.PID != 0 || w.specErr != nil:
		return false
	case w.spec.Cgroup != "":
		return info.CgroupPath != "" && w.Matches(info.CgroupPath)
	}
	ref := container.Ref{ID: info.ID}
	if info.Pod != nil {
		ref.PodUID = info.Pod.UID
	}
	return w.criteria.judge(ref, info, true) == yes
}

func (w *Watcher) holds(cgroupPath string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.groups.holds(cgroupPath)
}

func (w *Watcher) rootNow() root {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.root
}

// judgeCached reports whether the cgroup is the target's as far as is known, and
// which cgroup to filter on.
func (w *Watcher) judgeCached(p string) (answer, group) {
	// Most cgroups are out of the question by their path.
	if a, g := w.judge(p, container.Info{}, false); a != unknown {
		return a, g
	}
	info, known := w.dir.Cached(p)
	return w.judge(p, info, known)
}

func (w *Watcher) judge(p string, info container.Info, known bool) (answer, group) {
	ref := container.ParsePath(p)
	if known && ref.ID == "" && info.ID != "" {
		// A container whose path has a form of its own.
		ref.ID, ref.Path = info.ID, info.CgroupPath
	}
	a := w.criteria.judge(ref, info, known)
	return a, group{path: w.criteria.group(ref), pod: info.Pod, container: info.Name}
}

// take puts a group of the target into the filter, in every hierarchy that has
// it. c is the cgroup that was just created, if one was.
func (w *Watcher) take(g group, c created) error {
	var errs []error
	for _, h := range w.mounts.Hierarchies() {
		id := c.id
		if id == 0 || c.h != h || c.path != g.path {
			var err error
			if id, err = w.mounts.ID(h, g.path); err != nil {
				continue // not in this hierarchy
			}
		}
		w.mu.Lock()
		errs = append(errs, w.groups.add(g, h, id))
		w.mu.Unlock()
	}
	return errors.Join(errs...)
}

// report logs the state of the target when it has changed.
func (w *Watcher) emit() {
	now := w.Describe()
	w.mu.Lock()
	changed := now != w.reported
	w.reported = now
	w.mu.Unlock()
	if changed {
		w.log.Info("target", "state", now)
	}
}
