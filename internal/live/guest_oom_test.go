// SPDX-License-Identifier: Apache-2.0

package live

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The limit of kubepods is the node's, whoever of the pods hits it.
func TestGuestNodeLevelLimit(t *testing.T) {
	inGuest(t)
	root, v2 := memoryRoot(t)
	dir := root
	for i, name := range []string{"kubepods", "burstable", "pod11111111-2222-3333-4444-555555555555", strings.Repeat("0123456789abcdef", 4)} {
		dir = newCgroup(t, dir, name)
		if i == 0 {
			limitMemory(t, dir, oomLimit)
		}
		if v2 && i < 3 {
			write(t, dir+"/cgroup.subtree_control", "+memory")
		}
	}
	w := watch(t)
	said := zoo(t, "oom", dir, fmt.Sprint(oomLimit))
	d := w.deathOf(t, said.Victim)
	d.expectLimit(t, filepath.Join(root, "kubepods"))
	if d.OOM == nil || d.OOM.LimitLevel != "node" {
		t.Errorf("level: %+v", d.OOM)
	}
}

// What the administrator chose to do at a system OOM is left alone.
func TestGuestPanicOnOOMIsLeftAlone(t *testing.T) {
	inGuest(t)
	const file = "/proc/sys/vm/panic_on_oom"
	for _, value := range []string{"1", "0"} {
		write(t, file, value)
		watch(t).stop()
		if b, err := os.ReadFile(file); err != nil || strings.TrimSpace(string(b)) != value {
			t.Errorf("panic_on_oom is %s, was %s: %v", b, value, err)
		}
	}
}

// sysrq-e asks every process but the first to end: sigtrace too, after telling.
func TestGuestSysrqE(t *testing.T) {
	inGuest(t)
	if exists("/run/systemd/system") {
		t.Fatal("not beside other processes")
	}
	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, unix.SIGTERM)
	defer signal.Stop(terminated)
	victim := hogAt(t, 1, 0)
	eventually(t, "the victim runs", func() bool { return exists(fmt.Sprintf("/proc/%d/fd", victim.Process.Pid)) })
	w := watch(t)
	write(t, "/proc/sysrq-trigger", "e")
	_ = victim.Wait()
	<-w.ended
	of := func(e event) bool { return e.Type == "signal" && pidOf(e.Target) == victim.Process.Pid }
	seen := w.find(of)
	if len(seen) != 1 {
		t.Fatalf("%d signals to the victim", len(seen))
	}
	if e := seen[0]; e.Signal != "SIGTERM" || e.Via != "sysrq" || pidOf(e.Trigger) != os.Getpid() || e.Sender != nil {
		t.Errorf("%s", e)
	}
}

// Memory is there, and every second page of it is a pipe's, which cannot be
// moved: no two free pages lie side by side.
func TestGuestFragmentedMemory(t *testing.T) {
	inGuest(t)
	unlimited := unix.Rlimit{Cur: 1 << 20, Max: 1 << 20}
	write(t, "/proc/sys/fs/nr_open", fmt.Sprint(1<<20))
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unlimited); err != nil {
		t.Fatal(err)
	}
	write(t, "/proc/sys/fs/pipe-user-pages-soft", "0")
	w := watch(t)
	decoy(t)
	decoy(t)
	fattest := hog(t, 48)
	time.Sleep(time.Second)
	kept := fragment(t)
	defer func() { closeAll(kept) }()
	// A pipe of 1 MiB has 256 slots of 40 bytes: an allocation of order 2.
	for _, p := range kept {
		if _, err := unix.FcntlInt(uintptr(p[1]), unix.F_SETPIPE_SZ, 1<<20); err != nil {
			t.Logf("F_SETPIPE_SZ: %v", err)
			break
		}
		if !exists(fmt.Sprintf("/proc/%d/fd/0", fattest.Process.Pid)) {
			break
		}
	}
	closeAll(kept)
	kept = nil
	_ = fattest.Process.Kill()
	_ = fattest.Wait()
	d := w.deathOf(t, fattest.Process.Pid)
	d.expect(t, "system_oom", "*", 0)
	if d.OOM == nil || d.OOM.Order == nil || *d.OOM.Order < 1 || !strings.Contains(d.Summary, "fragmented") {
		t.Errorf("order %+v: %s", d.OOM, d.Summary)
	}
}

// fragment fills memory with the pages of pipes, alternately of two kinds, and
// frees one kind.
func fragment(t *testing.T) (kept [][2]int) {
	t.Helper()
	page := make([]byte, os.Getpagesize())
	var freed [][2]int
	for free(t) > 64<<20 {
		var a, b [2]int
		if err := errors.Join(unix.Pipe2(a[:], unix.O_NONBLOCK), unix.Pipe2(b[:], unix.O_NONBLOCK)); err != nil {
			t.Fatal(err)
		}
		for range 16 {
			for _, p := range [][2]int{a, b} {
				if _, err := unix.Write(p[1], page); err != nil {
					t.Fatal(err)
				}
			}
		}
		kept, freed = append(kept, a), append(freed, b)
	}
	closeAll(freed)
	return kept
}

func closeAll(pipes [][2]int) {
	for _, p := range pipes {
		_ = unix.Close(p[0])
		_ = unix.Close(p[1])
	}
}

// free is MemAvailable in bytes.
func free(t *testing.T) int64 {
	t.Helper()
	b, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		t.Fatal(err)
	}
	var kib int64
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "MemAvailable:"); ok {
			_, _ = fmt.Sscan(rest, &kib)
		}
	}
	return kib << 10
}
