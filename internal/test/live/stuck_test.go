// SPDX-License-Identifier: Apache-2.0

package live

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestStuck: the ways in which SIGKILL is delivered and ends nothing. Each
// takes more than ten seconds, so they wait side by side.
func TestStuck(t *testing.T) {
	t.Run("freezer", func(t *testing.T) { t.Parallel(); stuckInTheFreezer(t) })
	t.Run("disk", func(t *testing.T) { t.Parallel(); stuckInAFrozenFileSystem(t) })
	t.Run("tracer", func(t *testing.T) { t.Parallel(); stuckAtItsTracer(t) })
}

// stuck kills a process and waits for the report that it has not ended.
func (w *watcher) stuck(t *testing.T, pid int) event {
	t.Helper()
	killFrom(t, "sh", unix.SIGKILL, pid)
	of := func(e event) bool { return e.Type == "stuck" && pidOf(e.Target) == pid }
	eventually(t, "stuck is reported", func() bool { return len(w.find(of)) > 0 })
	return w.find(of)[0]
}

// The v1 freezer holds a process also against SIGKILL.
func stuckInTheFreezer(t *testing.T) {
	root := "/sys/fs/cgroup/freezer"
	if !exists(root + "/cgroup.procs") {
		t.Skip("no v1 freezer on this kernel's command line; v2's lets SIGKILL through")
	}
	dir := newCgroup(t, root, uniqueName(t))
	c := exec.Command("sleep", "1000")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	thaw := func() { _ = os.WriteFile(dir+"/freezer.state", []byte("THAWED"), 0) }
	t.Cleanup(func() { thaw(); _ = c.Process.Kill(); _ = c.Wait() })
	write(t, dir+"/cgroup.procs", strconv.Itoa(c.Process.Pid))
	write(t, dir+"/freezer.state", "FROZEN")
	w := watch(t)
	if e := w.stuck(t, c.Process.Pid); e.Frozen == nil || !*e.Frozen || e.State == "" {
		t.Errorf("state %q, frozen %v", e.State, e.Frozen)
	}
	thaw()
	w.deathOf(t, c.Process.Pid).expect(t, "foreign_process", "*", 0)
}

// Who writes to a frozen file system (a snapshot is being made, a volume hangs)
// sleeps uninterruptibly: what stands behind many pods that stay Terminating.
func stuckInAFrozenFileSystem(t *testing.T) {
	programs(t)
	need(t, "mkfs.ext4", "fsfreeze", "mount")
	if os.Getenv("TEST_GUEST") != "" && !exists("/sys/module/loop") {
		t.Skip("no loop devices: they are a module, which this guest has not")
	}
	image, dir := filepath.Join(t.TempDir(), "disk"), t.TempDir()
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(image, 8<<20); err != nil {
		t.Fatal(err)
	}
	run(t, "mkfs.ext4", "-q", image)
	run(t, "mount", "-o", "loop", image, dir)
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	run(t, "fsfreeze", "-f", dir)
	thaw := func() { _ = exec.Command("fsfreeze", "-u", dir).Run() }
	t.Cleanup(thaw)
	c := exec.Command("sh", "-c", "echo x >"+dir+"/file; sleep 1000")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { thaw(); _ = c.Process.Kill(); _ = c.Wait() })
	w := watch(t)
	eventually(t, "it sleeps in the file system", func() bool { return stateOf(c.Process.Pid) == "D" })
	if e := w.stuck(t, c.Process.Pid); e.State != "D" || e.Wchan == "" && len(e.Stack) == 0 {
		t.Errorf("state %q, wchan %q, stack %v", e.State, e.Wchan, e.Stack)
	}
	thaw()
	w.deathOf(t, c.Process.Pid).expect(t, "foreign_process", "*", 0)
}

// A tracer that asked to see exits and is stopped itself holds what it traces.
func stuckAtItsTracer(t *testing.T) {
	programs(t)
	b := exec.Command(programs(t).zoo, "held-by-tracer")
	out, err := b.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Process.Kill(); _ = b.Wait() })
	line := make([]byte, 64)
	n, err := out.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	victim, err := strconv.Atoi(strings.TrimSpace(string(line[:n])))
	if err != nil {
		t.Fatalf("the zoo says the victim's pid: %q", line[:n])
	}
	w := watch(t)
	if e := w.stuck(t, victim); e.State != "t" && e.State != "T" {
		t.Errorf("state %q, want one of a traced stop", e.State)
	}
	_ = b.Process.Kill() // with its tracer gone it ends
	w.deathOf(t, victim).expect(t, "foreign_process", "*", 0)
}

// stateOf is the state letter of /proc/PID/stat.
func stateOf(pid int) string {
	b, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	_, after, _ := strings.Cut(string(b), ") ")
	letter, _, _ := strings.Cut(after, " ")
	return letter
}
