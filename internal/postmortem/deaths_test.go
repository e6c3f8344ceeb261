// SPDX-License-Identifier: Apache-2.0

package postmortem

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/fuzzing"
)

func deathFiles(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, deathsDir))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func inPod(d *event.Death, init bool) *event.Death {
	d.Process.Container = &event.Container{ID: "0123456789abcdef0123", Name: "app", Init: &init}
	d.Process.Pod = &event.Pod{Namespace: "shop", Name: "web-0", UID: "uid-1"}
	return d
}

func TestDeathNames(t *testing.T) {
	d := inPod(aDeath(1), true)
	if got, want := deathName(d), "20261125T120000.001Z_shop_web-0_app_0123456789ab.log"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := deathName(aDeath(7)), "20261125T120000.007Z_host_app_7.log"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if a, b := deathName(inPod(aDeath(1), false)), deathName(d); a == b {
		t.Errorf("a worker and its init would have one file: %s", a)
	}
}

// Nothing that a name holds leads out of the directory or is too long for one.
func FuzzDeathNames(f *testing.F) {
	for _, s := range []string{"..", "../../etc/passwd", "a/b", "", "\x00", ".hidden", strings.Repeat("x", 300), "a_b", "größe", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, init := range []bool{true, false} {
			d := inPod(aDeath(1), init)
			d.ID, d.Process.Comm = s, s
			*d.Process.Pod = event.Pod{Namespace: s, Name: s, UID: s}
			d.Process.Container.ID, d.Process.Container.Name = s, s
			host := aDeath(1)
			host.ID, host.Process.Comm = s, s
			nobody := aDeath(1)
			nobody.ID, nobody.Process = s, nil
			for _, d := range []*event.Death{d, host, nobody} {
				name := deathName(d)
				if filepath.Base(name) != name || len(name)+len(partial) > 255 || strings.HasPrefix(name, ".") || strings.ContainsAny(name, "/\\\x00\n ") {
					t.Errorf("%q makes %q", s, name)
				}
				fuzzing.Outcome(f.Name(), name)
			}
		}
	})
}

func TestDeathsHaveFilesAndALimit(t *testing.T) {
	dir := t.TempDir()
	w := open(t, Options{Dir: dir, Limits: Limits{Size: 1 << 20, Files: 2, Deaths: 3}})
	for n := range 10 {
		put(t, w, aDeath(n+1))
	}
	// The clock was set back: what is written now is not the oldest.
	late := aDeath(11)
	late.Time = late.Time.Add(-time.Hour)
	put(t, w, late)
	names := deathFiles(t, dir)
	if len(names) != 3 || !slices.Contains(names, deathName(late)) || !slices.Contains(names, deathName(aDeath(10))) {
		t.Errorf("got %v", names)
	}
}

func TestALaterRevisionReplacesTheFile(t *testing.T) {
	dir := t.TempDir()
	w := open(t, Options{Dir: dir})
	put(t, w, aDeath(1))
	again := aDeath(1)
	again.Revision, again.Summary = 2, "now it is known"
	third := *again
	third.Revision, third.Summary = 3, "it is known better"
	put(t, w, again, &third)
	names := deathFiles(t, dir)
	if len(names) != 1 {
		t.Fatalf("got %v", names)
	}
	b, err := os.ReadFile(filepath.Join(dir, deathsDir, names[0]))
	if err != nil || !strings.Contains(string(b), "it is known better") || !strings.Contains(string(b), "revision 3") {
		t.Errorf("%v:\n%s", err, b)
	}
}

// Revisions take the place of their own files, and of no others.
func TestRevisionsRemoveNoOthers(t *testing.T) {
	dir := t.TempDir()
	w := open(t, Options{Dir: dir, Limits: Limits{Size: 1 << 20, Files: 2, Deaths: 4}})
	for n := range 4 {
		put(t, w, aDeath(n+1))
	}
	for n := range 3 {
		again := aDeath(n + 1)
		again.Revision = 2
		put(t, w, again)
	}
	if names := deathFiles(t, dir); len(names) != 4 {
		t.Errorf("got %v", names)
	}
	put(t, w, aDeath(5)) // the one that was written the longest ago goes
	if names := deathFiles(t, dir); len(names) != 4 || slices.Contains(names, deathName(aDeath(4))) {
		t.Errorf("got %v", names)
	}
}

// Somebody tidies up: the directory is made anew, and writing goes on.
func TestDeathsDirectoryRemoved(t *testing.T) {
	dir := t.TempDir()
	synced := 0
	w := open(t, Options{Dir: dir, Synced: func(*event.Death) { synced++ }})
	put(t, w, aDeath(1))
	if err := os.RemoveAll(filepath.Join(dir, deathsDir)); err != nil {
		t.Fatal(err)
	}
	put(t, w, aDeath(2))
	put(t, w, aDeath(3))
	if names := deathFiles(t, dir); len(names) != 2 || synced != 3 || w.WriteErrors() != 0 {
		t.Errorf("files %v, %d deaths synced, %d errors", names, synced, w.WriteErrors())
	}
}

