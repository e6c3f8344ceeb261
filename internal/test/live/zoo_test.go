// SPDX-License-Identifier: Apache-2.0

package live

import (
	"os"
	"runtime"
	"strings"
	"testing"
)

// want is one signal that the victim must be seen to get. from and trigger name
// the zoo's roles: killer, victim, zoo, init, "" for none, "*" for any.
type want struct {
	signal, via, result string
	fatal               string // true, false, absent or * for any
	from, trigger       string
	// maybe: there are kernels that generate none at all.
	maybe bool
}

func fatalBy(signal, via, from string) []want {
	return []want{{signal: signal, via: via, result: "delivered", fatal: "true", from: from}}
}

func handledBy(signal, via, from string) []want {
	return []want{{signal: signal, via: via, result: "delivered", fatal: "*", from: from}}
}

func kernelMade(signal, via, trigger string) []want {
	return []want{{signal: signal, via: via, result: "delivered", fatal: "true", trigger: trigger}}
}

func sometimes(wants []want) []want {
	for i := range wants {
		wants[i].maybe = true
	}
	return wants
}

// scenarios are the ways to die, each with what the contract says of it.
func scenarios() map[string][]want {
	return map[string][]want{
		"kill 15":               fatalBy("SIGTERM", "kill", "killer"),
		"kill 9":                fatalBy("SIGKILL", "kill", "killer"),
		"kill 11":               fatalBy("SIGSEGV", "kill", "killer"),
		"kill 6":                fatalBy("SIGABRT", "kill", "killer"),
		"pidfd":                 fatalBy("SIGTERM", "kill", "killer"),
		"kill32":                fatalBy("SIGTERM", "kill", "killer"),
		"tgkill":                fatalBy("SIGTERM", "tgkill", "killer"),
		"tkill":                 fatalBy("SIGTERM", "tgkill", "killer"),
		"sigqueue":              fatalBy("SIGTERM", "sigqueue", "killer"),
		"sigqueue-forged-pid":   fatalBy("SIGTERM", "sigqueue", "killer"),
		"sigqueue-forged-timer": fatalBy("SIGTERM", "sigqueue", "killer"),
		"forged-segv":           fatalBy("SIGSEGV", "sigqueue", "victim"),
		"killpg":                fatalBy("SIGTERM", "kill", "killer"),
		"kill-minus-one":        fatalBy("SIGTERM", "kill", "killer"),
		"pidns-exit":            kernelMade("SIGKILL", "pidns_exit", "init"),
		"pid1-term":             {{signal: "SIGTERM", via: "kill", result: "ignored", fatal: "false", from: "killer"}},
		"pid1-kill-inside":      {{signal: "SIGKILL", via: "kill", result: "ignored", fatal: "false", from: "killer"}},
		"pid1-kill-outside":     fatalBy("SIGKILL", "kill", "killer"),
		"ptrace-inject 9":       kernelMade("SIGKILL", "ptrace", "killer"),
		"ptrace-inject 15":      kernelMade("SIGTERM", "ptrace", "killer"),
		"ptrace-kill":           kernelMade("SIGKILL", "ptrace", "killer"),
		"ptrace-exitkill":       kernelMade("SIGKILL", "ptrace", "killer"),
		"sigio 15":              kernelMade("SIGTERM", "sigio", "killer"),
		"sigio 9":               kernelMade("SIGKILL", "sigio", "killer"),
		"pdeathsig 9":           kernelMade("SIGKILL", "pdeathsig", "killer"),
		"pdeathsig 15":          kernelMade("SIGTERM", "pdeathsig", "killer"),
		"alarm":                 kernelMade("SIGALRM", "timer", ""),
		"itimer":                kernelMade("SIGALRM", "timer", ""),
		"posix-timer":           kernelMade("SIGUSR2", "timer", ""),
		"sigpipe":               kernelMade("SIGPIPE", "pipe", ""),
		"tty-ctrl-c":            kernelMade("SIGINT", "tty", ""),
		"tty-hangup":            kernelMade("SIGHUP", "tty", "zoo"),
		"rlimit-cpu-soft":       kernelMade("SIGXCPU", "rlimit", ""),
		"rlimit-cpu-hard":       kernelMade("SIGKILL", "rlimit", ""),
		"rlimit-fsize":          kernelMade("SIGXFSZ", "rlimit", ""),
		// No signal is generated up to 5.15: the verdict has to do without.
		"seccomp-process":   sometimes(kernelMade("SIGSYS", "seccomp", "")),
		"seccomp-strict":    nil, // no signal is generated
		"seccomp-thread":    sometimes(kernelMade("SIGSYS", "seccomp", "")),
		"fault-segv":        kernelMade("SIGSEGV", "fault", ""),
		"fault-segv-thread": kernelMade("SIGSEGV", "fault", ""),
		"fault-bus":         kernelMade("SIGBUS", "fault", ""),
		"fault-fpe":         kernelMade("SIGFPE", "fault", ""),
		"fault-ill":         kernelMade("SIGILL", "fault", ""),
		"fault-trap":        kernelMade("SIGTRAP", "fault", ""),
		"abort":             fatalBy("SIGABRT", "tgkill", "victim"),
		"killer-exits":      fatalBy("SIGKILL", "kill", "killer"),
		"odd-args":          fatalBy("SIGTERM", "kill", "killer"),
		"odd-comm":          fatalBy("SIGTERM", "kill", "killer"),
		"named-killer runc": fatalBy("SIGTERM", "kill", "killer"),
		"killer-uid":        fatalBy("SIGTERM", "kill", "killer"),
		"ignored":           {{signal: "SIGTERM", via: "kill", result: "ignored", fatal: "false", from: "killer"}},
		"handled":           {{signal: "SIGTERM", via: "kill", result: "delivered", fatal: "false", from: "killer"}},
		"sigwait":           {{signal: "SIGTERM", via: "kill", result: "delivered", fatal: "absent", from: "killer"}},
		"blocked 15":        {{signal: "SIGTERM", via: "kill", result: "delivered", fatal: "*", from: "killer"}},
		"reraise": {
			{signal: "SIGTERM", via: "kill", result: "delivered", fatal: "false", from: "killer"},
			{signal: "SIGTERM", via: "tgkill", result: "delivered", fatal: "true", from: "victim"},
		},
		"pending": {
			{signal: "SIGUSR1", via: "kill", result: "delivered", fatal: "absent", from: "killer"},
			{signal: "SIGUSR1", via: "kill", result: "already_pending", fatal: "false", from: "killer"},
		},
		"usr1":               fatalBy("SIGUSR1", "kill", "killer"),
		"usr1-handled":       {{signal: "SIGUSR1", via: "kill", result: "delivered", fatal: "*", from: "killer"}},
		"thread-target":      fatalBy("SIGKILL", "tgkill", "killer"),
		"killer-thread":      {{signal: "SIGTERM", via: "kill", result: "delivered", fatal: "true", from: "killer"}},
		"killer-login":       fatalBy("SIGTERM", "kill", "killer"),
		"long-args 3000":     fatalBy("SIGTERM", "kill", "killer"),
		"daemon":             fatalBy("SIGTERM", "kill", "killer"),
		"levels":             fatalBy("SIGTERM", "kill", "killer"),
		"subreaper":          fatalBy("SIGTERM", "kill", "killer"),
		"abort-exit":         handledBy("SIGABRT", "kill", "killer"),
		"abort-later":        handledBy("SIGABRT", "kill", "killer"),
		"usr1-exit":          handledBy("SIGUSR1", "kill", "killer"),
		"usr1-wait":          handledBy("SIGUSR1", "kill", "killer"),
		"usr1-success":       handledBy("SIGUSR1", "kill", "killer"),
		"usr1-later":         handledBy("SIGUSR1", "kill", "killer"),
		"alarm-exit":         handledBy("SIGALRM", "timer", ""),
		"fault-abort":        handledBy("SIGSEGV", "fault", ""),
		"fault-faults-abort": handledBy("SIGSEGV", "fault", ""),
		"fault-exit":         handledBy("SIGSEGV", "fault", ""),
		"faults-exit":        handledBy("SIGSEGV", "fault", ""),
		"reload":             fatalBy("SIGTERM", "kill", "parent"),
		"stop-cont": {
			{signal: "SIGSTOP", via: "kill", result: "delivered", fatal: "*", from: "killer"},
			{signal: "SIGCONT", via: "kill", result: "*", fatal: "*", from: "killer"},
		},
	}
}

