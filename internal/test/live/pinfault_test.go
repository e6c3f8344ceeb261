// SPDX-License-Identifier: Apache-2.0

package live

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// withFaults builds an agent that breaks while it makes the records of processes
// with certain names (internal/verdict/planted.go): nothing from outside can hold
// an agent in the moment between its note of an attempt and the record.
func withFaults(t *testing.T) string {
	t.Helper()
	programs(t)
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("an agent with planted faults is built here, and there is no Go")
	}
	binary := filepath.Join(t.TempDir(), "sigtrace")
	if out, err := exec.Command("go", "build", "-tags", "planted", "-o", binary, "../../../cmd/sigtrace").CombinedOutput(); err != nil {
		t.Fatalf("build sigtrace: %v\n%s", err, out)
	}
	return binary
}

// slainAs kills a process of this name and returns its pid.
func slainAs(t *testing.T, name string) int {
	t.Helper()
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Fatal(err)
	}
	named := filepath.Join(t.TempDir(), name)
	program, err := os.ReadFile(sleep)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(named, program, 0o755); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(named, "600")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	_ = c.Process.Kill()
	_ = c.Wait()
	return c.Process.Pid
}

// ends waits until an agent has ended by what was planted in it.
func (a *pinAgent) ends(t *testing.T) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); _ = a.cmd.Wait() }()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("the agent lives on, whatever was planted in it")
	}
}

// livesOn fails where an agent that was ready has ended once it made the records of
// what was kept.
func (a *pinAgent) livesOn(t *testing.T) {
	t.Helper()
	time.Sleep(2 * time.Second)
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", a.cmd.Process.Pid))
	if err != nil || strings.Contains(string(stat), ") Z ") {
		_ = a.cmd.Wait()
		t.Fatalf("this agent has ended like the one before: %s", &a.stderr)
	}
}

// An agent that is killed while it makes the record of a kept death, or that
// overflows its stack there, makes it once more and in the plainest form; all other
// deaths are decided as ever.
func TestPinCrashingDeathIsReportedPlainly(t *testing.T) {
	binary := withFaults(t)
	for _, fault := range []string{"fault-kill", "fault-overflow"} {
		t.Run(fault, func(t *testing.T) {
			dir := bpffs(t)
			n := newNode(t, "--pin="+dir)
			n.binary = binary
			first := n.startReady()
			bad := slainAs(t, fault)
			first.ends(t)
			after := slain(t) // while no agent is there
			second := n.startReady()
			second.livesOn(t)
			later := slain(t)
			n.awaitDeaths([]int{bad, after, later})
			second.kill()
			third := n.startReady() // nor is it reported again
			last := slain(t)
			n.awaitDeaths([]int{last})
			third.stop(t)
			by := n.deaths()
			for _, pid := range []int{after, later, last} {
				if len(by[pid]) != 1 || by[pid][0].Cause != "foreign_process" {
					t.Errorf("%d: %d records, of which the first is %+v", pid, len(by[pid]), by[pid])
				}
			}
			if len(by[bad]) != 1 {
				t.Fatalf("%d records of the death that ended the agent", len(by[bad]))
			}
			d := by[bad][0]
			if d.Cause != "unknown" || d.Confidence != "unknown" || !d.says("while it made this record before") {
				t.Errorf("%s %s: %s", d.Cause, d.Confidence, d.Summary)
			}
			unpin(t, dir)
		})
	}
}

// A death that ends the agent in its plainest form too is released without a record:
// the third agent goes on.
func TestPinCrashingTwiceIsNoLoop(t *testing.T) {
	dir := bpffs(t)
	n := newNode(t, "--pin="+dir)
	n.binary = withFaults(t)
	first := n.startReady()
	bad := slainAs(t, "fault-again")
	first.ends(t)
	n.start().ends(t)
	third := n.startReady()
	third.livesOn(t)
	good := slain(t)
	n.awaitDeaths([]int{good})
	third.stop(t)
	n.startReady().stop(t)
	if len(n.deaths()[bad]) != 0 {
		t.Errorf("it has a record: %+v", n.deaths()[bad])
	}
	if !strings.Contains(third.stderr.String(), fmt.Sprintf("it is given up\" pid=%d", bad)) {
		t.Errorf("the log does not say so: %s", &third.stderr)
	}
	if !n.lost("record_failed") {
		t.Error("it is not counted as lost")
	}
	unpin(t, dir)
}

// A panic costs one record its cause: the agent goes on, counts it, and names it.
func TestAgentSurvivesPanics(t *testing.T) {
	n := newNode(t)
	n.binary = withFaults(t)
	address := freeAddress(t)
	a := n.startReady("--metrics-addr", address)
	if got := metric(t, address, "sigtrace_internal_errors_total"); got != "0.0" {
		t.Errorf("at the start it counts %q", got)
	}
	bad := slainAs(t, "fault-panic")
	good := slain(t)
	n.awaitDeaths([]int{bad, good})
	if got := metric(t, address, "sigtrace_internal_errors_total"); got != "1.0" {
		t.Errorf("it counts %q", got)
	}
	by := n.deaths()
	if d := by[bad][0]; d.Cause != "unknown" || !d.says("internal error") {
		t.Errorf("%s: %s", d.Cause, d.Summary)
	}
	if d := by[good][0]; d.Cause != "foreign_process" {
		t.Errorf("%s: %s", d.Cause, d.Summary)
	}
	var last int
	for range 9 {
		last = slainAs(t, "fault-panic")
	}
	done := make(chan error, 1)
	go func() { done <- a.cmd.Wait() }()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("ten panics within a minute do not end it")
	}
	if code := a.cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("exit code %d", code)
	}
	if text := a.stderr.String(); !strings.Contains(text, "10 internal errors within 1m0s, the last at death") || !strings.Contains(text, fmt.Sprintf("(pid %d,", last)) {
		t.Errorf("stderr: %s", text)
	}
	if len(n.deaths()[last]) != 1 {
		t.Error("the last has no record")
	}
}

func (e event) says(text string) bool {
	for _, seen := range e.Evidence {
		if strings.Contains(seen.Text, text) {
			return true
		}
	}
	return false
}

func (n *node) lost(reason string) bool {
	lines, _ := keptLines(n.t, n.logs)
	for _, k := range lines {
		if k.Type == "lost" && k.Reason == reason {
			return true
		}
	}
	return false
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// metric is the value of a series without labels; empty where there is none.
func metric(t *testing.T, address, name string) string {
	t.Helper()
	answer, err := http.Get("http://" + address + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(body)) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
