// SPDX-License-Identifier: Apache-2.0

package target

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sigtrace/sigtrace/internal/cgroup"
	"github.com/sigtrace/sigtrace/internal/container"
)

// names is a directory of containers that the test fills.
type names struct {
	mu    sync.Mutex
	infos map[string]container.Info // by cgroup path
}

func (n *names) put(info container.Info) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.infos == nil {
		n.infos = map[string]container.Info{}
	}
	n.infos[info.CgroupPath] = info
}

func (n *names) forget(path string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.infos, path)
}

func (n *names) Cached(path string) (container.Info, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	info, ok := n.infos[path]
	return info, ok
}

func (n *names) Fetch(_ context.Context, path string) (container.Info, bool) { return n.Cached(path) }
func (n *names) Refresh(context.Context) error                               { return nil }

func (n *names) Containers() []container.Info {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Collect(maps.Values(n.infos))
}

// filter is the kernel's set of cgroups.
type filter struct {
	mu  sync.Mutex
	ids map[uint64]bool
}

func (f *filter) AddCgroup(_ cgroup.Hierarchy, id uint64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ids[id] = true
	return nil
}

func (f *filter) RemoveCgroup(_ cgroup.Hierarchy, id uint64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.ids, id)
	return nil
}

func (f *filter) has(id uint64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ids[id]
}

func (f *filter) size() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.ids)
}

// node is a host with a cgroup tree of plain directories: an id is an inode
// number there as here.
type node struct {
	*testing.T
	mounts cgroup.Mounts
	names  names
	filter filter
}

func newNode(t *testing.T) *node {
	t.Helper()
	return &node{
		T: t, mounts: cgroup.Mounts{Mode: cgroup.ModeV2, Unified: t.TempDir()},
		filter: filter{ids: map[uint64]bool{}},
	}
}

func (n *node) mkdir(path string) uint64 {
	n.Helper()
	if err := os.MkdirAll(n.mounts.Dir(cgroup.Unified, path), 0o755); err != nil {
		n.Fatal(err)
	}
	return n.id(path)
}

func (n *node) id(path string) uint64 {
	n.Helper()
	id, err := n.mounts.ID(cgroup.Unified, path)
	if err != nil {
		n.Fatal(err)
	}
	return id
}

// rmdir keeps the directory, hence its inode number, elsewhere: ids of cgroups
// are never used again.
func (n *node) rmdir(path string) uint64 {
	n.Helper()
	id := n.id(path)
	if err := os.Rename(n.mounts.Dir(cgroup.Unified, path), filepath.Join(n.TempDir(), "gone")); err != nil {
		n.Fatal(err)
	}
	return id
}

func (n *node) watch(spec Spec) *Watcher {
	n.Helper()
	w := NewWatcher(spec, &n.names, n.mounts, &n.filter, slog.New(slog.DiscardHandler))
	if err := w.Start(n.Context()); err != nil {
		n.Fatal(err)
	}
	return w
}

func (n *node) reconcile(w *Watcher) {
	n.Helper()
	if err := w.reconcile(n.Context()); err != nil {
		n.Fatal(err)
	}
}

func (n *node) describes(w *Watcher, want string) {
	n.Helper()
	if got := w.Describe(); got != want {
		n.Errorf("%q, want %q", got, want)
	}
}

// A pod that is there when the watch begins, and its containers to come.
func TestPodThatIsThere(t *testing.T) {
	n := newNode(t)
	n.mkdir("/system.slice/cron.service")
	n.mkdir(podCgroup + "/" + idApp)
	n.names.put(appInfo())
	w := n.watch(Spec{Pod: "web-0"})
	if !n.filter.has(n.id(podCgroup)) || n.filter.size() != 1 {
		t.Errorf("in the filter: %v, want the pod's cgroup %d alone", n.filter.ids, n.id(podCgroup))
	}
	n.describes(w, "pod shop/web-0 (1 container)")
	for path, want := range map[string]bool{
		podCgroup + "/" + idApp: true, podCgroup + "/" + idSide: true,
		"/system.slice/cron.service": false, podCgroup + "0/" + idApp: false,
	} {
		if w.Matches(path) != want {
			t.Errorf("%s belongs to the target: %v, want %v", path, !want, want)
		}
	}
}

// A pod that comes later is in the filter when the kernel's word of its cgroup
// has been taken in, if it can be named by then.
func TestPodThatComesLater(t *testing.T) {
	n := newNode(t)
	w := n.watch(Spec{Pod: "shop/web-0"})
	if !w.Waiting() {
		t.Error("nothing is awaited")
	}
	n.describes(w, "waiting for pod shop/web-0")
	app := podCgroup + "/" + idApp
	id := n.mkdir(app)
	n.names.put(appInfo())
	w.CgroupCreated(t.Context(), cgroup.Unified, id, app)
	if w.Waiting() || !n.filter.has(n.id(podCgroup)) {
		t.Errorf("not followed: %s", w.Describe())
	}
}

// Kubelet makes the pod's cgroup before any runtime can name it: it is asked
// about again, without waiting for the next look at the tree.
func TestPodThatIsNamedLate(t *testing.T) {
	n := newNode(t)
	w := n.watch(Spec{Pod: "web-0"})
	ctx, cancel := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() { w.lookUp(ctx) })
	defer done.Wait()
	defer cancel()
	app := podCgroup + "/" + idApp
	w.CgroupCreated(ctx, cgroup.Unified, n.mkdir(app), app)
	if !w.Waiting() {
		t.Fatal("it was taken in before it had a name")
	}
	n.names.put(appInfo())
	for w.Waiting() && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	if !n.filter.has(n.id(podCgroup)) {
		t.Errorf("not followed: %s", w.Describe())
	}
}

