// SPDX-License-Identifier: Apache-2.0

package container

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sigtrace/sigtrace/internal/event"
)

// fakeSource answers from maps and counts what it is asked.
type fakeSource struct {
	name string

	mu       sync.Mutex
	listed   []Info
	infos    map[string]Info // by id, pod UID or path
	err      error
	inspects int
	block    chan struct{}
}

func (f *fakeSource) Name() string { return f.name }
func (f *fakeSource) Close() error { return nil }

func (f *fakeSource) List(context.Context) ([]Info, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.listed, f.err
}

func (f *fakeSource) Inspect(ctx context.Context, ref Ref) (Info, bool, error) {
	if f.block != nil {
		select {
		case <-f.block:
		case <-ctx.Done():
			return Info{}, false, ctx.Err()
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.inspects++
	for _, key := range []string{ref.ID, ref.PodUID} {
		if info, ok := f.infos[key]; ok && key != "" && f.err == nil {
			return info, true, nil
		}
	}
	return Info{}, false, f.err
}

func (f *fakeSource) set(change func(*fakeSource)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

func (f *fakeSource) asked() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.inspects
}

// clock is a time that tests turn forward.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) turn(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(by)
}

func newTestDirectory(sources ...Source) (*Directory, *clock) {
	d := NewDirectory(slog.New(slog.DiscardHandler), sources...)
	c := &clock{t: time.Unix(1700000000, 0)}
	d.now = c.now
	return d, c
}

var (
	testPod  = &event.Pod{Namespace: "shop", Name: "web-0", UID: podUID}
	testPath = "/kubepods/burstable/pod" + podUID + "/" + idA
)

func TestCachedBeforeAnythingIsKnown(t *testing.T) {
	d, _ := newTestDirectory(&fakeSource{name: "a"})
	tests := []struct {
		path string
		want Info
		ok   bool
	}{
		{testPath, Info{ID: idA, CgroupPath: testPath, Pod: &event.Pod{UID: podUID}, Partial: true}, false},
		{"/docker/" + idA, Info{ID: idA, Runtime: RuntimeDocker, CgroupPath: "/docker/" + idA, Partial: true}, false},
		{"/lxc.payload.web/x", Info{ID: "web", Name: "web", Runtime: RuntimeLXC, CgroupPath: "/lxc.payload.web"}, true},
		{"/default/web", Info{}, false},
		{"/system.slice/nginx.service", Info{}, false},
	}
	for _, test := range tests {
		got, ok := d.Cached(test.path)
		if diff := cmp.Diff(test.want, got); diff != "" || ok != test.ok {
			t.Errorf("Cached(%q) = %v, want %v (-want +got):\n%s", test.path, ok, test.ok, diff)
		}
	}
}

func TestFetchMergesSourcesInOrder(t *testing.T) {
	first := &fakeSource{name: "files", infos: map[string]Info{
		idA: {ID: idA, Name: "app", PID: 42, Pod: &event.Pod{Namespace: "shop", Name: "web-0"}}}}
	second := &fakeSource{name: "cri", infos: map[string]Info{
		idA: {ID: idA, Name: "other", Image: "web:1", Runtime: RuntimeContainerd, State: StateRunning, Attempt: 3,
			Pod: &event.Pod{UID: podUID, Labels: map[string]string{"app": "web"}}}}}
	third := &fakeSource{name: "never"}
	d, _ := newTestDirectory(first, second, third)
	want := Info{ID: idA, Name: "app", Image: "web:1", Runtime: RuntimeContainerd, PID: 42, State: StateRunning, Attempt: 3,
		CgroupPath: testPath,
		Pod:        &event.Pod{Namespace: "shop", Name: "web-0", UID: podUID, Labels: map[string]string{"app": "web"}}}
	got, ok := d.Fetch(t.Context(), testPath+"/inner")
	if diff := cmp.Diff(want, got); diff != "" || !ok {
		t.Fatalf("Fetch: %v (-want +got):\n%s", ok, diff)
	}
	if got, _ := d.Cached(testPath); cmp.Diff(want, got) != "" {
		t.Errorf("Cached after Fetch:\n%s", cmp.Diff(want, got))
	}
	d.Fetch(t.Context(), testPath)
	if second.asked() != 1 || third.asked() != 0 {
		t.Errorf("asked the sources %d and %d times, want 1 and 0", second.asked(), third.asked())
	}
	if got := d.Level(testPath); got != LevelContainer {
		t.Errorf("Level = %q", got)
	}
}

func TestFetchHoldsNegativeAnswersForAWhile(t *testing.T) {
	source := &fakeSource{name: "a"}
	d, clock := newTestDirectory(source)
	for range 3 {
		if info, ok := d.Fetch(t.Context(), testPath); ok || !info.Partial {
			t.Fatalf("Fetch = %+v, %v", info, ok)
		}
	}
	if source.asked() != 1 {
		t.Errorf("asked %d times, want 1", source.asked())
	}
	source.set(func(f *fakeSource) { f.infos = map[string]Info{idA: {ID: idA, Name: "app", Pod: testPod}} })
	clock.turn(askAgain)
	if info, ok := d.Fetch(t.Context(), testPath); !ok || info.Name != "app" {
		t.Errorf("Fetch after a while = %+v, %v", info, ok)
	}
}

func TestPodIsToldWhileContainerIsNotKnown(t *testing.T) {
	source := &fakeSource{name: "a", infos: map[string]Info{podUID: {Pod: testPod}}}
	d, _ := newTestDirectory(source)
	want := Info{ID: idA, CgroupPath: testPath, Pod: testPod, Partial: true}
	if got, ok := d.Fetch(t.Context(), testPath); !ok || cmp.Diff(want, got) != "" {
		t.Errorf("Fetch: %v\n%s", ok, cmp.Diff(want, got))
	}
	podPath := "/kubepods/burstable/pod" + podUID
	want = Info{CgroupPath: podPath, Pod: testPod}
	if got, ok := d.Cached(podPath); !ok || cmp.Diff(want, got) != "" {
		t.Errorf("Cached of the pod: %v\n%s", ok, cmp.Diff(want, got))
	}
}

func TestCandidateIsFoundByItsCgroup(t *testing.T) {
	web := Info{ID: "web", Name: "web", Runtime: RuntimeContainerd, PID: 7, CgroupPath: "/default/web"}
	odd := Info{ID: "odd", Name: "odd", Runtime: RuntimeContainerd, PID: 8, CgroupPath: "/a.slice/b/c"}
	source := &fakeSource{name: "a", infos: map[string]Info{"web": web}, listed: []Info{odd}}
	d, _ := newTestDirectory(source)
	if got, ok := d.Fetch(t.Context(), "/default/web/inner"); !ok || cmp.Diff(web, got) != "" {
		t.Errorf("Fetch: %v\n%s", ok, cmp.Diff(web, got))
	}
	if got := d.Level("/default/web"); got != LevelContainer {
		t.Errorf("Level = %q", got)
	}
	if err := d.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, ok := d.Cached("/a.slice/b/c/d"); !ok || cmp.Diff(odd, got) != "" {
		t.Errorf("Cached by path: %v\n%s", ok, cmp.Diff(odd, got))
	}
	if _, ok := d.Cached("/a.slice/b"); ok {
		t.Error("the parent of a container's cgroup was taken for it")
	}
	if got, ok := d.Cached("/a.slice/b/c/docker/" + idB); ok || got.ID != idB {
		t.Errorf("container in a container: %+v, %v", got, ok)
	}
}

func TestConcurrentFetchesShareOneQuestion(t *testing.T) {
	source := &fakeSource{name: "a", block: make(chan struct{}), infos: map[string]Info{idA: {ID: idA, Name: "app", PID: 1}}}
	d, _ := newTestDirectory(source)
	impatient, cancel := context.WithCancel(t.Context())
	started := make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		close(started)
		d.Fetch(impatient, testPath)
	})
	<-started
	for range 7 {
		wait.Go(func() {
			if info, ok := d.Fetch(t.Context(), testPath); !ok || info.Name != "app" {
				t.Errorf("Fetch = %+v, %v", info, ok)
			}
		})
	}
	cancel() // must not spoil the answer for the others
	close(source.block)
	wait.Wait()
	if source.asked() != 1 {
		t.Errorf("asked %d times, want 1", source.asked())
	}
}

