// SPDX-License-Identifier: Apache-2.0

package target

import (
	"context"
	"path"
	"slices"
	"time"

	"github.com/sigtrace/sigtrace/internal/cgroup"
)

const (
	// maxQueue is how many created cgroups wait for a first look, and how many
	// for another one.
	maxQueue = 1024
	// A cgroup is made before its container is listed anywhere: the pod's by
	// kubelet before its sandbox, the container's by runc before the runtime
	// has it running. It is asked about again after 0.1, 0.2, 0.4 … s, at most 8
	// times.
	firstRetry = 100 * time.Millisecond
	lastRetry  = 5 * time.Second
	maxRetries = 8
	// fetchTimeout bounds one question to the runtimes.
	fetchTimeout = 2 * time.Second
)

// created is a cgroup that the kernel reported when it was made.
type created struct {
	h       cgroup.Hierarchy
	id      uint64 // 0: find it by the path
	path    string
	retries int
}

// CgroupCreated takes in that a cgroup was made. What can be decided from its
// path and from what is known is in the filter when it returns; the rest is
// looked up by Run. It does not wait for anybody.
func (w *Watcher) CgroupCreated(ctx context.Context, h cgroup.Hierarchy, id uint64, cgroupPath string) {
	if ctx.Err() != nil || id == 0 || cgroupPath == "" || w.specErr != nil {
		return
	}
	c := created{h: h, id: id, path: path.Clean("/" + cgroupPath)}
	switch {
	case w.spec.Cgroup != "":
		w.rootCreated(c)
	case w.criteria.empty(): // the whole host or a process
	default:
		if w.decide(c) != unknown {
			return
		}
		// By then it may be gone again: its id has to be found anew.
		c.id = 0
		select {
		case w.queue <- c:
		default:
			w.dropped.Add(1)
			w.missed.Store(true)
		}
	}
}

// CgroupRemoved takes in that a cgroup is gone.
func (w *Watcher) CgroupRemoved(h cgroup.Hierarchy, id uint64) {
	w.mu.Lock()
	found, err := w.groups.remove(h, id, true)
	w.mu.Unlock()
	if err != nil {
		w.log.Warn("target not fully followed", "error", err)
	}
	if found {
		w.emit()
	}
}

// rootCreated takes the cgroup of --cgroup in again when it was made anew.
func (w *Watcher) rootCreated(c created) {
	r := w.rootNow()
	if c.path == r.path && slices.Contains(r.in, c.h) {
		w.accept(group{path: r.path}, c)
	}
}

// decide takes c in if it is the target's by what is known.
func (w *Watcher) decide(c created) answer {
	w.mu.Lock()
	covered := w.groups.covers(c.h, path.Dir(c.path))
	w.mu.Unlock()
	if covered {
		return yes
	}
	a, g := w.judgeCached(c.path)
	if a == yes {
		w.accept(g, c)
	}
	return a
}

func (w *Watcher) accept(g group, c created) {
	if err := w.take(g, c); err != nil {
		w.log.Warn("target not fully followed", "error", err)
	}
	w.emit()
}

// lookUp asks about the created cgroups that nobody knew yet.
func (w *Watcher) lookUp(ctx context.Context) {
	var open []created
	pause := firstRetry
	timer := time.NewTimer(pause)
	timer.Stop()
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case c := <-w.queue:
			if w.fetch(ctx, c) == unknown && len(open) < maxQueue {
				open = append(open, c)
				pause = firstRetry
				timer.Reset(pause)
			}
		case <-timer.C:
			if open = w.retry(ctx, open); len(open) > 0 {
				pause = min(2*pause, lastRetry)
				timer.Reset(pause)
			}
		}
	}
}

func (w *Watcher) fetch(ctx context.Context, c created) answer {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	// What came before in the queue may have settled it.
	if a := w.decide(c); a != unknown {
		return a
	}
	info, known := w.dir.Fetch(ctx, c.path)
	a, g := w.judge(c.path, info, known)
	if a == yes {
		w.accept(g, c)
	}
	return a
}

// retry asks about all of them with one list, and returns those still open.
func (w *Watcher) retry(ctx context.Context, open []created) []created {
	if err := w.dir.Refresh(ctx); err != nil {
		w.log.Debug("containers not fully listed", "error", err)
	}
	var still []created
	for _, c := range open {
		c.retries++
		if w.decide(c) == unknown && c.retries < maxRetries {
			still = append(still, c)
		}
	}
	return still
}
