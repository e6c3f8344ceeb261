// SPDX-License-Identifier: Apache-2.0

package live

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

const dockerImage = "sigtrace-test:latest"

// docker makes sure that an engine runs, beside the tests' containerd.
func docker(t *testing.T) {
	t.Helper()
	containerd(t)
	need(t, "dockerd", "docker")
	daemons.Lock()
	defer daemons.Unlock()
	if daemons.docker {
		return
	}
	up := func() bool { return exec.Command("docker", "version").Run() == nil }
	if !up() {
		start(t, "dockerd", "--iptables=false", "--ip6tables=false", "--bridge=none", "--containerd", containerdSocket)
		eventually(t, "docker answers", up)
	}
	c := exec.Command("docker", "import", "-", dockerImage)
	c.Stdin = strings.NewReader(string(testLayer(t)))
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("docker import: %v: %s", err, out)
	}
	daemons.docker = true
}

func runDocker(t *testing.T, flags []string, command ...string) (name string, pid int) {
	t.Helper()
	docker(t)
	name = fmt.Sprintf("t%d", nextNumber())
	args := append([]string{"run", "-d", "--net=none", "--name", name}, flags...)
	run(t, "docker", append(append(args, dockerImage), command...)...)
	t.Cleanup(func() { _ = exec.Command("docker", "rm", "-f", name).Run() })
	pid, err := strconv.Atoi(run(t, "docker", "inspect", "-f", "{{.State.Pid}}", name))
	if err != nil {
		t.Fatal(err)
	}
	return name, pid
}

// An application that ignores SIGTERM: one story, TERM, then KILL.
func TestDockerStop(t *testing.T) {
	name, pid := runDocker(t, nil, "/bin/sh", "-c", "trap '' TERM; exec sleep 1000")
	w := watchNamed(t)
	run(t, "docker", "exec", name, "/bin/true")
	run(t, "docker", "stop", "-t", "1", name)
	d := w.deathOf(t, pid)
	d.expect(t, "runtime_stop", "*", 0)
	if d.Process.Container == nil || d.Process.Container.Name != name {
		t.Errorf("container %+v, want the name %s", d.Process.Container, name)
	}
	if n := len(d.Signals); n < 2 || d.Signals[0].Signal != "SIGTERM" || d.Signals[0].Result != "ignored" || d.Signals[n-1].Signal != "SIGKILL" {
		t.Fatalf("the story: %+v", d.Signals)
	}
	if gap := d.Signals[len(d.Signals)-1].GapSeconds; gap == nil || *gap < 0.5 {
		t.Errorf("the gap between SIGTERM and SIGKILL: %v", gap)
	}
}

// docker run --stop-signal; another signal before it is none of the stop's.
func TestDockerStopSignal(t *testing.T) {
	name, pid := runDocker(t, []string{"--stop-signal", "USR1"}, "/bin/sh", "-c", "trap : USR2; trap 'exit 5' USR1; while :; do sleep 0.1; done")
	w := watchNamed(t)
	eventually(t, "SIGUSR1 is caught", func() bool { return catches(pid, unix.SIGUSR1) })
	run(t, "docker", "kill", "-s", "USR2", name)
	run(t, "docker", "stop", "-t", "20", name)
	d := w.deathOf(t, pid)
	d.expect(t, "runtime_stop", "*", 0)
	if d.Exit.Code != 5 || len(d.Signals) != 1 || d.Signals[0].Signal != "SIGUSR1" {
		t.Errorf("exit %d after %+v", d.Exit.Code, d.Signals)
	}
	if n := len(w.find(func(e event) bool { return e.Type == "signal" && e.Signal == "SIGUSR2" })); n > 0 {
		t.Error("a signal that is handled shows without --all")
	}
}

func TestDockerKill(t *testing.T) {
	name, pid := runDocker(t, nil, "/bin/sleep", "1000")
	w := watchNamed(t)
	run(t, "docker", "kill", name)
	w.deathOf(t, pid).expect(t, "runtime_stop", "*", 0)
}

// docker-init forwards the signal: the runtime began it.
func TestDockerInitForwards(t *testing.T) {
	if _, err := exec.LookPath("docker-init"); err != nil {
		t.Skip("this distribution's docker has no docker-init")
	}
	name, pid := runDocker(t, []string{"--init"}, "/bin/sleep", "1000")
	var app int
	eventually(t, "the application runs", func() bool {
		for _, p := range childrenOf(pid) {
			app = p
		}
		return app != 0
	})
	w := watchNamed(t)
	run(t, "docker", "stop", "-t", "5", name)
	d := w.deathOf(t, app)
	d.expect(t, "runtime_stop", "*", 0)
	if d.Actor == nil || filepath.Base(d.Actor.Exe) != "runc" || len(d.Chain) < 2 || pidOf(d.Chain[1].Process) != pid {
		t.Errorf("the chain leads from runc over docker-init(%d): %+v", pid, d.Chain)
	}
	w.deathOf(t, pid).expect(t, "runtime_stop", "*", 0)
}

func TestDockerExecKills(t *testing.T) {
	name, pid := runDocker(t, nil, "/bin/sh", "-c", "sleep 1000 & wait; sleep 1000")
	var victim int
	eventually(t, "the child runs", func() bool {
		for _, p := range childrenOf(pid) {
			victim = p
		}
		return victim != 0
	})
	w := watchNamed(t, "--pid", strconv.Itoa(victim))
	run(t, "docker", "exec", name, "/bin/sh", "-c", fmt.Sprintf("kill -TERM %d; :", nsPID(t, victim)))
	w.deathOf(t, victim).expect(t, "exec_session", "*", 0)
}