func (s truth) victims() []int {
	if len(s.Victims) > 0 {
		return s.Victims
	}
	return []int{s.Victim}
}

func (s truth) role(name string) int {
	switch name {
	case "killer":
		return s.Killer
	case "victim":
		return s.Victim
	case "zoo":
		return s.Zoo
	case "init":
		return s.Init
	case "parent":
		return s.Parent
	case "other":
		return s.Trigger
	}
	return 0
}

func (w *watcher) expect(t *testing.T, said truth, victim int, want want) {
	t.Helper()
	var seen []event
	for range 5 {
		seen = w.find(func(e event) bool { return e.Type == "signal" && e.Target != nil && e.Target.PID == victim })
		for _, e := range seen {
			if want.fits(e, said) {
				return
			}
		}
		w.settle(t)
	}
	if want.maybe && len(seen) == 0 {
		return
	}
	// A timer's interrupt comes above whoever runs. Where a kernel shields a
	// process from BPF (a sandbox's 6.18 its PID 1: no program runs there, and none
	// is counted as missed, while ftrace has the event), it goes unseen.
	if busy() && want.via == "timer" && len(seen) == 0 {
		t.Logf("victim %d: the timer's signal was not seen", victim)
		return
	}
	t.Errorf("victim %d: no %+v; %+v; seen:", victim, want, said)
	for _, e := range seen {
		t.Errorf("  %s", e)
	}
}

