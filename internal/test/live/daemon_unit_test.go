// SPDX-License-Identifier: Apache-2.0

package live

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// unitFiles is where a guest has the unit and its configuration.
const unitFiles = "/src/deploy/systemd"

// installUnit does what the head of the unit says.
func installUnit(t *testing.T) {
	t.Helper()
	for to, from := range map[string]string{
		"/usr/local/bin/sigtrace":              programs(t).sigtrace,
		"/etc/sigtrace/agent.yaml":             filepath.Join(unitFiles, "agent.yaml"),
		"/etc/systemd/system/sigtrace.service": filepath.Join(unitFiles, "sigtrace.service"),
	} {
		run(t, "install", "-D", "-m", "0755", from, to)
	}
	t.Cleanup(func() { _ = exec.Command("systemctl", "stop", "sigtrace").Run() })
	run(t, "systemctl", "daemon-reload")
}

func unitIs(t *testing.T, property string) string {
	t.Helper()
	return run(t, "systemctl", "show", "-p", property, "--value", "sigtrace")
}

// whyReports waits until sigtrace why explains a process's death.
func whyReports(t *testing.T, pid int, want string) {
	t.Helper()
	var out []byte
	reported := inTime(func() bool {
		out, _ = exec.Command("/usr/local/bin/sigtrace", "why", fmt.Sprint(pid)).CombinedOutput()
		return strings.Contains(string(out), want)
	})
	if !reported {
		t.Errorf("why %d does not say %q: %s\n%s", pid, want, out, run(t, "journalctl", "-u", "sigtrace", "--no-pager", "-n", "30"))
	}
}

// The unit as it is delivered, with all that it forbids: ready when it says so,
// a death reported in full, a reload, a clean end.
func TestDaemonUnit(t *testing.T) {
	inGuest(t)
	need(t, "systemctl")
	installUnit(t)
	run(t, "systemctl", "start", "sigtrace") // Type=notify: until it is ready
	whyReports(t, killOne(t), "foreign_process (proven)")
	hooks := hooksOf(t, "/var/log/sigtrace")
	for hook, state := range hooksOf(t, statusOutside(t)) {
		if hooks[hook] != state {
			t.Errorf("%s: %q in the unit, %q outside: it forbids too much", hook, hooks[hook], state)
		}
	}
	before := unitIs(t, "MainPID")
	run(t, "systemctl", "reload", "sigtrace")
	whyReports(t, killOne(t), "foreign_process (proven)")
	if after := unitIs(t, "MainPID"); after != before {
		t.Errorf("pid %s, %s after the reload", before, after)
	}
	if mode := fileMode(t, "/var/log/sigtrace"); mode != 0o700 {
		t.Errorf("the log directory has mode %o", mode)
	}
	run(t, "systemctl", "stop", "sigtrace")
	if result := unitIs(t, "Result"); result != "success" {
		t.Errorf("its end was no success but %s", result)
	}
}

// With pins, what dies while the unit is stopped is reported once it is back.
func TestDaemonUnitPins(t *testing.T) {
	inGuest(t)
	need(t, "systemctl")
	installUnit(t)
	if err := os.WriteFile("/etc/default/sigtrace", []byte("SIGTRACE_PIN=true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = os.Remove("/etc/default/sigtrace")
		_ = exec.Command("systemctl", "stop", "sigtrace").Run()
		run(t, "/usr/local/bin/sigtrace", "agent", "--unpin")
	})
	run(t, "systemctl", "start", "sigtrace")
	run(t, "systemctl", "stop", "sigtrace")
	pid := killOne(t)
	run(t, "systemctl", "start", "sigtrace")
	whyReports(t, pid, "foreign_process")
}

// statusOutside is a log directory of an agent that nothing is forbidden.
func statusOutside(t *testing.T) string {
	t.Helper()
	n := newNode(t)
	n.startReady().stop(t)
	return n.logs
}

// hooksOf is what the first status event in a log directory says of the hooks.
func hooksOf(t *testing.T, logs string) map[string]string {
	t.Helper()
	n := &node{t: t, logs: logs}
	for _, e := range n.events() {
		if e.Type == "status" {
			return e.Hooks
		}
	}
	t.Fatalf("no status in %s", logs)
	return nil
}

func fileMode(t *testing.T, name string) os.FileMode {
	t.Helper()
	s, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	return s.Mode().Perm()
}
