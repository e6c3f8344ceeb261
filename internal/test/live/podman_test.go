// SPDX-License-Identifier: Apache-2.0

package live

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const podmanImage = "localhost/sigtrace-test:latest"

// podmanWith is podman with one of the OCI runtimes. Its storage is vfs, which
// needs no module: names are read from the overlay driver's files only.
type podmanWith struct {
	t       *testing.T
	runtime string
}

func (p podmanWith) args(args ...string) []string {
	return append([]string{"--storage-driver", "vfs", "--events-backend", "none", "--runtime", "/usr/bin/" + p.runtime}, args...)
}

func (p podmanWith) do(args ...string) string {
	p.t.Helper()
	return run(p.t, "podman", p.args(args...)...)
}

// run starts a container and returns its name and its init's pid.
func (p podmanWith) run(flags []string, command ...string) (name string, pid int) {
	p.t.Helper()
	if exec.Command("podman", p.args("image", "exists", podmanImage)...).Run() != nil {
		layer := filepath.Join(p.t.TempDir(), "layer.tar")
		if err := os.WriteFile(layer, testLayer(p.t), 0o600); err != nil {
			p.t.Fatal(err)
		}
		p.do("import", layer, podmanImage)
	}
	name = fmt.Sprintf("p%d", nextNumber())
	args := append([]string{"run", "-d", "--network", "none", "--log-driver", "k8s-file", "--name", name}, flags...)
	p.do(append(append(args, podmanImage), command...)...)
	p.t.Cleanup(func() { _ = exec.Command("podman", p.args("rm", "-f", "-t", "0", name)...).Run() })
	pid, err := strconv.Atoi(p.do("inspect", "-f", "{{.State.Pid}}", name))
	if err != nil {
		p.t.Fatal(err)
	}
	return name, pid
}

// Podman's containers, whose monitor is conmon, with each runtime.
func TestDaemonPodman(t *testing.T) {
	inGuest(t)
	for _, runtime := range []string{"runc", "crun"} {
		t.Run(runtime, func(t *testing.T) {
			need(t, "podman", "conmon", runtime)
			t.Run("kill", func(t *testing.T) { podmanWith{t, runtime}.kill() })
			t.Run("stop", func(t *testing.T) { podmanWith{t, runtime}.stop() })
			t.Run("foreign", func(t *testing.T) { podmanWith{t, runtime}.foreign() })
			t.Run("exec", func(t *testing.T) { podmanWith{t, runtime}.exec() })
			t.Run("memory", func(t *testing.T) { podmanWith{t, runtime}.memory() })
		})
	}
}

func (p podmanWith) kill() {
	name, pid := p.run(nil, "/bin/sleep", "1000")
	w := watchNamed(p.t)
	p.do("kill", name)
	w.deathOf(p.t, pid).expect(p.t, "runtime_stop", "*", 0)
}

func (p podmanWith) stop() {
	name, pid := p.run(nil, "/bin/sh", "-c", "trap '' TERM; exec sleep 1000")
	w := watchNamed(p.t)
	eventually(p.t, "SIGTERM is ignored", func() bool { return ignores(pid, unix.SIGTERM) })
	p.do("stop", "-t", "1", name)
	d := w.deathOf(p.t, pid)
	d.expect(p.t, "runtime_stop", "*", 0)
	if n := len(d.Signals); n < 2 || d.Signals[0].Signal != "SIGTERM" || d.Signals[0].Result != "ignored" || d.Signals[n-1].Signal != "SIGKILL" {
		p.t.Errorf("the story: %+v", d.Signals)
	}
}

func (p podmanWith) foreign() {
	name, pid := p.run(nil, "/bin/sleep", "1000")
	id := p.do("inspect", "-f", "{{.Id}}", name)
	w := watchNamed(p.t)
	time.Sleep(3 * time.Second) // being ready does not wait for the names of older cgroups
	killer := killFrom(p.t, "sh", unix.SIGKILL, pid)
	d := w.deathOf(p.t, pid)
	d.expect(p.t, "foreign_process", "host", killer)
	if c := d.Process.Container; c == nil || c.ID != id || c.Runtime != "podman" || c.Init == nil || !*c.Init {
		p.t.Errorf("container %+v, want %s", c, id)
	}
}

func (p podmanWith) exec() {
	name, pid := p.run(nil, "/bin/sh", "-c", "sleep 1000 & wait; sleep 1000")
	var victim int
	eventually(p.t, "the child runs", func() bool {
		for _, child := range childrenOf(pid) {
			victim = child
		}
		return victim != 0
	})
	w := watchNamed(p.t)
	p.do("exec", name, "/bin/sh", "-c", fmt.Sprintf("kill -9 %d; :", nsPID(p.t, victim)))
	w.deathOf(p.t, victim).expect(p.t, "exec_session", "*", 0)
}

func (p podmanWith) memory() {
	const limit = 24 << 20
	name, pid := p.run([]string{"--memory", strconv.Itoa(limit), "--memory-swap", strconv.Itoa(limit)}, "/bin/sh", "-c",
		"while [ ! -e /tmp/go ]; do sleep 0.1; done; exec dd if=/dev/zero of=/dev/null bs=200M count=1")
	w := watchNamed(p.t)
	p.do("exec", name, "/bin/sh", "-c", "echo > /tmp/go")
	w.deathOf(p.t, pid).expectOOM(p.t, limit, false)
}

// The node is out of memory, and the victim is a container's.
func TestDaemonSystemOOMOfAContainer(t *testing.T) {
	inGuest(t)
	need(t, "podman", "conmon", "crun")
	p := podmanWith{t, "crun"}
	name, pid := p.run([]string{"--oom-score-adj", "1000"}, "/bin/sh", "-c",
		"while [ ! -e /tmp/go ]; do sleep 0.1; done; exec dd if=/dev/zero of=/dev/null bs=1900M count=1")
	w := watchNamed(t)
	decoy(t)
	decoy(t)
	hogAt(t, 1200, 0) // not the first to be killed
	time.Sleep(5 * time.Second)
	p.do("exec", name, "/bin/sh", "-c", "echo > /tmp/go")
	d := w.deathOf(t, pid)
	d.expect(t, "system_oom", "*", 0)
	if d.OOM == nil || d.OOM.Scope != "system" {
		t.Errorf("scope: %+v", d.OOM)
	}
	if c := d.Process.Container; c == nil || c.Runtime != "podman" {
		t.Errorf("container %+v", c)
	}
}
