// SPDX-License-Identifier: Apache-2.0

package live

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// inGuest skips what would do harm outside of a virtual machine.
func inGuest(t *testing.T) {
	t.Helper()
	if os.Getenv("TEST_GUEST") == "" {
		t.Skip("only in a guest (make test-vm)")
	}
}

// hog is this test binary in another role: it takes memory until it is killed,
// or so many MiB and then waits.
func hog(t *testing.T, mib int) *exec.Cmd {
	t.Helper()
	return hogAt(t, mib, 1000)
}

// decoy is there to be killed while another victim is being reaped.
func decoy(t *testing.T) { hogAt(t, 8, 500) }

func hogAt(t *testing.T, mib, adj int) *exec.Cmd {
	t.Helper()
	c := exec.Command(os.Args[0], "-test.run", "^TestHogRole$")
	c.Env = append(os.Environ(), fmt.Sprintf("TEST_HOG=%d %d", mib, adj))
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	return c
}

func TestHogRole(*testing.T) {
	role := os.Getenv("TEST_HOG")
	if role == "" || os.Getenv("TEST_GUEST") == "" {
		return
	}
	var mib, adj int
	_, _ = fmt.Sscan(role, &mib, &adj)
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte(fmt.Sprint(adj)), 0)
	var kept [][]byte
	for i := 0; mib == 0 || i < mib; i++ {
		b := make([]byte, 1<<20)
		for j := 0; j < len(b); j += 4096 {
			b[j] = 1
		}
		kept = append(kept, b)
	}
	time.Sleep(time.Hour)
	_ = kept
}

func TestGuestSystemOOM(t *testing.T) {
	inGuest(t)
	for _, without := range []string{"", "fentry,kprobe"} {
		t.Run("without "+without, func(t *testing.T) {
			w := watch(t, "--force-without", without)
			decoy(t)
			decoy(t)
			c := hog(t, 0)
			_ = c.Wait()
			d := w.deathOf(t, c.Process.Pid)
			d.expect(t, "system_oom", "*", 0)
			if d.OOM == nil || d.OOM.Scope != "system" {
				t.Errorf("scope: %+v", d.OOM)
			}
			of := func(e event) bool { return e.Type == "oom" && e.Victim != nil && e.Victim.PID == c.Process.Pid }
			eventually(t, "the OOM kill itself", func() bool { return len(w.find(of)) > 0 })
			if ooms := w.find(of); len(ooms) != 1 || len(ooms[0].FreePagesByOrder) < 10 {
				t.Errorf("its free pages by order: %+v", ooms)
			}
		})
	}
}

func TestGuestSysrqF(t *testing.T) {
	inGuest(t)
	w := watch(t)
	c := hog(t, 64)
	eventually(t, "it is fat, and adjusted to be the first", func() bool {
		adj, _ := os.ReadFile(fmt.Sprintf("/proc/%d/oom_score_adj", c.Process.Pid))
		statm, _ := os.ReadFile(fmt.Sprintf("/proc/%d/statm", c.Process.Pid))
		var size, resident int
		_, _ = fmt.Sscan(string(statm), &size, &resident)
		return string(adj) == "1000\n" && resident*os.Getpagesize() > 64<<20
	})
	write(t, "/proc/sysrq-trigger", "f")
	_ = c.Wait()
	d := w.deathOf(t, c.Process.Pid)
	d.expect(t, "system_oom", "*", 0)
	if d.OOM == nil || d.OOM.Scope != "sysrq" {
		t.Errorf("scope: %+v", d.OOM)
	}
}

// A page that the hardware has lost: the kernel forces SIGBUS on who touches it.
func TestGuestMemoryError(t *testing.T) {
	inGuest(t)
	if b, err := os.ReadFile("/proc/meminfo"); err != nil || !strings.Contains(string(b), "HardwareCorrupted") {
		t.Skip("this kernel is built without CONFIG_MEMORY_FAILURE")
	}
	w := watch(t)
	said := zoo(t, "broken-page")
	w.deathOf(t, said.Victim).expect(t, "hardware_error", "*", 0)
}

