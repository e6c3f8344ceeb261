// SPDX-License-Identifier: Apache-2.0

package live

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"testing"

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
	victim := exec.Command("sleep", "1000")
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = victim.Process.Kill() })
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
