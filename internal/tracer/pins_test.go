// SPDX-License-Identifier: Apache-2.0

package tracer

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// pinDir is a directory on a BPF file system of the test's own.
func pinDir(t *testing.T) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("pinning needs root")
	}
	root := t.TempDir()
	if err := unix.Mount("bpf", root, "bpf", 0, ""); err != nil {
		t.Fatalf("mount a BPF file system: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(root, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return filepath.Join(root, "sigtrace")
}

// loadPinned loads with the pins of dir, as a process of its own would.
func loadPinned(t *testing.T, dir string, c Config) (*Tracer, *Pins) {
	t.Helper()
	pins, err := OpenPins(dir)
	if err != nil {
		t.Fatal(err)
	}
	c.Pins = pins
	p, err := Load(c)
	if err != nil {
		_ = pins.Close()
		t.Fatal(err)
	}
	return p, pins
}

func letGo(t *testing.T, p *Tracer, pins *Pins) {
	t.Helper()
	if err := errors.Join(p.Close(), pins.Close()); err != nil {
		t.Error(err)
	}
}

// killed starts a process, kills it, and returns its pid.
func killed(t *testing.T) uint32 {
	t.Helper()
	return killedIn(t, nil)
}

// killedIn kills a process in a cgroup.
func killedIn(t *testing.T, group *os.File) uint32 {
	t.Helper()
	c := exec.Command("sleep", "60")
	if group != nil {
		c.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(group.Fd())}
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	_ = c.Process.Kill()
	_ = c.Wait()
	return uint32(c.Process.Pid)
}

// drain reads what lies in the rings.
func drain(t *testing.T, p *Tracer) (events int) {
	t.Helper()
	for lane := range LaneCount {
		ctx, stop := context.WithCancel(context.Background())
		stop()
		if err := p.Read(ctx, lane, func(b Batch) { events += len(b.Ends) }); err != nil {
			t.Fatal(err)
		}
	}
	return events
}

func isKept(t *testing.T, p *Tracer, pid uint32) bool {
	t.Helper()
	var key typedProcKey
	var value []byte
	for it := p.maps["kept_deaths"].Iterate(); it.Next(&key, &value); {
		if key.Tgid == pid {
			return true
		}
	}
	return false
}

// What dies while nobody is there is in the ring and in the map; who comes
// back uses the same programs.
func TestPinsReused(t *testing.T) {
	dir := pinDir(t)
	p, pins := loadPinned(t, dir, Config{})
	if s := pins.Report().State; s != PinsMade {
		t.Errorf("first: %s", s)
	}
	before := programID(t, p, "on_exit")
	var reported, again uint32
	if err := p.vars["describe_epoch"].Get(&reported); err != nil {
		t.Fatal(err)
	}
	drain(t, p)
	letGo(t, p, pins)
	pid := killed(t)
	start := time.Now()
	p, pins = loadPinned(t, dir, Config{})
	defer letGo(t, p, pins)
	t.Logf("reused in %v", time.Since(start))
	if r := pins.Report(); r.State != PinsReused || r.Why != "" {
		t.Errorf("second: %+v", r)
	}
	if programID(t, p, "on_exit") != before {
		t.Error("the program is another one")
	}
	if err := p.vars["describe_epoch"].Get(&again); err != nil || again <= reported {
		t.Errorf("who was described before is not again: epoch %d after %d, %v", again, reported, err)
	}
	if !isKept(t, p, pid) {
		t.Error("the death is not kept")
	}
	if drain(t, p) == 0 {
		t.Error("the rings are empty")
	}
	if p.Hooks()["sched_process_exit"] != Attached {
		t.Errorf("hooks: %v", p.Hooks())
	}
	if err := p.Seed(); err != nil {
		t.Error(err)
	}
}

// With another configuration the programs are exchanged: what was kept stays,
// and what dies meanwhile is kept as well.
func TestPinsUpgraded(t *testing.T) {
	dir := pinDir(t)
	p, pins := loadPinned(t, dir, Config{})
	before := programID(t, p, "on_exit")
	letGo(t, p, pins)
	pid := killed(t)
	p, pins = loadPinned(t, dir, Config{Exits: true})
	if r := pins.Report(); r.State != PinsUpgraded || r.Why == "" {
		t.Errorf("upgrade: %+v", r)
	}
	if programID(t, p, "on_exit") == before {
		t.Error("the old program serves still")
	}
	if !isKept(t, p, pid) || drain(t, p) == 0 {
		t.Error("what died before is lost")
	}
	later := killed(t)
	if !isKept(t, p, later) {
		t.Error("what died afterwards is not kept")
	}
	letGo(t, p, pins)
	pid = killed(t)
	p, pins = loadPinned(t, dir, Config{Exits: true})
	defer letGo(t, p, pins)
	if r := pins.Report(); r.State != PinsReused {
		t.Errorf("after the upgrade: %+v", r)
	}
	if !isKept(t, p, pid) {
		t.Error("the new programs do not keep")
	}
}

func programID(t *testing.T, p *Tracer, name string) ebpf.ProgramID {
	t.Helper()
	info, err := p.loaded(name).Info()
	if err != nil {
		t.Fatal(err)
	}
	id, _ := info.ID()
	return id
}

func TestPinsHeld(t *testing.T) {
	dir := pinDir(t)
	p, pins := loadPinned(t, dir, Config{})
	if _, err := OpenPins(dir); !errors.Is(err, ErrPinsHeld) {
		t.Errorf("a second instance: %v", err)
	}
	if _, err := Unpin(dir); !errors.Is(err, ErrPinsHeld) {
		t.Errorf("unpin while it is held: %v", err)
	}
	letGo(t, p, pins)
	if removed, err := Unpin(dir); err != nil || !removed {
		t.Errorf("unpin: %v %v", removed, err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the directory is there: %v", err)
	}
	if removed, err := Unpin(dir); err != nil || removed {
		t.Errorf("unpin nothing: %v %v", removed, err)
	}
}

// What is not sigtrace's is left alone.
func TestPinsForeign(t *testing.T) {
	dir := pinDir(t)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	m, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.Array, KeySize: 4, ValueSize: 4, MaxEntries: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for _, name := range []string{"theirs", pinnedMeta} {
		if err := m.Pin(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenPins(dir); !errors.Is(err, ErrPinsForeign) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Pins with something missing or wrong are mended or replaced, and that is said.
func TestPinsDamaged(t *testing.T) {
	dir := pinDir(t)
	for name, c := range map[string]struct {
		damage func()
		want   string
	}{
		"a link is gone":     {func() { remove(t, dir, pinnedLinks, "on_exit") }, PinsUpgraded},
		"a map is gone":      {func() { remove(t, dir, pinnedMaps, "procs") }, PinsReplaced},
		"constants are gone": {func() { remove(t, dir, pinnedMaps, "rodata") }, PinsUpgraded},
		"a map is another": {func() {
			remove(t, dir, pinnedMaps, "kept_deaths")
			m, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.Array, KeySize: 4, ValueSize: 4, MaxEntries: 1})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			if err := m.Pin(filepath.Join(dir, pinnedMaps, "kept_deaths")); err != nil {
				t.Fatal(err)
			}
		}, PinsReplaced},
	} {
		t.Run(name, func(t *testing.T) {
			p, pins := loadPinned(t, dir, Config{})
			letGo(t, p, pins)
			c.damage()
			p, pins = loadPinned(t, dir, Config{})
			defer letGo(t, p, pins)
			if r := pins.Report(); r.State != c.want || r.Why == "" {
				t.Errorf("%+v", r)
			}
			if pid := killed(t); !isKept(t, p, pid) {
				t.Error("a death is not kept")
			}
		})
	}
}

func remove(t *testing.T, path ...string) {
	t.Helper()
	if err := os.Remove(filepath.Join(path...)); err != nil {
		t.Fatal(err)
	}
}

func TestPinsNeedBPFFS(t *testing.T) {
	if _, err := OpenPins(filepath.Join(t.TempDir(), "a", "b")); !errors.Is(err, ErrNoBPFFS) {
		t.Error(err)
	}
}

// testGroup is a cgroup of version 2, and its id: what else dies on this host
// is not to be counted.
func testGroup(t *testing.T) (*os.File, uint64) {
	t.Helper()
	root := "/sys/fs/cgroup"
	if _, err := os.Stat(root + "/unified"); err == nil {
		root += "/unified"
	}
	dir, err := os.MkdirTemp(root, "sigtrace-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(dir) })
	group, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = group.Close() })
	var st unix.Stat_t
	if err := unix.Fstat(int(group.Fd()), &st); err != nil {
		t.Fatal(err)
	}
	return group, st.Ino
}

// What finds no room is counted, and reported to who comes next, unless everything
// that was read has been written.
func TestPinsFull(t *testing.T) {
	dir := pinDir(t)
	c := Config{KeptRoom: 2, TargetCgroups: true}
	group, id := testGroup(t)
	load := func() (*Tracer, *Pins) {
		p, pins := loadPinned(t, dir, c)
		if err := p.AddCgroup(0, id, 1); err != nil {
			t.Fatal(err)
		}
		return p, pins
	}
	p, pins := load()
	for range 5 {
		killedIn(t, group)
	}
	if n := p.NotKept(); n != 3 {
		t.Errorf("not kept: %d of 5 with room for 2", n)
	}
	letGo(t, p, pins)
	p, pins = load()
	if r := pins.Report(); r.NotKept != 3 || p.NotKept() != 0 {
		t.Errorf("%+v, then %d", r, p.NotKept())
	}
	keys, err := p.KeptDeaths()
	if err != nil || len(keys) != 2 {
		t.Fatalf("%v, %v", keys, err)
	}
	if err := p.Release(int(keys[0].TGID), keys[0].Start); err != nil {
		t.Error(err)
	}
	if _, there := p.KeptDeath(keys[0]); there {
		t.Error("released, and still there")
	}
	killedIn(t, group)
	killedIn(t, group)
	if err := pins.Settle(); err != nil {
		t.Error(err)
	}
	letGo(t, p, pins)
	p, pins = load()
	defer letGo(t, p, pins)
	if r := pins.Report(); r.NotKept != 0 {
		t.Errorf("all was written: %+v", r)
	}
}

// The filter's answers of an earlier run do not come to life again.
func TestPinsTargets(t *testing.T) {
	dir := pinDir(t)
	c := Config{TargetCgroups: true}
	p, pins := loadPinned(t, dir, c)
	if err := p.AddCgroup(0, 42, 1); err != nil {
		t.Fatal(err)
	}
	letGo(t, p, pins)
	p, pins = loadPinned(t, dir, c)
	defer letGo(t, p, pins)
	var before, after uint32
	if err := p.vars["target_generation"].Get(&before); err != nil || before < 2 {
		t.Fatalf("generation %d, %v", before, err)
	}
	if err := p.AddCgroup(0, 43, 1); err != nil {
		t.Fatal(err)
	}
	if err := p.Retarget(); err != nil {
		t.Fatal(err)
	}
	if err := p.vars["target_generation"].Get(&after); err != nil || after <= before {
		t.Errorf("generation %d after %d, %v", after, before, err)
	}
	var v uint8
	if err := p.maps["target_cgroups"].Lookup(uint64(42), &v); !isNotFound(err) {
		t.Errorf("the old target is there: %v", err)
	}
	if err := p.maps["target_cgroups"].Lookup(uint64(43), &v); err != nil {
		t.Errorf("the new target: %v", err)
	}
}