// skipScenario skips what this machine really lacks: that is looked up here, for
// else a scenario that has broken would be left out in silence.
func skipScenario(t *testing.T, reason string) {
	t.Helper()
	lacks := false
	switch {
	case strings.Contains(reason, "division by zero"):
		lacks = runtime.GOARCH != "amd64"
	case strings.Contains(reason, "32-bit"):
		lacks = !exists("/proc/sys/abi/vsyscall32") // CONFIG_COMPAT of x86
	case strings.Contains(reason, "login uid"):
		id, err := os.ReadFile("/proc/self/loginuid")
		lacks = err != nil || string(id) != "4294967295" // once set, it stays
	}
	if !lacks {
		t.Fatalf("the scenario left itself out, and this machine can play it: %s", reason)
	}
	t.Skip(reason)
}

// settle waits until a signal of the test's own, sent now, has been printed:
// then everything before it has been printed too, or waits for at most 100 ms more.
func (w *watcher) settle(t *testing.T) {
	t.Helper()
	marker := zoo(t, "kill", "9")
	eventually(t, "a marker is seen", func() bool {
		return len(w.find(func(e event) bool { return e.Target != nil && e.Target.PID == marker.Victim })) > 0
	})
	late := zoo(t, "sigwait")
	eventually(t, "an undecided marker is seen", func() bool {
		return len(w.find(func(e event) bool { return e.Target != nil && e.Target.PID == late.Victim })) > 0
	})
}

// fatalOnce: one death has at most one fatal signal.
func (w *watcher) fatalOnce(t *testing.T, said truth, victim int) {
	t.Helper()
	fatal := w.find(func(e event) bool {
		return e.Target != nil && e.Target.PID == victim && e.Fatal != nil && *e.Fatal
	})
	if len(fatal) > 1 {
		t.Errorf("%s: %d fatal signals for one victim: %v", said.Scenario, len(fatal), fatal)
	}
}

func (want want) fits(e event, said truth) bool {
	is := func(want, got string) bool { return want == "*" || want == got }
	fatal := "absent"
	if e.Fatal != nil {
		fatal = map[bool]string{true: "true", false: "false"}[*e.Fatal]
	}
	return is(want.signal, e.Signal) && is(want.via, e.Via) && is(want.result, e.Result) && is(want.fatal, fatal) &&
		pidOf(e.Sender) == said.role(want.from) && pidOf(e.Trigger) == said.role(want.trigger)
}

func pidOf(p *process) int {
	if p == nil {
		return 0
	}
	return p.PID
}
