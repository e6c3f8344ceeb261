// SPDX-License-Identifier: Apache-2.0

package container

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/sigtrace/sigtrace/internal/event"
)

// maxWanted bounds the paths that wait for [Directory.Run] to look them up.
const maxWanted = 256

// Directory keeps names for the ids in cgroup paths. All methods may be called
// concurrently.
type Directory struct {
	log    *slog.Logger
	now    func() time.Time
	flight singleflight.Group
	// wanted are paths that Cached could not fully answer.
	wanted chan string
	// changed: cgroups have been made since the last list.
	changed atomic.Bool

	mu      sync.Mutex
	sources []*sourceState
	store   *store
	// asked holds when the sources were last asked for a key in vain.
	asked *lru[time.Time]
}

// NewDirectory makes a directory that asks the sources in this order, at most
// 64 of them. It knows nothing before the first [Directory.Refresh] or
// [Directory.Fetch].
func NewDirectory(log *slog.Logger, sources ...Source) *Directory {
	d := &Directory{
		log:    log,
		now:    time.Now,
		wanted: make(chan string, maxWanted),
		store:  newStore(maxEntries),
		asked:  newLRU[time.Time](maxEntries, nil),
	}
	for _, source := range sources {
		d.sources = append(d.sources, &sourceState{Source: source, status: event.SourceNotAsked})
	}
	return d
}

// ReadCgroups has the directory compare where a container's init runs, whose cgroups
// f reads as the host names them, with the cgroups that bear the container's ID. It is
// to be called before anything else.
func (d *Directory) ReadCgroups(f func(pid int) []string) { d.store.cgroupsOf = f }

// Cached shows at once what is known about the cgroup's container or pod. It
// answers true if a source has named one of them; Info.Partial then says that
// it was only the pod. When it answers false, Info still holds what the path
// itself shows (id, runtime, pod UID), nothing for a mere candidate. What is
// missing is left for [Directory.Run] to look up.
func (d *Directory) Cached(path string) (Info, bool) {
	ref := ParsePath(path)
	info, ok := d.cached(ref, path)
	if (!ok || info.Partial) && !d.askedLately(ref) && ref.askable() {
		select {
		case d.wanted <- path:
		default: // a later event asks again
		}
	}
	return info, ok
}

func (d *Directory) cached(ref Ref, path string) (Info, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	info, ok := d.store.find(ref, path)
	switch {
	case ok && ref.ID == "":
		return info, true
	case ok && info.refutes(ref):
		return Info{}, true
	case ok:
		// The path is how the container runs now; a socket that speaks
		// Docker's language may be Podman's.
		seen := Info{Runtime: ref.Runtime, CgroupPath: ref.Path, Pod: d.store.pod(ref.PodUID)}
		seen.Confirmed = info.confirms(ref)
		return seen.fill(info).withPartial(info.Partial), true
	case ref.Candidate:
		return Info{}, false
	}
	info = Info{ID: ref.ID, Runtime: ref.Runtime, CgroupPath: ref.Path, Pod: d.store.pod(ref.PodUID)}
	if ref.ID != "" && !isID(ref.ID) {
		info.Name = ref.ID // LXC's and nspawn's ids are names
		return info, true
	}
	return info.withPartial(ref.ID != ""), podNamed(info.Pod)
}

func (i Info) withPartial(partial bool) Info {
	i.Partial = partial
	return i
}

// askable reports whether sources can know more about ref than its path does.
func (r Ref) askable() bool {
	return r.Candidate || isID(r.ID) || r.ID == "" && r.PodUID != ""
}

// CgroupCreated takes in that a cgroup was made: where it is a container's that is
// known already, Docker restarts that one under the same id, and has another init.
func (d *Directory) CgroupCreated(path string) {
	d.changed.Store(true)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.store.restarted(ParsePath(path), path)
}

// Containers gives the containers and sandboxes that some source still knows,
// running or not, in the order of their ids.
func (d *Directory) Containers() []Info {
	d.mu.Lock()
	defer d.mu.Unlock()
	infos := make([]Info, 0, d.store.entries.len())
	d.store.entries.each(func(_ string, e *entry) {
		if e.gone.IsZero() {
			infos = append(infos, d.store.dress(e.info))
		}
	})
	slices.SortFunc(infos, func(a, b Info) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.CgroupPath, b.CgroupPath))
	})
	return infos
}

// Level is [Level] with the knowledge of containers that a path alone does not
// give away, like ctr's.
func (d *Directory) Level(path string) string {
	if level := Level(path); level != "" {
		return level
	}
	if info, ok := d.Cached(path); ok && info.ID != "" {
		return LevelContainer
	}
	return ""
}

// atRest is how many refreshes are left out where no cgroup has been made since the
// last: listing a hundred containers is a good part of what an idle node pays.
const atRest = 2

// Run refreshes the directory every so often, less often where nothing changes, and
// looks up what [Directory.Cached] could not report in between, until ctx is done.
func (d *Directory) Run(ctx context.Context, every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	whole := newLRU[struct{}](maxEntries, nil)
	d.refreshLogged(ctx)
	for left := 0; ; {
		d.inspectNew(ctx, whole)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if left++; d.changed.Swap(false) || left > atRest {
				d.refreshLogged(ctx)
				left = 0
			}
		case path := <-d.wanted:
			d.Fetch(ctx, path)
		}
	}
}

func (d *Directory) refreshLogged(ctx context.Context) {
	if err := d.Refresh(ctx); err != nil && ctx.Err() == nil {
		d.log.Debug("containers not fully listed", "error", err)
	}
}

// Close closes the sources.
func (d *Directory) Close() error {
	var errs []error
	for _, source := range d.sources {
		errs = append(errs, source.Close())
	}
	return errors.Join(errs...)
}
