// SPDX-License-Identifier: Apache-2.0

package target

import (
	"context"
	"errors"
	"slices"

	"github.com/sigtrace/sigtrace/internal/cgroup"
	"github.com/sigtrace/sigtrace/internal/container"
)

// survey is what a walk of one hierarchy found.
type survey struct {
	h cgroup.Hierarchy
	// ids are all cgroups by path, want those of the target, open those that
	// nobody could name.
	ids  map[string]uint64
	want map[string]group
	open map[string]bool
	// whole is set when the walk came to its end: only then has what was not
	// seen gone.
	whole bool
}

// reconcile makes the filter what the cgroup tree and the directory say now.
// The error is about the filter; a tree or a runtime that cannot be read leaves
// things as they are.
func (w *Watcher) reconcile(ctx context.Context) error {
	defer w.emit()
	w.mu.Lock()
	w.groups.round++
	round := w.groups.round
	w.mu.Unlock()
	if w.spec.Cgroup != "" {
		return w.reconcileRoot(round)
	}
	if err := w.dir.Refresh(ctx); err != nil {
		w.log.Debug("containers not fully listed", "error", err)
	}
	listed := make(map[string]container.Info)
	for _, info := range w.dir.Containers() {
		if info.CgroupPath != "" {
			listed[info.CgroupPath] = info
		}
	}
	var errs []error
	for _, h := range w.mounts.Hierarchies() {
		errs = append(errs, w.apply(w.survey(ctx, h, listed), round))
	}
	return errors.Join(errs...)
}

// survey walks one hierarchy.
func (w *Watcher) survey(ctx context.Context, h cgroup.Hierarchy, listed map[string]container.Info) survey {
	s := survey{h: h, ids: make(map[string]uint64), want: make(map[string]group), open: make(map[string]bool)}
	err := w.mounts.Walk(ctx, h, cgroup.MaxWalk, func(p string, id uint64) error {
		s.ids[p] = id
		a, g := w.judgeListed(p, listed)
		switch _, there := s.ids[g.path]; {
		case a == unknown:
			s.open[p] = true
		case a == yes && there: // parents come first
			s.want[g.path] = g
		}
		return nil
	})
	s.whole = err == nil
	if err != nil && ctx.Err() == nil {
		w.log.Warn("cgroups not fully read", "error", err)
	}
	return s
}

// judgeListed judges the cgroups that are a pod's or a container's own, and no
// others: what is above them is nobody's, what is below goes with them.
func (w *Watcher) judgeListed(p string, listed map[string]container.Info) (answer, group) {
	if info, ok := listed[p]; ok {
		return w.judge(p, info, true)
	}
	if container.ParsePath(p).Path != p {
		return no, group{}
	}
	return w.judgeCached(p)
}

// apply brings the filter's entries of one hierarchy in line with a survey.
func (w *Watcher) apply(s survey, round uint64) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	var errs []error
	for p, g := range s.want {
		errs = append(errs, w.groups.add(g, s.h, s.ids[p]))
	}
	for _, g := range w.groups.in(s.h) {
		_, there := s.ids[g.path]
		_, wanted := s.want[g.path]
		if wanted || there && s.open[g.path] || g.round >= round || !s.whole {
			continue
		}
		_, err := w.groups.remove(s.h, g.ids[s.h], !there)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// reconcileRoot looks whether the cgroup of --cgroup is there.
func (w *Watcher) reconcileRoot(round uint64) error {
	r := w.rootNow()
	var errs []error
	for _, h := range w.mounts.Hierarchies() {
		if !slices.Contains(r.in, h) {
			continue
		}
		s := survey{h: h, ids: make(map[string]uint64), want: make(map[string]group), whole: true}
		if id, err := w.mounts.ID(h, r.path); err == nil {
			s.ids[r.path], s.want[r.path] = id, group{path: r.path}
		}
		errs = append(errs, w.apply(s, round))
	}
	return errors.Join(errs...)
}
