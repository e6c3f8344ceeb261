// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// killFrom kills a process from a shell of its own, so that the killer is not
// the test itself, and returns the killer's pid.
func killFrom(t *testing.T, shell string, sig unix.Signal, pid int) int {
	t.Helper()
	c := exec.Command(shell, "-c", fmt.Sprintf("kill -%d %d; :", int(sig), pid))
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return c.Process.Pid
}

// deathOf waits for the one death of a process.
func (w *watcher) deathOf(t *testing.T, pid int) event {
	t.Helper()
	of := func(e event) bool { return e.Type == "death" && pidOf(e.Process) == pid }
	eventually(t, fmt.Sprintf("the death of %d", pid), func() bool { return len(w.find(of)) > 0 })
	return w.find(of)[0]
}

func (e event) expect(t *testing.T, cause, relation string, actor int) {
	t.Helper()
	if e.Cause != cause || relation != "*" && e.Relation != relation || actor != 0 && pidOf(e.Actor) != actor {
		t.Errorf("expected %s, %s, by %d; got %s, %s, by %d: %s", cause, relation, actor, e.Cause, e.Relation, pidOf(e.Actor), e.Summary)
		for i, h := range e.Chain {
			t.Logf("  chain %d: %d %s", i, pidOf(h.Process), h.What)
		}
		if e.Actor != nil {
			t.Logf("  actor: exe %s args %q", e.Actor.Exe, e.Actor.Args)
			for _, a := range e.Actor.Ancestors {
				t.Logf("    from %d %s exe %s cgroup %s dead %v", a.PID, a.Comm, a.Exe, a.Cgroup, a.Dead)
			}
		}
	}
	if e.Confidence == "" || e.Summary == "" {
		t.Errorf("a death without confidence or summary: %+v", e)
	}
}

func TestContainerKilledFromOutside(t *testing.T) {
	c := runCtr(t, nil, "/bin/sleep", "1000")
	w := watch(t)
	killer := killFrom(t, "sh", unix.SIGKILL, c.pid)
	d := w.deathOf(t, c.pid)
	d.expect(t, "foreign_process", "host", killer)
	if d.Process.Container == nil || d.Process.Container.ID != c.name || d.Process.Container.Init == nil || !*d.Process.Container.Init {
		t.Errorf("container not named: %+v", d.Process.Container)
	}
	if d.ContainerSurvives == nil || *d.ContainerSurvives {
		t.Error("a container does not survive its init")
	}
	if !strings.Contains(d.Summary, "ontainer "+c.name) || !strings.Contains(d.Summary, "on the host") {
		t.Errorf("summary: %s", d.Summary)
	}
}

func TestContainerStoppedByRuntime(t *testing.T) {
	for _, sig := range []string{"TERM", "KILL"} {
		t.Run(sig, func(t *testing.T) {
			c := runCtr(t, nil, "/bin/sh", "-c", "trap 'exit 3' TERM; while :; do sleep 0.1; done")
			w := watch(t, "--container-id", c.name)
			c.exec("/bin/true") // init has set its trap before the runtime execs anything
			run(t, "ctr", "-n", ctrNamespace, "tasks", "kill", "-s", sig, c.name)
			d := w.deathOf(t, c.pid)
			d.expect(t, "runtime_stop", "*", 0)
			if d.Actor == nil || filepath.Base(d.Actor.Exe) != "runc" {
				t.Errorf("actor: %+v", d.Actor)
			}
		})
	}
}

func TestExecSessionKills(t *testing.T) {
	c := runCtr(t, nil, "/bin/sh", "-c", "sleep 1000 & wait; sleep 1000")
	victim := c.child("sleep")
	w := watch(t, "--container-id", c.name)
	c.exec("/bin/sh", "-c", fmt.Sprintf("kill -9 %d; :", nsPID(t, victim)))
	d := w.deathOf(t, victim)
	d.expect(t, "exec_session", "*", 0)
	if d.ContainerSurvives == nil || !*d.ContainerSurvives {
		t.Error("the container survives its init's child")
	}
}

// nsPID is a process's pid in its innermost PID namespace.
func nsPID(t *testing.T, pid int) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "NSpid:" {
			n, err := strconv.Atoi(f[len(f)-1])
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatal("no NSpid")
	return 0
}

// A process of the container that has another name than its own is no runtime.
func TestSameContainerKills(t *testing.T) {
	script := `tail -f /dev/null & p=$!; echo runc > /proc/self/comm; while [ ! -e /tmp/go ]; do sleep 0.1; done; kill -9 $p; sleep 1000`
	c := runCtr(t, nil, "/bin/sh", "-c", script)
	victim := c.child("tail") // sleep is what it waits with
	w := watch(t, "--container-id", c.name)
	c.exec("/bin/sh", "-c", "echo > /tmp/go")
	w.deathOf(t, victim).expect(t, "same_container", "parent", c.pid)
}

// Named like a runtime, and even installed as one, it is none.
func TestImpostorsAreForeign(t *testing.T) {
	dir := t.TempDir()
	busybox, err := os.ReadFile("/bin/busybox")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"runc", "containerd-shim", "kubelet"} {
		t.Run(name, func(t *testing.T) {
			c := runCtr(t, nil, "/bin/sleep", "1000")
			w := watch(t)
			impostor := filepath.Join(dir, name)
			if err := os.WriteFile(impostor, busybox, 0o755); err != nil {
				t.Fatal(err)
			}
			cmd := &exec.Cmd{Path: impostor, Args: []string{"sh", "-c", fmt.Sprintf("kill -9 %d; :", c.pid)}}
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v %s", err, out)
			}
			w.deathOf(t, c.pid).expect(t, "foreign_process", "host", cmd.Process.Pid)
		})
	}
}