func TestInspectFillsInThePID(t *testing.T) {
	source := &fakeSource{name: "a", listed: []Info{{ID: idA, Name: "app", State: StateRunning}},
		infos: map[string]Info{idA: {ID: idA, Name: "app", PID: 99}}}
	d, _ := newTestDirectory(source)
	if err := d.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, ok := d.Inspect(t.Context(), idA); !ok || got.PID != 99 {
		t.Errorf("Inspect = %+v, %v", got, ok)
	}
	if _, ok := d.Inspect(t.Context(), "../../etc"); ok {
		t.Error("Inspect took what is no id")
	}
}

func TestMemoryIsBounded(t *testing.T) {
	s := newStore(10)
	for i := range 100 {
		id := fmt.Sprintf("%064x", i)
		s.put(Info{ID: id, CgroupPath: "/x/" + id, Pod: &event.Pod{UID: id}}, 1, time.Now())
	}
	if s.entries.len() != 10 || s.pods.len() != 10 || len(s.keys) != 10 {
		t.Errorf("store holds %d containers, %d pods, %d paths; want 10 each", s.entries.len(), s.pods.len(), len(s.keys))
	}
	if _, ok := s.get(fmt.Sprintf("%064x", 99)); !ok {
		t.Error("the latest one is gone")
	}
}

