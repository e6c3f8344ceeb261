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

// The daemons that free memory and the runtimes of the guest's Debian, under a
// real systemd.

// service runs a command as a transient unit of systemd's and returns its pid.
func service(t *testing.T, unit string, properties []string, command ...string) int {
	t.Helper()
	args := []string{"--quiet", "--unit", unit}
	for _, p := range properties {
		args = append(args, "-p", p)
	}
	run(t, "systemd-run", append(append(args, "--"), command...)...)
	t.Cleanup(func() { _ = exec.Command("systemctl", "stop", unit).Run() })
	pid, err := strconv.Atoi(run(t, "systemctl", "show", "-p", "MainPID", "--value", unit))
	if err != nil || pid == 0 {
		t.Fatalf("%s runs as %d: %v", unit, pid, err)
	}
	return pid
}

// earlyoom that finds memory short at once kills the fattest.
func TestDaemonEarlyoom(t *testing.T) {
	inGuest(t)
	need(t, "earlyoom", "systemd-run")
	w := watch(t)
	fattest := hogAt(t, 64, 1000)
	for range 3 { // if it is quicker than this test
		hogAt(t, 8, 900)
	}
	now := filepath.Join(t.TempDir(), "now")
	daemon := service(t, "earlyoom-test", nil, "/bin/sh", "-c", fmt.Sprintf("while [ ! -e %s ]; do sleep 0.05; done; exec /usr/bin/earlyoom -m 99,98", now))
	time.Sleep(time.Second) // the fattest is fat by then
	if err := os.WriteFile(now, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_ = fattest.Wait()
	_ = unix.Kill(daemon, unix.SIGKILL) // before it goes on to this test
	w.deathOf(t, fattest.Process.Pid).expect(t, "userspace_oom", "*", daemon)
}

// systemd-oomd kills a unit under memory pressure.
func TestDaemonSystemdOOMD(t *testing.T) {
	inGuest(t)
	need(t, "systemd-run")
	if !exists("/sys/fs/cgroup/cgroup.controllers") {
		t.Skip("systemd-oomd needs cgroup v2")
	}
	if !exists("/proc/pressure/memory") {
		t.Fatal("this kernel reports no pressure")
	}
	if err := os.MkdirAll("/etc/systemd/oomd.conf.d", 0o755); err != nil {
		t.Fatal(err)
	}
	config := "[OOM]\nDefaultMemoryPressureDurationSec=1s\n"
	if err := os.WriteFile("/etc/systemd/oomd.conf.d/test.conf", []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	run(t, "systemctl", "unmask", "systemd-oomd")
	run(t, "systemctl", "start", "systemd-oomd")
	t.Cleanup(func() {
		if t.Failed() {
			state, _ := exec.Command("oomctl").CombinedOutput()
			journal, _ := exec.Command("journalctl", "--no-pager", "-u", "systemd-oomd").CombinedOutput()
			t.Logf("%s\n%s", state, journal)
		}
		_ = exec.Command("systemctl", "stop", "systemd-oomd").Run()
	})
	daemon, err := strconv.Atoi(run(t, "systemctl", "show", "-p", "MainPID", "--value", "systemd-oomd"))
	if err != nil {
		t.Fatal(err)
	}
	w := watch(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	victim := service(t, "thrash", []string{
		"MemoryHigh=24M", "MemorySwapMax=0", "ManagedOOMMemoryPressure=kill", "ManagedOOMMemoryPressureLimit=1%",
		"Environment=TEST_GUEST=1", fmt.Sprintf(`Environment="TEST_HOG=%d %d"`, 512, 0),
	}, self, "-test.run", "^TestHogRole$")
	w.deathOf(t, victim).expect(t, "userspace_oom", "*", daemon)
}

// systemd stops a service, and kills what does not listen.
func TestDaemonServiceStopped(t *testing.T) {
	inGuest(t)
	need(t, "systemd-run")
	w := watch(t)
	pid := service(t, "deaf", []string{"TimeoutStopSec=1"}, "/bin/sh", "-c", `trap "" TERM; while :; do sleep 0.1; done`)
	eventually(t, "SIGTERM is ignored", func() bool { return ignores(pid, unix.SIGTERM) })
	run(t, "systemctl", "stop", "deaf")
	w.deathOf(t, pid).expect(t, "service_manager", "*", 1)
}