// memory.oom.group takes the whole cgroup: one record covers all of it.
func TestGuestOOMGroup(t *testing.T) {
	inGuest(t)
	root, v2 := memoryRoot(t)
	if !v2 {
		t.Skip("memory.oom.group is of cgroup v2")
	}
	_ = root
	dir := memoryCgroup(t, oomLimit)
	write(t, dir+"/memory.oom.group", "1")
	bystander := exec.Command("sleep", "1000")
	if err := bystander.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bystander.Process.Kill() })
	// The OOM killer spares those at -1000, as some runners are, in a group, too.
	write(t, fmt.Sprintf("/proc/%d/oom_score_adj", bystander.Process.Pid), "0")
	write(t, dir+"/cgroup.procs", fmt.Sprint(bystander.Process.Pid))
	w := watch(t)
	said := zoo(t, "oom", dir, fmt.Sprint(oomLimit))
	_ = bystander.Wait()
	d := w.deathOf(t, said.Victim)
	d.expectLimit(t, dir)
	if d.Collateral == nil || d.Collateral.Count != 1 || d.Collateral.PIDs[0] != bystander.Process.Pid {
		t.Errorf("the bystander %d is in the record: %+v", bystander.Process.Pid, d.Collateral)
	}
	if n := len(w.find(func(e event) bool { return e.Type == "death" && pidOf(e.Process) == bystander.Process.Pid })); n != 0 {
		t.Error("and has none of its own")
	}
}

// fewPIDs has each pid used again soon.
func fewPIDs(t *testing.T) {
	t.Helper()
	before, err := os.ReadFile("/proc/sys/kernel/pid_max")
	if err != nil {
		t.Fatal(err)
	}
	write(t, "/proc/sys/kernel/pid_max", "320")
	t.Cleanup(func() { write(t, "/proc/sys/kernel/pid_max", strings.TrimSpace(string(before))) })
}

// --pid means a process, not whoever has its pid afterwards.
func TestGuestPIDOfTheTargetReused(t *testing.T) {
	inGuest(t)
	fewPIDs(t)
	for range 5 { // a thread that stays may have taken the pid
		if pidReused(t) {
			return
		}
	}
	t.Fatal("no pid was used again")
}

// pidReused watches a process by its pid, and ends it and who has that pid next;
// false where that is nobody.
func pidReused(t *testing.T) bool {
	t.Helper()
	sleep := func() *exec.Cmd {
		c := exec.Command("sleep", "1000")
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		return c
	}
	end := func(c *exec.Cmd) {
		_ = c.Process.Kill()
		_ = c.Wait()
	}
	first := sleep()
	w := watch(t, "--pid", fmt.Sprint(first.Process.Pid))
	end(first)
	w.deathOf(t, first.Process.Pid)
	reused := false
	for n := 0; n < 700 && !reused; n++ {
		again := sleep()
		end(again)
		reused = again.Process.Pid == first.Process.Pid
	}
	w.stop()
	if n := len(w.find(func(e event) bool { return e.Type == "death" })); n != 1 {
		t.Errorf("%d deaths of one process", n)
	}
	return reused
}

// Up to 6.15 a process has no memory any more when its end is seen: what it had
// executed is reported nevertheless, though no event had named it before.
func TestGuestExits(t *testing.T) {
	inGuest(t)
	w := watch(t, "--all", "--type", "death")
	c := exec.Command("/bin/busybox", "sh", "-c", "exit 3")
	_ = c.Run()
	w.deathOf(t, c.Process.Pid).expectBusybox(t, "exit 3")
}

// The same of a container's init that is older than sigtrace.
func TestGuestOlderInitExits(t *testing.T) {
	inGuest(t)
	c := exec.Command("/bin/busybox", "sh", "-c", "read x; exit 3")
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	w := watch(t, "--type", "death")
	time.Sleep(2 * time.Second) // it looks at what is there beside the stream
	_ = in.Close()
	_ = c.Wait()
	w.deathOf(t, c.Process.Pid).expectBusybox(t, "read x; exit 3")
}

func (e event) expectBusybox(t *testing.T, script string) {
	t.Helper()
	e.expect(t, "exited", "*", 0)
	if p := e.Process; !strings.HasSuffix(p.Exe, "/busybox") || len(p.Args) != 4 || p.Args[3] != script {
		t.Errorf("exe %q, args %q", p.Exe, p.Args)
	}
}

// With few pids, each is used again within the window: no verdict is mixed up.
func TestGuestPIDReuse(t *testing.T) {
	inGuest(t)
	fewPIDs(t)
	w := watch(t, "--type", "death")
	seen := map[int]int{}
	for range 120 {
		said := zoo(t, "kill", "9")
		seen[said.Victim]++
		of := func(e event) bool { return e.Type == "death" && pidOf(e.Process) == said.Victim }
		eventually(t, "each death", func() bool { return len(w.find(of)) >= seen[said.Victim] })
		deaths := w.find(of)
		deaths[len(deaths)-1].expect(t, "foreign_process", "*", said.Killer)
	}
	again := 0
	for _, n := range seen {
		if n > 1 {
			again++
		}
	}
	if again == 0 {
		t.Error("no pid was used again")
	}
}