// logBuffer counts the lines of a log.
type logBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logBuffer) lines(about string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), about)
}

var errRefused = errors.New("connection refused")

// An ID in a cgroup's name is a container's only where its runtime says that it runs
// there, by its spec or by where its init runs. Elsewhere it is nobody's.
func TestNameOfACgroupIsNoProof(t *testing.T) {
	const real, fake = "/docker/" + idA, "/user.slice/user-1000.slice/docker/" + idA
	for name, c := range map[string]struct {
		info       Info
		cgroups    []string
		path       string
		id         string
		byName, ok bool
	}{
		"nobody knows it":         {Info{}, nil, real, idA, true, false},
		"by its spec":             {Info{ID: idA, Name: "app", CgroupPath: real}, nil, real, idA, false, true},
		"below its cgroup":        {Info{ID: idA, Name: "app", CgroupPath: real}, nil, real + "/init.scope", idA, false, true},
		"by its init":             {Info{ID: idA, Name: "app", PID: 7}, []string{"", real + "/x"}, real, idA, false, true},
		"its init runs elsewhere": {Info{ID: idA, Name: "app", PID: 7}, []string{real}, fake, "", false, true},
		"its spec says another":   {Info{ID: idA, Name: "app", CgroupPath: real}, nil, fake, idA, true, true},
		"its pid is another's":    {Info{ID: idA, Name: "app", PID: 7}, []string{"/docker/" + idB}, real, idA, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			source := &fakeSource{name: "a"}
			if c.info.ID != "" {
				source.listed = []Info{c.info}
			}
			d := NewDirectory(slog.New(slog.DiscardHandler), source)
			d.ReadCgroups(func(pid int) []string { return c.cgroups })
			if err := d.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			info, ok := d.Cached(c.path)
			if info.ID != c.id || info.ByNameAlone() != c.byName || ok != c.ok {
				t.Errorf("Cached(%q) = %+v, %v; by name alone %v", c.path, info, ok, info.ByNameAlone())
			}
		})
	}
}
