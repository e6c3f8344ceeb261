// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"fmt"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/phrase"
	"github.com/sigtrace/sigtrace/internal/proctree"
	"github.com/sigtrace/sigtrace/internal/safetext"
)

// summary is one sentence that a person can act on: what died, how, by whom.
func (e *Engine) summary(d *event.Death, j *joined) string {
	f := &j.finding
	return phrase.Subject(d.Process) + " " + e.end(d, f) + e.because(d, j) + after(d, f) + saysOtherwise(d) + "."
}

// end is how it ended, as a shell or Kubernetes would show it.
func (e *Engine) end(d *event.Death, f *finding) string {
	others := phrase.Others(d.Collateral)
	switch {
	case f.absent != nil:
		return endedAbsent(d.Exit) + " while no agent was there" + others
	case d.Cause == event.CauseKernelFault || d.Cause == event.CauseSelfSignal && d.Exit.Signal == "SIGABRT":
		return fmt.Sprintf("crashed (%s, exit %d%s)%s", d.Exit.Signal, d.Exit.Code, dumped(d.Exit), others)
	case d.Exit.Signal != "":
		return fmt.Sprintf("was killed (%s, exit %d)%s", d.Exit.Signal, d.Exit.Code, others)
	case f.asked:
		return fmt.Sprintf("ended (exit %d) %s after %s", d.Exit.Code, elapsed(f, d), f.deciding.Signal.Signal)
	}
	return fmt.Sprintf("ended by itself with exit code %d", d.Exit.Code)
}

func dumped(x event.ExitStatus) string {
	if isTrue(x.CoreDumped) {
		return ", core dumped"
	}
	return ""
}

func elapsed(f *finding, d *event.Death) string {
	return fmt.Sprintf("%.1f s", float64(d.BoottimeNS-min(d.BoottimeNS, f.deciding.BoottimeNS))/1e9)
}

// because names the cause.
func (e *Engine) because(d *event.Death, j *joined) string {
	f := &j.finding
	if text := kubeReason(d, j); text != "" {
		return text
	}
	switch d.Cause {
	case event.CauseCgroupOOM, event.CauseSystemOOM:
		return e.oomReason(d, f)
	case event.CauseForeignProcess, event.CauseSameContainer, event.CauseExecSession, event.CauseUserspaceOOM:
		return " by " + phrase.Person(d.Actor, d.Process, e.o.MaskArgs) + verdictOn(d)
	case event.CauseRuntimeStop:
		return " by the container runtime: " + phrase.Person(d.Actor, d.Process, e.o.MaskArgs) + e.request(d, j)
	case event.CauseRuntimeCleanup:
		return " by the container runtime cleaning up after " + e.whoseDeath(d, f)
	case event.CauseServiceManager:
		return " by systemd stopping " + safetext.Quote(d.Process.Unit)
	case event.CauseSelfSignal:
		if f.first != nil && f.first.Via == event.ViaCgroupKill {
			return " by its own write to its cgroup's cgroup.kill"
		}
		return " by a signal that it sent to itself" + abortHint(d)
	case event.CauseParentDeath:
		return ": it asked for this signal when its parent dies (PR_SET_PDEATHSIG)" + e.blame(d, f)
	case event.CausePIDNamespaceEnded:
		return ": the init of its PID namespace died" + e.blame(d, f)
	case event.CauseTerminal:
		return terminalReason(d, f) + e.blame(d, f)
	case event.CauseUnknown:
		return unknownReason(d, f)
	}
	return reason(d)
}

// reason is for the causes that need no actor to be told.
func reason(d *event.Death) string {
	switch d.Cause {
	case event.CauseKernelFault:
		return ": " + phrase.Fault(d.Exit.Signal) + ", its own fault and nobody's kill"
	case event.CauseSeccomp:
		return " by its seccomp filter: it made a system call that is not allowed"
	case event.CauseResourceLimit:
		return " by a resource limit of its own: " + limitOf(d)
	case event.CauseTimer:
		return " by a timer of its own (alarm, setitimer or timer_create)"
	case event.CauseBrokenPipe:
		return " by writing to a pipe or socket that nobody reads any more"
	case event.CauseAsyncIO:
		return " by an I/O signal that F_SETSIG chose for one of its files" + by(d, "set off by ")
	case event.CauseDebugger:
		return " by a debugger" + by(d, ": ")
	case event.CauseBPFProgram:
		return " by a BPF program (bpf_send_signal) of another agent"
	case event.CauseSysrq:
		return " by sysrq, the signal to all processes" + by(d, ", written by ")
	case event.CauseHardwareError:
		return " by a memory error of the hardware: check the node's memory"
	}
	return ""
}

