// SPDX-License-Identifier: Apache-2.0

package live

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// A path is worth what its mount namespace is: whoever makes one binds what he likes
// over the runtime's.
func TestPosingAsTheRuntimeIsForeign(t *testing.T) {
	shell := copyOf(t, "/bin/sh", filepath.Join(worldReadable(t), "shell"), nobody)
	for _, exe := range []string{"/usr/bin/containerd", "/usr/bin/containerd-shim-runc-v2", "/usr/bin/earlyoom"} {
		if !exists(exe) {
			continue
		}
		for name, posing := range map[string]struct {
			as    *syscall.Credential
			flags string
		}{
			"a user in his namespaces":  {&syscall.Credential{Uid: nobody, Gid: nobody}, "-Urm"},
			"root in a mount namespace": {nil, "-m"},
		} {
			t.Run(filepath.Base(exe)+" by "+name, func(t *testing.T) {
				c := runCtr(t, nil, "/bin/sh", "-c", fmt.Sprintf("echo n:x:%d:%d::/:/bin/sh > /etc/passwd; exec busybox su n -c 'exec sleep 1000'", nobody, nobody))
				eventually(t, "it runs as another user", func() bool { return ownerOf(c.pid) == nobody })
				w := watch(t)
				// The trailing command keeps the shell from executing kill itself.
				script := fmt.Sprintf("mount --bind %s %s && exec %s -c 'kill -9 %d; :'", shell, exe, exe, c.pid)
				cmd := exec.Command("unshare", posing.flags, "--", "sh", "-c", script)
				cmd.Dir = "/"
				cmd.SysProcAttr = &syscall.SysProcAttr{Credential: posing.as}
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("%v: %s", err, out)
				}
				d := w.deathOf(t, c.pid)
				d.expect(t, "foreign_process", "host", cmd.Process.Pid)
				if d.Actor == nil || d.Actor.Exe != exe {
					t.Errorf("it poses no more: %+v", d.Actor)
				}
			})
		}
	}
}

// A daemon in /opt that is not root's is nobody's daemon, in a service's cgroup too.
func TestPosingAsAnOOMDaemonIsForeign(t *testing.T) {
	dir := filepath.Join("/opt", filepath.Base(worldReadable(t)))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	for owner, cause := range map[int]string{nobody: "foreign_process", 0: "userspace_oom"} {
		t.Run(cause, func(t *testing.T) {
			daemon := copyOf(t, "/bin/busybox", filepath.Join(dir, "earlyoom"), owner)
			root, _ := memoryRoot(t) // what units are read from
			service := newCgroup(t, root, fmt.Sprintf("posing-%d.service", nextNumber()))
			victim := exec.Command("/bin/sleep", "1000")
			if err := victim.Start(); err != nil {
				t.Fatal(err)
			}
			w := watch(t)
			cmd := &exec.Cmd{Path: daemon, Args: []string{"sh", "-c", fmt.Sprintf("echo $$ > %s/cgroup.procs; kill -9 %d; :", service, victim.Process.Pid)}}
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			_ = victim.Wait()
			w.deathOf(t, victim.Process.Pid).expect(t, cause, "*", cmd.Process.Pid)
		})
	}
}

// Deeper than a lineage is followed, nobody sees that the sender came from the init;
// nor is it taken for one that was brought in.
func TestDeepLineageIsNoSession(t *testing.T) {
	const script = `tail -f /dev/null & export V=$!; while [ ! -e /tmp/go ]; do sleep 0.1; done; export N=45
export S='if [ $N -gt 0 ]; then N=$((N-1)) sh -c "$S"; :; else kill -9 $V; fi; :'; sh -c "$S"; exec sleep 1000`
	c := runCtr(t, nil, "/bin/sh", "-c", script)
	victim := c.child("tail")
	w := watch(t, "--container-id", c.name)
	c.exec("/bin/sh", "-c", "echo > /tmp/go")
	d := w.deathOf(t, victim)
	d.expect(t, "same_container", "*", 0)
	if d.Confidence != "likely" {
		t.Errorf("%s: nobody has seen where the sender came from", d.Confidence)
	}
}

// ownerOf is the effective uid of a process, -1 where there is none.
func ownerOf(pid int) int {
	var s unix.Stat_t
	if unix.Stat(fmt.Sprintf("/proc/%d", pid), &s) != nil {
		return -1
	}
	return int(s.Uid)
}

// worldReadable is a directory that others may enter.
func worldReadable(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sigtrace-posing-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func copyOf(t *testing.T, program, to string, owner int) string {
	t.Helper()
	b, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	_ = os.Remove(to) // another owner's
	if err := os.WriteFile(to, b, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(to, owner, owner); err != nil {
		t.Fatal(err)
	}
	return to
}

// What a debugger has a process do is the debugger's.
func TestSenderUnderADebugger(t *testing.T) {
	need(t, "gdb")
	victim, puppet := exec.Command("sleep", "1000"), exec.Command("sleep", "1000")
	for _, c := range []*exec.Cmd{victim, puppet} {
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	}
	w := watch(t)
	// It has been seen before, without a tracer.
	if err := puppet.Process.Signal(unix.SIGCONT); err != nil {
		t.Fatal(err)
	}
	gdb := exec.Command("gdb", "-nx", "-batch", "-p", fmt.Sprint(puppet.Process.Pid), "-ex", fmt.Sprintf("call (int)kill(%d, 9)", victim.Process.Pid))
	if out, err := gdb.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	_ = victim.Wait()
	d := w.deathOf(t, victim.Process.Pid)
	d.expect(t, "foreign_process", "*", gdb.Process.Pid)
	if d.Confidence != "likely" {
		t.Errorf("%s: which of them it was has not been seen", d.Confidence)
	}
	if len(d.Chain) != 2 || pidOf(d.Chain[1].Process) != puppet.Process.Pid {
		t.Errorf("the chain lacks the sender: %+v", d.Chain)
	}
}