func TestWhatACrashLeftHalfWrittenGoes(t *testing.T) {
	dir := t.TempDir()
	w := open(t, Options{Dir: dir})
	put(t, w, aDeath(1))
	half := filepath.Join(dir, deathsDir, deathName(aDeath(2))+partial)
	if err := os.WriteFile(half, []byte("it wa"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, Options{Dir: dir})
	if names := deathFiles(t, dir); len(names) != 1 || strings.HasSuffix(names[0], partial) {
		t.Errorf("got %v", names)
	}
}

// A link that somebody put there does not lead a write out of the directory.
func TestLinksAreNotFollowedOut(t *testing.T) {
	dir, outside := t.TempDir(), filepath.Join(t.TempDir(), "outside")
	if err := os.WriteFile(outside, []byte("theirs"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, journalName)); err != nil {
		t.Fatal(err)
	}
	_, err := Open(Options{Dir: dir, Limits: Defaults(), Log: slog.New(slog.DiscardHandler)})
	if b, _ := os.ReadFile(outside); string(b) != "theirs" || err == nil {
		t.Errorf("%v, outside: %q", err, b)
	}
}

func TestFlightRecorder(t *testing.T) {
	r := NewRecorder(time.Minute)
	at := func(e event.Event, seconds int) event.Event {
		e.Common().BoottimeNS = uint64(time.Duration(1000+seconds) * time.Second)
		return e
	}
	of := func(p *event.Process, seconds int) event.Event {
		s := aSignal(p.PID)
		s.Target = p
		return at(s, seconds)
	}
	d := at(inPod(aDeath(5), true), 100).(*event.Death)
	worker := &event.Process{PID: 6, Comm: "worker", Pod: d.Process.Pod}
	other := &event.Process{PID: 7, Comm: "other", Pod: &event.Pod{UID: "uid-2"}}
	r.Record(of(worker, 10)) // too long ago
	r.Record(of(worker, 90))
	r.Record(of(d.Process, 80)) // reported late
	r.Record(of(other, 95))
	var got []string
	for _, m := range r.Before(d) {
		got = append(got, m.Text)
	}
	if len(got) != 2 || !strings.Contains(got[0], "app(5)") || !strings.Contains(got[1], "worker(6)") {
		t.Errorf("got %q", got)
	}
	for n := range 3 * momentsMax {
		r.Record(of(worker, 91+n/1000))
	}
	if n := len(r.Before(d)); n != momentsMax {
		t.Errorf("%d moments of one place", n)
	}
	for n := range 2 * momentsAll {
		r.Record(of(&event.Process{PID: n, Pod: &event.Pod{UID: fmt.Sprint(n)}}, 92))
	}
	if r.total > momentsAll || len(r.byKey) > places || r.order.Len() != len(r.byKey) {
		t.Errorf("%d moments, %d places", r.total, len(r.byKey))
	}
}

func TestFileTellsWhatCameBefore(t *testing.T) {
	dir := t.TempDir()
	w := open(t, Options{Dir: dir, Flight: time.Minute})
	d := inPod(aDeath(5), true)
	s := aSignal(6)
	s.Target.Comm, s.Target.Pod = "worker", d.Process.Pod
	put(t, w, s, d)
	b, err := os.ReadFile(filepath.Join(dir, deathsDir, deathName(d)))
	if err != nil || !strings.Contains(string(b), "SIGTERM to worker(6)") {
		t.Errorf("%v:\n%s", err, b)
	}
}

func TestPresence(t *testing.T) {
	dir := t.TempDir()
	clock := noon
	now := func() time.Time { return clock }
	o := Options{Dir: dir, Now: now, Presence: Presence{Node: "n1", BootID: "b1", Started: noon}}
	w := open(t, o)
	if w.Previous() != nil || !heldByAnother(dir) {
		t.Errorf("previous %+v", w.Previous())
	}
	clock = clock.Add(25 * time.Second)
	if err := w.Tick(clock); err != nil {
		t.Fatal(err)
	}
	if p := readPresence(os.DirFS(dir)); p == nil || p.Stopped || !p.LastSeen.Equal(clock) {
		t.Errorf("while it runs: %+v", p)
	}
	clock = clock.Add(time.Second)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if heldByAnother(dir) {
		t.Error("still held")
	}
	again := open(t, o)
	if p := again.Previous(); p == nil || !p.Stopped || !p.LastSeen.Equal(clock) || p.Node != "n1" {
		t.Errorf("of the one before: %+v", p)
	}
}