func by(d *event.Death, how string) string {
	if d.Actor == nil {
		return ""
	}
	if how[0] != ',' && how[0] != ':' {
		how = ", " + how
	}
	return how + phrase.Process(d.Actor)
}

func (e *Engine) oomReason(d *event.Death, f *finding) string {
	text := " by the kernel's OOM killer: " + phrase.OOM(f.oom)
	if !proctree.Same(f.oom.Victim.Process, d.Process) && d.OOM != nil {
		text += " (chosen was " + phrase.Process(f.oom.Victim.Process) + ")"
	}
	if d.ContainerSurvives != nil && *d.ContainerSurvives {
		text += "; the container lives on"
	}
	return text
}

// verdictOn adds what an operator asks first.
func verdictOn(d *event.Death) string {
	if d.Process.Container == nil && d.Process.Pod == nil || d.Cause != event.CauseForeignProcess {
		return ""
	}
	if d.Process.Pod != nil {
		return "; not by Kubernetes"
	}
	return "; not by its runtime"
}

// blame names who set off the death that set off this one.
func (e *Engine) blame(d *event.Death, f *finding) string {
	switch {
	case f.setOffBy != nil && f.why != "":
		return ": kubelet had " + phrase.Process(f.setOffBy.process) + " stopped (" + f.why + ")"
	case d.Actor == nil:
		return ""
	case f.setOffBy == nil:
		return ", by " + phrase.Process(d.Actor)
	case proctree.Same(d.Actor, f.setOffBy.process):
		return ": " + phrase.Process(d.Actor) + " " + phrase.Ended(f.setOffBy.exit.Exit)
	}
	return ": " + phrase.Process(f.setOffBy.process) + " was killed by " + phrase.Person(d.Actor, f.setOffBy.process, e.o.MaskArgs)
}

// whoseDeath names the shim or monitor that died, and who is to blame for it.
func (e *Engine) whoseDeath(d *event.Death, f *finding) string {
	if f.setOffBy == nil {
		return "its shim or monitor died, it was not seen why"
	}
	return phrase.Process(f.setOffBy.process) + " died" + e.blame(d, f)
}

func abortHint(d *event.Death) string {
	if d.Exit.Signal == "SIGABRT" {
		return " (abort: a failed assertion, a detected corruption, an uncaught exception)"
	}
	return ""
}

func terminalReason(d *event.Death, f *finding) string {
	if f.deciding.Signal.Signal == "SIGHUP" {
		return " by the hangup of its terminal"
	}
	return " from its terminal (a key such as ^C)"
}

func limitOf(d *event.Death) string {
	if d.Exit.Signal == "SIGXFSZ" {
		return "RLIMIT_FSIZE, the size of a file"
	}
	return "RLIMIT_CPU, its CPU time"
}

func unknownReason(d *event.Death, f *finding) string {
	if f.deciding != nil && f.deciding.Via == event.ViaCgroupKill {
		return " through cgroup.kill; which process wrote it was not seen"
	}
	if f.deciding != nil {
		return " by a signal of the kernel's whose reason could not be told"
	}
	if f.absent != nil {
		return ": it was not seen why"
	}
	text := ", and no signal was seen that explains it"
	if d.EventsLost > 0 {
		text += fmt.Sprintf(" (%d events were lost)", d.EventsLost)
	}
	return text
}

// after tells of the stop signal that came before the final blow.
func after(d *event.Death, f *finding) string {
	if f.deciding == nil || f.asked || f.deciding.SignalNumber != 9 {
		return ""
	}
	for i := len(d.Signals) - 1; i >= 0; i-- {
		s := d.Signals[i]
		if s.BoottimeNS >= f.deciding.BoottimeNS || s.Signal == "SIGKILL" {
			continue
		}
		gap := float64(f.deciding.BoottimeNS-s.BoottimeNS) / 1e9
		if s.Result == event.ResultIgnored {
			return fmt.Sprintf(", %.1f s after %s, which it ignored", gap, s.Signal)
		}
		return fmt.Sprintf(", %.1f s after %s", gap, s.Signal)
	}
	return ""
}
