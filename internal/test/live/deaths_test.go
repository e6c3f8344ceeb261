// SPDX-License-Identifier: Apache-2.0

package live

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
)

// death is what the contract says of a victim's end: the cause, and whose
// deed it was, by role. An empty cause: no death is reported.
type death struct{ cause, actor string }

// deaths gives the truth of each scenario's end; those that are not listed are
// a foreign process's, the killer's.
func deaths() map[string]death {
	kernel := func(cause string) death { return death{cause, ""} }
	return map[string]death{
		"forged-segv":        {"self_signal", "victim"},
		"abort":              {"self_signal", "victim"},
		"pidns-exit":         {"pid_namespace_teardown", "killer"}, // which killed the init
		"pid1-term":          kernel("exited"),
		"pid1-kill-inside":   kernel("exited"),
		"ptrace-inject 9":    {"debugger", "killer"},
		"ptrace-inject 15":   {"debugger", "killer"},
		"ptrace-kill":        {"debugger", "killer"},
		"ptrace-exitkill":    {"debugger", "killer"},
		"sigio 15":           {"async_io", "killer"},
		"sigio 9":            {"async_io", "killer"},
		"pdeathsig 9":        {"parent_death", "killer"},
		"pdeathsig 15":       {"parent_death", "killer"},
		"alarm":              kernel("timer"),
		"itimer":             kernel("timer"),
		"posix-timer":        kernel("timer"),
		"sigpipe":            kernel("broken_pipe"),
		"tty-ctrl-c":         kernel("terminal"),
		"tty-hangup":         {"terminal", "zoo"},
		"rlimit-cpu-soft":    kernel("resource_limit"),
		"rlimit-cpu-hard":    kernel("resource_limit"),
		"rlimit-fsize":       kernel("resource_limit"),
		"seccomp-process":    kernel("seccomp"),
		"seccomp-thread":     kernel("seccomp"),
		"seccomp-strict":     kernel("seccomp"),
		"fault-segv":         kernel("kernel_fault"),
		"fault-segv-thread":  kernel("kernel_fault"),
		"fault-bus":          kernel("kernel_fault"),
		"fault-fpe":          kernel("kernel_fault"),
		"fault-ill":          kernel("kernel_fault"),
		"fault-trap":         kernel("kernel_fault"),
		"usr1-success":       {}, // it may have been asked for something else
		"usr1-later":         {},
		"abort-outlived":     {},
		"alarm-exit":         kernel("timer"),
		"fault-abort":        kernel("kernel_fault"),
		"fault-faults-abort": kernel("kernel_fault"),
		"fault-exit":         kernel("kernel_fault"),
		"faults-exit":        {},
		"ignored":            {},
		"pending":            {},
		"usr1-handled":       {},
		"stop-cont":          {},
	}
}

// expected is the verdict on the victim of a scenario.
func expected(line string) death {
	if want, listed := deaths()[line]; listed {
		return want
	}
	return death{"foreign_process", "killer"}
}

// TestZoo lets every scenario happen while one sigtrace watches, and compares
// the signals and the verdict with the truth that the scenario prints.
// It prints the board: scenario, expected, got, and the total.
func TestZoo(t *testing.T) {
	flags := []string{"--type", "signal,oom,death", "--all"}
	if file := os.Getenv("ZOO_RECORD"); file != "" {
		flags = append(flags, "--record", file) // for the golden replays
	}
	w := watch(t, flags...)
	b := &board{}
	lines := scenarios()
	for _, line := range slices.Sorted(maps.Keys(lines)) {
		t.Run(strings.ReplaceAll(line, " ", "_"), func(t *testing.T) {
			said := zoo(t, strings.Fields(line)...)
			if said.Skipped != "" {
				skipScenario(t, said.Skipped)
			}
			want := expected(line)
			for _, pid := range said.victims() {
				for _, s := range lines[line] {
					w.expect(t, said, pid, s)
				}
				w.fatalOnce(t, said, pid)
				b.check(t, w, line, said, pid, want)
			}
		})
	}
	t.Run("cgroups", func(t *testing.T) {
		zooInCgroups(t, func(t *testing.T, line string, said truth, want death) { b.check(t, w, line, said, said.Victim, want) })
	})
	b.print(t)
	w.stop()
}

