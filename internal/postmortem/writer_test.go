// SPDX-License-Identifier: Apache-2.0

package postmortem

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sigtrace/sigtrace/internal/event"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

func open(t *testing.T, o Options) *Writer {
	t.Helper()
	if o.Limits == (Limits{}) {
		o.Limits = Defaults()
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	w, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

func aSignal(n int) *event.Signal {
	s := &event.Signal{Signal: "SIGTERM", SignalNumber: 15, Via: event.ViaKill, Target: &event.Process{PID: n, Comm: "app"}}
	s.Header = event.Header{Schema: event.Schema, Type: event.TypeSignal, Time: noon.Add(time.Duration(n) * time.Millisecond), Node: "n1"}
	s.Matters = true
	return s
}

func aDeath(n int) *event.Death {
	return &event.Death{
		Header:  event.Header{Schema: event.Schema, Type: event.TypeDeath, Time: noon.Add(time.Duration(n) * time.Millisecond), Node: "n1"},
		ID:      fmt.Sprintf("%016x", n),
		Process: &event.Process{PID: n, Comm: "app"}, Cause: event.CauseForeignProcess, Confidence: event.Proven,
		Summary: "it was killed", Revision: 1,
	}
}

// line is what tests look at of a line.
type line struct {
	Type, Lane, Reason string
	Count              int
	Target, Process    struct{ PID int }
}

func (l line) pid() int { return max(l.Target.PID, l.Process.PID) }

func readLines(t *testing.T, dir string) []line {
	t.Helper()
	names, err := rotated(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	var lines []line
	for _, name := range append(names, journalName) {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if len(b) > 0 && b[len(b)-1] != '\n' {
			t.Errorf("%s ends in the middle of a line", name)
		}
		s := bufio.NewScanner(bytes.NewReader(b))
		s.Buffer(nil, 1<<20)
		for s.Scan() {
			var l line
			if err := json.Unmarshal(s.Bytes(), &l); err != nil {
				t.Errorf("%s: %v: %s", name, err, s.Text())
			}
			lines = append(lines, l)
		}
	}
	return lines
}

func put(t *testing.T, w *Writer, events ...event.Event) {
	t.Helper()
	for _, e := range events {
		if err := w.Print(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
}

func TestFilesArePrivateAndHoldWhatMatters(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	var synced []string
	w := open(t, Options{Dir: dir, Synced: func(d *event.Death) { synced = append(synced, d.ID) }})
	routine := aSignal(2)
	routine.Matters = false
	context := aSignal(3)
	context.Context = true
	exit := &event.Exit{Header: event.Header{Type: event.TypeExit}}
	put(t, w, aSignal(1), routine, context, exit, aDeath(4))
	lines := readLines(t, dir)
	if len(lines) != 2 || lines[0].pid() != 1 || lines[1].pid() != 4 || lines[1].Type != "death" {
		t.Errorf("got %+v", lines)
	}
	if len(synced) != 1 || synced[0] != aDeath(4).ID {
		t.Errorf("synced: %v", synced)
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestLock(t *testing.T) {
	dir := t.TempDir()
	w := open(t, Options{Dir: dir})
	_, err := Open(Options{Dir: dir, Limits: Defaults(), Log: slog.New(slog.DiscardHandler)})
	if locked := (*LockedError)(nil); !errors.As(err, &locked) || !strings.Contains(err.Error(), dir) {
		t.Fatalf("the second instance got %v", err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, Options{Dir: dir})
}

func TestRotation(t *testing.T) {
	dir := t.TempDir()
	clock := noon
	w := open(t, Options{Dir: dir, Limits: Limits{Size: 2000, Files: 3}, Now: func() time.Time { return clock }})
	for n := range 100 {
		// The clock steps back by an hour on the way.
		if clock = clock.Add(time.Second); n == 50 {
			clock = clock.Add(-time.Hour)
		}
		put(t, w, aSignal(n+1))
	}
	names, err := rotated(os.DirFS(dir))
	if err != nil || len(names) != 2 {
		t.Fatalf("%v, %v", names, err)
	}
	lines := readLines(t, dir)
	for i, l := range lines {
		if want := 100 - len(lines) + i + 1; l.pid() != want {
			t.Fatalf("line %d is of %d, want %d: not the newest, or not in order", i, l.pid(), want)
		}
	}
	for _, name := range append(names, journalName) {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() > 2000 {
			t.Errorf("%s: %v, %v", name, info.Size(), err)
		}
	}
}

func TestTornLineIsCutOffAtTheStart(t *testing.T) {
	for name, tail := range map[string]string{
		"part of a line": `{"type":"signal","targ`,
		"zeros":          strings.Repeat("\x00", 200_000),
		"nothing":        "",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			put(t, open(t, Options{Dir: dir}), aSignal(1))
			w := filepath.Join(dir, journalName)
			b, err := os.ReadFile(w)
			if err != nil {
				t.Fatal(err)
			}
			torn := t.TempDir()
			if err := os.WriteFile(filepath.Join(torn, journalName), append(b, tail...), 0o600); err != nil {
				t.Fatal(err)
			}
			put(t, open(t, Options{Dir: torn}), aSignal(2))
			if lines := readLines(t, torn); len(lines) != 2 || lines[1].pid() != 2 {
				t.Errorf("got %+v", lines)
			}
		})
	}
}

func TestDirectoryDeletedWhileRunning(t *testing.T) {
	for name, remove := range map[string]func(dir string) error{
		"the directory": os.RemoveAll,
		"the file":      func(dir string) error { return os.Remove(filepath.Join(dir, journalName)) },
		"moved away":    func(dir string) error { return os.Rename(filepath.Join(dir, journalName), filepath.Join(dir, "old")) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "log")
			w := open(t, Options{Dir: dir})
			put(t, w, aSignal(1))
			if err := remove(dir); err != nil {
				t.Fatal(err)
			}
			put(t, w, aSignal(2))
			if lines := readLines(t, dir); len(lines) != 1 || lines[0].pid() != 2 {
				t.Errorf("got %+v", lines)
			}
			if _, err := Open(Options{Dir: dir, Limits: Defaults(), Log: slog.New(slog.DiscardHandler)}); err == nil {
				t.Error("the new directory is not locked")
			}
		})
	}
}

// smallDisk mounts a tmpfs; what fills it is the test's own.
func smallDisk(t *testing.T, flags uintptr) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("mounting needs root")
	}
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", flags, "size=64k,mode=700"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	return dir
}

func TestFullDisk(t *testing.T) {
	dir := smallDisk(t, 0)
	var said bytes.Buffer
	w := open(t, Options{Dir: dir, Log: slog.New(slog.NewTextHandler(&said, nil))})
	filler := filepath.Join(dir, "filler")
	put(t, w, aSignal(1))
	if err := os.WriteFile(filler, make([]byte, 1<<20), 0o600); !errors.Is(err, unix.ENOSPC) {
		t.Fatalf("the disk is not full: %v", err)
	}
	n := 1
	for full := false; !full; {
		n++
		full = errors.Join(w.Print(aDeath(n)), w.Flush()) != nil
	}
	for range 5 {
		n++
		if err := errors.Join(w.Print(aDeath(n)), w.Flush()); !errors.Is(err, unix.ENOSPC) {
			t.Fatalf("told as %v", err)
		}
	}
	if w.WriteErrors() != 1 {
		t.Errorf("%d attempts: a full disk is hammered", w.WriteErrors())
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if err := w.Tick(noon); err != nil {
		t.Fatal(err)
	}
	lines := readLines(t, dir)
	for i, l := range lines {
		if l.pid() != i+1 {
			t.Fatalf("line %d is of %d: lost or torn", i+1, l.pid())
		}
	}
	if len(lines) != n {
		t.Errorf("%d lines of %d", len(lines), n)
	}
}

func TestWhatFindsNoPlaceIsToldAsLost(t *testing.T) {
	dir := smallDisk(t, 0)
	w := open(t, Options{Dir: dir, Limits: Limits{Size: 20_000, Files: 2}})
	filler := filepath.Join(dir, "filler")
	if err := os.WriteFile(filler, make([]byte, 1<<20), 0o600); !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
	}
	sent := 0
	for w.wait.lost == nil || w.wait.lost["routine"] < 100 {
		sent++
		_ = errors.Join(w.Print(aSignal(sent)), w.Flush())
	}
	_ = w.Print(aDeath(sent + 1)) // for deaths there is room left
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if err := w.Tick(noon); err != nil {
		t.Fatal(err)
	}
	lines := readLines(t, dir)
	last, death := lines[len(lines)-1], lines[len(lines)-2]
	if last.Type != "lost" || last.Reason != lostReason || last.Lane != "routine" || last.Count != 100 {
		t.Errorf("got %+v", last)
	}
	if death.Type != "death" || death.pid() != sent+1 {
		t.Errorf("got %+v", death)
	}
}

// More than there is room for at once is written as it comes.
func TestBurstIsWritten(t *testing.T) {
	dir := t.TempDir()
	w := open(t, Options{Dir: dir, Limits: Limits{Size: 100 << 20, Files: 2, Deaths: 10}})
	const burst = 3 * waitingMax / (64 << 10)
	for n := range burst {
		d := aDeath(n + 1)
		d.Summary = strings.Repeat("x", 64<<10)
		if err := w.Print(d); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if lines := readLines(t, dir); len(lines) != burst || lines[burst-1].pid() != burst {
		t.Errorf("%d lines of %d", len(lines), burst)
	}
}

func TestReadOnlyDisk(t *testing.T) {
	dir := smallDisk(t, 0)
	w := open(t, Options{Dir: dir})
	put(t, w, aSignal(1))
	remount := func(flags uintptr) {
		if err := unix.Mount("", dir, "", unix.MS_REMOUNT|flags, "size=64k"); err != nil {
			t.Fatal(err)
		}
	}
	// A remount is refused while a file is open for writing, as it is here; a
	// bind mount of its own is not.
	if err := unix.Mount(dir, dir, "", unix.MS_BIND, ""); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Unmount(dir, unix.MNT_DETACH) }()
	remount(unix.MS_BIND | unix.MS_RDONLY)
	// The path leads to the read-only mount now; the files are opened anew there.
	_ = w.Close()
	_, err := Open(Options{Dir: dir, Limits: Defaults(), Log: slog.New(slog.DiscardHandler)})
	if !errors.Is(err, unix.EROFS) || !strings.Contains(err.Error(), "--log-dir") {
		t.Errorf("a read-only directory is told as %v", err)
	}
	remount(unix.MS_BIND)
	put(t, open(t, Options{Dir: dir}), aSignal(2))
	if lines := readLines(t, dir); len(lines) != 2 {
		t.Errorf("got %+v", lines)
	}
}

// kubelet makes a hostPath 0755: the agent closes it while it is new. What has
// been in use is as its owner wants it.
func TestANewDirectoryIsMadePrivate(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct{ set, want os.FileMode }{{0o755, 0o700}, {0o750, 0o750}} {
		if err := os.Chmod(dir, c.set); err != nil {
			t.Fatal(err)
		}
		w, err := Open(Options{Dir: dir, Limits: Defaults(), Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(dir)
		if err != nil || info.Mode().Perm() != c.want {
			t.Errorf("set to %v: %v, %v", c.set, info.Mode(), err)
		}
	}
}