// A pod that is deleted and made again under its name has other cgroups; events
// of the one before may still come.
func TestPodMadeAgain(t *testing.T) {
	n := newNode(t)
	app := podCgroup + "/" + idApp
	n.mkdir(app)
	n.names.put(appInfo())
	w := n.watch(Spec{Pod: "web-0"})
	n.names.forget(app)
	w.CgroupRemoved(cgroup.Unified, n.rmdir(podCgroup))
	if !w.Waiting() || n.filter.size() != 0 {
		t.Errorf("still held: %s, %v", w.Describe(), n.filter.ids)
	}
	if !w.Matches(app) {
		t.Error("a late event of the removed pod is not the target's")
	}
	again := "/kubepods/besteffort/pod99999999-2222-3333-4444-555555555555/" + idSide
	info := appInfo()
	info.ID, info.CgroupPath = idSide, again
	info.Pod.UID = "99999999-2222-3333-4444-555555555555"
	n.names.put(info)
	w.CgroupCreated(t.Context(), cgroup.Unified, n.mkdir(again), again)
	n.describes(w, "pod shop/web-0 (1 container)")
	if !n.filter.has(n.id(filepath.Dir(again))) {
		t.Error("the new pod is not followed")
	}
}

// A container that restarts has another id and another cgroup.
func TestContainerThatRestarts(t *testing.T) {
	n := newNode(t)
	app := podCgroup + "/" + idApp
	first := n.mkdir(app)
	n.mkdir(podCgroup + "/" + idPause)
	n.names.put(appInfo())
	w := n.watch(Spec{Pod: "web-0", Container: "app"})
	if !n.filter.has(first) || n.filter.size() != 1 {
		t.Fatalf("in the filter: %v, want %d alone", n.filter.ids, first)
	}
	w.CgroupRemoved(cgroup.Unified, n.rmdir(app))
	n.names.forget(app)
	again := appInfo()
	again.ID, again.CgroupPath, again.Attempt = idSide, podCgroup+"/"+idSide, 1
	n.names.put(again)
	second := n.mkdir(again.CgroupPath)
	w.CgroupCreated(t.Context(), cgroup.Unified, second, again.CgroupPath)
	if !n.filter.has(second) || n.filter.has(first) {
		t.Errorf("in the filter: %v, want %d alone", n.filter.ids, second)
	}
	n.describes(w, "container app of pod shop/web-0")
}

// A word of the kernel that was lost heals with the next look at the tree, both
// ways; what nobody can name any more stays, since a runtime may be restarting.
func TestReconcile(t *testing.T) {
	n := newNode(t)
	w := n.watch(Spec{Pod: "web-0"})
	app := podCgroup + "/" + idApp
	n.mkdir(app)
	n.names.put(appInfo())
	n.reconcile(w)
	if !n.filter.has(n.id(podCgroup)) {
		t.Fatal("a pod whose cgroup nobody told of is not followed")
	}
	n.names.forget(app)
	n.reconcile(w)
	if !n.filter.has(n.id(podCgroup)) {
		t.Error("a pod is given up because its runtime does not answer")
	}
	n.rmdir(podCgroup)
	n.reconcile(w)
	if n.filter.size() != 0 || !w.Waiting() {
		t.Errorf("a removed pod is still in the filter: %v", n.filter.ids)
	}
}

// A cgroup with the path of another one that has gone is another one.
func TestPathUsedAgain(t *testing.T) {
	n := newNode(t)
	first := n.mkdir("/jobs/a")
	w := n.watch(Spec{Cgroup: "/jobs/a"})
	if !n.filter.has(first) {
		t.Fatal("not followed")
	}
	n.rmdir("/jobs/a")
	second := n.mkdir("/jobs/a")
	w.CgroupCreated(t.Context(), cgroup.Unified, second, "/jobs/a")
	if !n.filter.has(second) || n.filter.has(first) {
		t.Errorf("in the filter: %v, want %d and not %d", n.filter.ids, second, first)
	}
	w.CgroupRemoved(cgroup.Unified, first) // its removal is reported late
	if !n.filter.has(second) {
		t.Error("the late word of the first took the second out")
	}
}

func TestCgroup(t *testing.T) {
	n := newNode(t)
	n.mkdir("/jobs/a")
	for _, given := range []string{"/jobs/a", "jobs/a/", filepath.Join(n.mounts.Unified, "jobs/a")} {
		w := n.watch(Spec{Cgroup: given})
		n.describes(w, "cgroup /jobs/a")
		if !w.Matches("/jobs/a/b") || w.Matches("/jobs/ab") || w.Matches("/jobs") {
			t.Errorf("%s: what is below is not told from what is beside", given)
		}
	}
	w := NewWatcher(Spec{Cgroup: "/jobs/b"}, &n.names, n.mounts, &n.filter, slog.New(slog.DiscardHandler))
	if err := w.Start(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a cgroup that is not there: %v", err)
	}
}

// More cgroups than the queue holds are found by the next look at the tree.
func TestQueueFull(t *testing.T) {
	n := newNode(t)
	w := n.watch(Spec{Pod: "web-0"})
	for range maxQueue + 3 {
		w.CgroupCreated(t.Context(), cgroup.Unified, 1<<40, podCgroup+"/"+idApp)
	}
	if w.Dropped() != 3 || !w.missed.Load() {
		t.Errorf("%d dropped, a look at the tree asked for: %v", w.Dropped(), w.missed.Load())
	}
}
