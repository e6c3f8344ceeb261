// SPDX-License-Identifier: Apache-2.0

package live

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// inContainer are the scenarios that a container's own rights allow, each with
// what it comes to where killer and victim are of one container. Those that
// make PID namespaces of their own, set login uids or need cgroups are not
// among them.
func inContainer() map[string]death {
	other := death{"same_container", "killer"}
	kernel := func(cause string) death { return death{cause, ""} }
	return map[string]death{
		"kill 9": other, "kill 15": other, "pidfd": other, "tgkill": other, "sigqueue-forged-pid": other,
		"sigqueue-forged-timer": other, "killpg": other, "killer-exits": other, "odd-comm": other,
		"named-killer runc": other, "killer-thread": other, "reraise": other, "handled": other,
		"sigio 15": {"async_io", "killer"}, "pdeathsig 9": {"parent_death", "killer"},
		"ptrace-inject 9": {"debugger", "killer"},
		"abort":           {"self_signal", "victim"}, "forged-segv": {"self_signal", "victim"},
		"alarm": kernel("timer"), "posix-timer": kernel("timer"), "sigpipe": kernel("broken_pipe"),
		"rlimit-cpu-hard": kernel("resource_limit"), "seccomp-process": kernel("seccomp"),
		"fault-segv": kernel("kernel_fault"), "fault-fpe": kernel("kernel_fault"),
	}
}

// TestZooInContainer is the zoo again, run by a container's init: the same
// deeds are now those of a process of the same container.
func TestZooInContainer(t *testing.T) {
	lines := make([]string, 0, len(inContainer()))
	for line := range inContainer() {
		lines = append(lines, line)
	}
	slices.Sort(lines)
	script := "while [ ! -e /tmp/go ]; do sleep 0.1; done\n"
	for i, line := range lines {
		script += fmt.Sprintf("zoo %s >/tmp/%d 2>&1\n", line, i)
	}
	c := runCtr(t, nil, "/bin/sh", "-c", script+"echo >/tmp/done; sleep 1000")
	flags := []string{"--all", "--type", "signal,oom,death", "--container-id", c.name}
	w := watch(t, flags...)
	c.exec("/bin/sh", "-c", "echo >/tmp/go")
	eventually(t, "the zoo in the container is through", func() bool {
		return strings.Contains(c.exec("/bin/sh", "-c", "echo /tmp/*"), "/tmp/done")
	})
	b := &board{}
	for i, line := range lines {
		t.Run(strings.ReplaceAll(line, " ", "_"), func(t *testing.T) {
			var inside truth
			out := c.exec("/bin/cat", fmt.Sprintf("/tmp/%d", i))
			if err := json.Unmarshal([]byte(out), &inside); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			said := w.outside(t, inside)
			for _, pid := range said.victims() {
				b.check(t, w, line+" (in a container)", said, pid, inContainer()[line])
			}
		})
	}
	b.print(t)
	w.stop()
}

// outside gives the pids of a scenario as the host sees them.
func (w *watcher) outside(t *testing.T, said truth) truth {
	t.Helper()
	said.Victim = w.hostPID(t, said.Victim)
	for i, v := range said.Victims {
		said.Victims[i] = w.hostPID(t, v)
	}
	if said.Killer != 0 {
		said.Killer = w.hostPID(t, said.Killer)
	}
	return said
}

// hostPID looks a pid of the container's namespace up in the events: within
// one run, the namespace uses no pid twice.
func (w *watcher) hostPID(t *testing.T, inside int) int {
	t.Helper()
	found := 0
	eventually(t, fmt.Sprintf("pid %d of the container is in an event", inside), func() bool {
		w.find(func(e event) bool {
			for _, p := range []*process{e.Target, e.Sender, e.Trigger, e.Process, e.Actor} {
				if p != nil && p.NSPID == inside && p.PID != inside {
					found = p.PID
				}
			}
			return false
		})
		return found != 0
	})
	return found
}

// Another container that shares the PID namespace can see and kill, and is not
// the same container for all that.
func TestSharedPIDNamespace(t *testing.T) {
	name, victim := runDocker(t, nil, "/bin/sh", "-c", "sleep 1000 & wait; sleep 1000")
	child := 0
	eventually(t, "the child runs", func() bool {
		for _, p := range childrenOf(victim) {
			child = p
		}
		return child != 0
	})
	w := watchNamed(t)
	_, killer := runDocker(t, []string{"--pid=container:" + name}, "/bin/sh", "-c", fmt.Sprintf("sleep 0.5; kill -9 %d; sleep 1000", nsPID(t, child)))
	d := w.deathOf(t, child)
	d.expect(t, "foreign_process", "other_container", killer)
	if d.Actor == nil || d.Actor.Container == nil || d.Process.Container == nil || d.Actor.Container.ID == d.Process.Container.ID {
		t.Errorf("the killer's container and the victim's do not differ: %+v", d.Actor)
	}
	if !strings.Contains(d.Summary, " in container ") {
		t.Errorf("the summary names the killer's container: %s", d.Summary)
	}
}

// A pod whose containers share one PID namespace: the sidecar is the killer,
// and a neighbour in the pod.
func TestSidecarKills(t *testing.T) {
	p := newPods(t)
	sandbox, config := p.sharedSandbox("web-3")
	_, victim := p.container(sandbox, config, "app", 0, "/bin/sleep", "1000")
	w := watchNamed(t, "--pod", "shop/web-3")
	_, killer := p.container(sandbox, config, "sidecar", 0, "/bin/sh", "-c", fmt.Sprintf("sleep 1; kill -9 %d; sleep 1000", nsPID(t, victim)))
	d := w.deathOf(t, victim)
	d.expect(t, "foreign_process", "same_pod", killer)
	if d.Actor == nil || d.Actor.Container == nil || d.Actor.Container.Name != "sidecar" {
		t.Errorf("the actor is the sidecar's: %+v", d.Actor)
	}
	if !strings.HasPrefix(d.Summary, "Container app of shop/web-3") {
		t.Errorf("summary: %s", d.Summary)
	}
}

// A neighbour outside of the PID namespace, with the host's, kills.
func TestContainerWithTheHostsPIDsKills(t *testing.T) {
	victim := runCtr(t, nil, "/bin/sleep", "1000")
	w := watchNamed(t)
	_, killer := runDocker(t, []string{"--pid=host"}, "/bin/sh", "-c", fmt.Sprintf("sleep 0.5; kill -9 %d; sleep 1000", victim.pid))
	w.deathOf(t, victim.pid).expect(t, "foreign_process", "other_container", killer)
	_ = unix.Kill(killer, unix.SIGKILL) // its sleep would outlive the test's patience
}