func TestShimKilled(t *testing.T) {
	c := runCtr(t, nil, "/bin/sleep", "1000")
	shim := parentOf(t, c.pid)
	w := watch(t, "--container-id", c.name)
	killer := killFrom(t, "sh", unix.SIGKILL, shim)
	d := w.deathOf(t, c.pid)
	d.expect(t, "runtime_cleanup", "*", killer)
	if len(d.Chain) == 0 {
		t.Error("no chain that leads to the shim's killer")
	}
	if n := len(w.find(func(e event) bool { return e.Type == "signal" && pidOf(e.Target) == shim })); n > 0 {
		t.Error("the shim's signals are used, and not shown")
	}
}

// Only one of two containers is watched.
func TestOtherContainerIsNotShown(t *testing.T) {
	watched, other := runCtr(t, nil, "/bin/sleep", "1000"), runCtr(t, nil, "/bin/sleep", "1000")
	w := watch(t, "--container-id", watched.name)
	killFrom(t, "sh", unix.SIGKILL, other.pid)
	killFrom(t, "sh", unix.SIGKILL, watched.pid)
	w.deathOf(t, watched.pid)
	if hits := w.find(func(e event) bool { return pidOf(e.Target) == other.pid || pidOf(e.Process) == other.pid }); len(hits) > 0 {
		t.Errorf("the other container shows: %v", hits)
	}
}

func TestContainerOverItsLimit(t *testing.T) {
	const limit = 24 << 20
	flags := []string{"--memory-limit", strconv.Itoa(limit)}
	hog := "dd if=/dev/zero of=/dev/null bs=200M count=1"
	t.Run("init", func(t *testing.T) {
		c := runCtr(t, flags, "/bin/sh", "-c", "while [ ! -e /tmp/go ]; do sleep 0.1; done; exec "+hog)
		w := watch(t, "--container-id", c.name)
		c.exec("/bin/sh", "-c", "echo > /tmp/go")
		d := w.deathOf(t, c.pid)
		d.expectOOM(t, limit, false)
	})
	t.Run("child", func(t *testing.T) {
		c := runCtr(t, flags, "/bin/sh", "-c", "while [ ! -e /tmp/go ]; do sleep 0.1; done; "+hog+"; sleep 1000")
		w := watch(t, "--container-id", c.name)
		c.exec("/bin/sh", "-c", "echo > /tmp/go")
		of := func(e event) bool { return e.Type == "death" && e.Cause == "cgroup_oom" }
		eventually(t, "the child's death", func() bool { return len(w.find(of)) > 0 })
		d := w.find(of)[0]
		d.expectOOM(t, limit, true)
		if d.Process.PID == c.pid {
			t.Error("the init was killed, not its child")
		}
	})
}

func (e event) expectOOM(t *testing.T, limit int64, survives bool) {
	t.Helper()
	e.expect(t, "cgroup_oom", "*", 0)
	if e.OOM == nil || e.OOM.LimitBytes == nil || *e.OOM.LimitBytes != limit || e.OOM.Scope != "cgroup" || e.OOM.LimitCgroup == "" {
		t.Errorf("limit: %+v", e.OOM)
	}
	if e.ContainerSurvives == nil || *e.ContainerSurvives != survives {
		t.Errorf("container survives: %v, want %v", e.ContainerSurvives, survives)
	}
}

// A pod's limit that is far too small, as 1024m is in Kubernetes: what dies is
// the runtime's own process, before there is a container.
func TestTinyLimitKillsTheRuntime(t *testing.T) {
	containerd(t)
	root, _ := memoryRoot(t)
	pod := memoryCgroup(t, 1<<20)
	w := watch(t)
	c := &ctr{t: t, name: fmt.Sprintf("t%d-%d", os.Getpid(), nextNumber())}
	t.Cleanup(c.remove)
	group := strings.TrimPrefix(pod, root) + "/" + c.name
	out, err := exec.Command("ctr", "-n", ctrNamespace, "run", "-d", "--snapshotter", "native", "--cgroup", group, imageName, c.name, "/bin/sleep", "1000").CombinedOutput()
	if err == nil {
		t.Fatal("the container runs with 1 MiB for its pod")
	}
	of := func(e event) bool {
		return e.Type == "death" && e.Cause == "cgroup_oom" && e.OOM != nil && strings.HasSuffix(pod, e.OOM.LimitCgroup)
	}
	eventually(t, fmt.Sprintf("an OOM kill by the tiny limit (%s)", out), func() bool { return len(w.find(of)) > 0 })
	// runc up to 1.1 runs a sealed copy of itself (CVE-2019-5736), whose comm is the
	// number of a descriptor.
	d := w.find(of)[0]
	if args := d.Process.Args; !strings.HasPrefix(d.Process.Comm, "runc") && (len(args) == 0 || filepath.Base(args[0]) != "runc") {
		t.Errorf("the victim is %s: %q", d.Process.Comm, args)
	}
}

// Another agent's BPF program kills: nobody has sent it.
func TestBPFProgramKills(t *testing.T) {
	need(t, "bpftrace")
	tracefs(t)
	victim := exec.Command("sh", "-c", "while :; do sleep 0.05; done")
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = victim.Process.Kill(); _ = victim.Wait() })
	w := watch(t)
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	agent := exec.CommandContext(ctx, "bpftrace", "--unsafe", "-e",
		fmt.Sprintf(`tracepoint:raw_syscalls:sys_enter /pid == %d/ { signal("KILL"); exit(); }`, victim.Process.Pid))
	if out, err := agent.CombinedOutput(); err != nil {
		t.Fatalf("bpftrace: %v: %s", err, out)
	}
	w.deathOf(t, victim.Process.Pid).expect(t, "bpf_program", "*", 0)
}
