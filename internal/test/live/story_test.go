// SPDX-License-Identifier: Apache-2.0

package live

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// shell runs a script until the test is over and waits for a line of it.
func shell(t *testing.T, name, script string) (pid int, said func() string) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out")
	file, err := os.Create(out)
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(name, "-c", script)
	c.Stdout, c.Stderr = file, file
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { _ = c.Wait(); close(done) }()
	t.Cleanup(func() {
		_ = c.Process.Kill()
		<-done
		file.Close()
	})
	return c.Process.Pid, func() string { b, _ := os.ReadFile(out); return string(b) }
}

func firstNumber(t *testing.T, said func() string) int {
	t.Helper()
	var n int
	eventually(t, "the script says a pid", func() bool {
		line, _, whole := strings.Cut(said(), "\n")
		var err error
		n, err = strconv.Atoi(strings.TrimSpace(line))
		return whole && err == nil
	})
	return n
}

// A shell that passes SIGTERM on to its child is a forwarder.
func TestShellForwards(t *testing.T) {
	w := watch(t)
	pid, said := shell(t, "sh", `sleep 1000 & p=$!; trap "kill -TERM $p; exit 0" TERM; echo $p; wait`)
	child := firstNumber(t, said)
	killer := killFrom(t, "sh", unix.SIGTERM, pid)
	d := w.deathOf(t, child)
	d.expect(t, "foreign_process", "*", killer)
	if len(d.Chain) != 2 || pidOf(d.Chain[0].Process) != killer || pidOf(d.Chain[1].Process) != pid {
		t.Errorf("the chain leads from %d over %d: %+v", killer, pid, d.Chain)
	}
	w.deathOf(t, pid).expect(t, "foreign_process", "*", killer)
}

func TestSupervisorsForward(t *testing.T) {
	for _, supervisor := range []string{"tini", "dumb-init"} {
		t.Run(supervisor, func(t *testing.T) {
			need(t, supervisor)
			w := watch(t)
			flags := map[string][]string{"tini": {"-s", "--"}, "dumb-init": {"--single-child"}}[supervisor]
			c := exec.Command(supervisor, append(flags, "sleep", "1000")...)
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			var app int
			eventually(t, "the application runs", func() bool {
				for _, p := range childrenOf(c.Process.Pid) {
					b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", p))
					if string(bytes.TrimSpace(b)) == "sleep" {
						app = p
					}
				}
				return app != 0
			})
			killer := killFrom(t, "sh", unix.SIGTERM, c.Process.Pid)
			_ = c.Wait()
			w.deathOf(t, app).expect(t, "foreign_process", "*", killer)
		})
	}
}

// timeout sends SIGTERM when its time is over: nobody asked it to just then.
func TestTimeout(t *testing.T) {
	if out, _ := exec.Command("timeout", "--version").CombinedOutput(); !bytes.Contains(out, []byte("coreutils")) {
		t.Skip("busybox's timeout is the child of what it times")
	}
	w := watch(t)
	c := exec.Command("timeout", "0.3", "sleep", "1000")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var child int
	eventually(t, "timeout has a child", func() bool {
		for _, p := range childrenOf(c.Process.Pid) {
			child = p
		}
		return child != 0
	})
	_ = c.Wait()
	w.deathOf(t, child).expect(t, "foreign_process", "parent", c.Process.Pid)
}

// SIGTERM, ignored, then SIGKILL: one story with its gap; and one that comes
// too late blames nobody.
func TestTermThenKill(t *testing.T) {
	w := watch(t)
	pid, said := shell(t, "sh", `trap "" TERM; echo $$; exec sleep 1000`)
	firstNumber(t, said)
	killFrom(t, "sh", unix.SIGTERM, pid)
	time.Sleep(300 * time.Millisecond)
	killer := killFrom(t, "sh", unix.SIGKILL, pid)
	d := w.deathOf(t, pid)
	d.expect(t, "foreign_process", "*", killer)
	if len(d.Signals) != 2 || d.Signals[0].Result != "ignored" || d.Signals[1].GapSeconds == nil || *d.Signals[1].GapSeconds < 0.2 {
		t.Errorf("the story: %+v", d.Signals)
	}
	if !strings.Contains(d.Summary, "It had ignored SIGTERM for") {
		t.Errorf("summary: %s", d.Summary)
	}
}

// A death has one record, and --cause chooses among them.
func TestCauseFilter(t *testing.T) {
	w := watch(t, "--type", "death", "--cause", "kernel_fault")
	killed := zoo(t, "kill", "9")
	fault := zoo(t, "fault-segv")
	w.deathOf(t, fault.Victim).expect(t, "kernel_fault", "", 0)
	if n := len(w.find(func(e event) bool { return e.Type == "death" && pidOf(e.Process) == killed.Victim })); n > 0 {
		t.Error("a death of another cause shows")
	}
	if n := len(w.find(func(e event) bool { return e.Type == "signal" })); n > 0 {
		t.Error("signals show although deaths alone were asked for")
	}
}

// A recording gives the same records when it is replayed, without privileges.
func TestReplayReportsTheSame(t *testing.T) {
	file := filepath.Join(t.TempDir(), "record.jsonl")
	w := watch(t, "--record", file)
	for _, line := range []string{"kill 9", "reraise", "fault-segv", "pidns-exit", "pdeathsig 15", "seccomp-strict"} {
		said := zoo(t, strings.Fields(line)...)
		for _, pid := range said.victims() {
			w.deathOf(t, pid)
		}
	}
	w.stop()
	out, err := exec.Command(programs(t).sigtrace, "replay", "-o", "json", file).Output()
	if err != nil {
		t.Fatal(err)
	}
	replayed := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		replayed[strings.TrimSpace(line)] = true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	deaths := 0
	for i, e := range w.events {
		if e.Type != "death" {
			continue
		}
		deaths++
		if !replayed[w.raw[i]] {
			t.Errorf("not in the replay: %s", w.raw[i])
		}
	}
	if deaths < 6 {
		t.Errorf("%d deaths recorded", deaths)
	}
}

// Two thousand processes that come and go flush nobody's lineage: a killer that
// daemonised itself before them is still traced back to where it came from.
func TestForkBombFlushesNothing(t *testing.T) {
	w := watch(t)
	said := zoo(t, "daemon") // the lineage works at all
	w.deathOf(t, said.Victim).expect(t, "foreign_process", "*", said.Killer)
	victim := exec.Command("sleep", "1000")
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = victim.Process.Kill(); _ = victim.Wait() })
	signal := filepath.Join(t.TempDir(), "now")
	middle := exec.Command("sh", "-c", fmt.Sprintf(`sh -c 'while [ ! -e %s ]; do sleep 0.05; done; kill -9 %d; :' &`, signal, victim.Process.Pid))
	if err := middle.Run(); err != nil {
		t.Fatal(err)
	}
	run(t, "sh", "-c", `i=0; while [ $i -lt 2000 ]; do (:) & i=$((i+1)); done; wait`)
	if err := os.WriteFile(signal, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	d := w.deathOf(t, victim.Process.Pid)
	d.expect(t, "foreign_process", "*", 0)
	if d.Actor == nil || len(d.Actor.Ancestors) < 2 {
		t.Fatalf("actor: %+v", d.Actor)
	}
	if parent := d.Actor.Ancestors[0]; parent.PID != middle.Process.Pid || !parent.Dead || d.Actor.Ancestors[1].PID != os.Getpid() {
		t.Errorf("the ancestry does not lead through %d, which has exited, to the test %d: %+v", middle.Process.Pid, os.Getpid(), parent)
	}
}