// zooInCgroups runs the scenarios that need a cgroup of their own.
func zooInCgroups(t *testing.T, check func(t *testing.T, line string, said truth, want death)) {
	const limit = 16 << 20
	for _, name := range []string{"oom", "oom-thread", "oom-child", "oom-other"} {
		t.Run(name, func(t *testing.T) {
			said := zoo(t, name, memoryCgroup(t, limit), fmt.Sprint(limit))
			check(t, name, said, death{"cgroup_oom", ""})
		})
	}
	for name, want := range map[string]death{
		"cgroup-kill":      {"foreign_process", "killer"},
		"cgroup-kill-self": {"self_signal", "victim"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := unifiedCgroup(t)
			if !exists(dir + "/cgroup.kill") {
				t.Skip("cgroup.kill came with 5.14")
			}
			said := zoo(t, name, dir)
			check(t, name, said, want)
		})
	}
}

// board collects what was expected and what came.
type board struct {
	rows  []string
	right int
	all   int
	// weaker verdicts are accepted in place of the best, where something that
	// they rest on is missing.
	weaker map[string]death
}

func (b *board) check(t *testing.T, w *watcher, line string, said truth, victim int, want death) {
	t.Helper()
	if weaker, listed := b.weaker[line]; listed {
		want = weaker
	}
	expected := want.text(said.role(want.actor))
	got := w.verdictOn(t, victim, want.cause != "")
	ok := got == expected
	b.all++
	mark := "right"
	switch {
	case ok:
		b.right++
	case busy() && got == "unknown":
		mark = "unknown" // allowed where the machine has no time; wrong is not
	default:
		mark = "WRONG"
		t.Errorf("%s: expected %s, got %s", line, expected, got)
		w.dump(t, victim)
	}
	b.rows = append(b.rows, fmt.Sprintf("%s\t%s\t%s\t%s", line, expected, got, mark))
}

// busy: make zoo-busy keeps all cores busy meanwhile.
func busy() bool { return os.Getenv("ZOO_BUSY") != "" }

func (d death) text(actor int) string {
	if d.cause == "" {
		return "no death"
	}
	if actor == 0 {
		return d.cause
	}
	return fmt.Sprintf("%s by %d", d.cause, actor)
}

// verdictOn is what sigtrace says of the end of a victim. Where no death is
// expected, a later one is waited for: whatever came before it has been reported then.
func (w *watcher) verdictOn(t *testing.T, victim int, expected bool) string {
	t.Helper()
	of := func(e event) bool {
		return e.Type == "death" && e.Process != nil && e.Process.PID == victim && !e.routine()
	}
	if expected {
		if !inTime(func() bool { return len(w.find(of)) > 0 }) {
			w.dump(t, victim)
		}
	} else {
		w.settle(t)
	}
	deaths := w.find(of)
	switch len(deaths) {
	case 0:
		return "no death"
	case 1:
		return death{cause: deaths[0].Cause}.text(pidOf(deaths[0].Actor))
	}
	return fmt.Sprintf("%d deaths", len(deaths))
}

// routine is an end that only --all prints: nothing but an exit code, of a
// process that is no init.
func (e event) routine() bool {
	return e.Cause == "exited" && (e.Process.NSPID != 1 || e.Process.NSPID == e.Process.PID)
}

func (w *watcher) dump(t *testing.T, pid int) {
	t.Helper()
	for _, e := range w.find(func(e event) bool {
		return pidOf(e.Target) == pid || pidOf(e.Process) == pid || e.Victim != nil && e.Victim.PID == pid
	}) {
		t.Logf("  %s %s %s", e.Type, e, e.Summary)
	}
}

func (b *board) print(t *testing.T) {
	var out bytes.Buffer
	tw := tabwriter.NewWriter(&out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(tw, "SCENARIO\tEXPECTED\tGOT\t")
	for _, r := range b.rows {
		fmt.Fprintln(tw, r)
	}
	_ = tw.Flush()
	t.Logf("the zoo: %d of %d right\n%s", b.right, b.all, &out)
}
