// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"fmt"
	"strings"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/phrase"
	"github.com/sigtrace/sigtrace/internal/proctree"
	"github.com/sigtrace/sigtrace/internal/safetext"
)

// summarize writes what a person can act on: a sentence that says what ended, how
// and why, then what else is asked first. It never shows a tenant the command
// lines and logins of the host: TenantSummary is the same without them.
func (e *Engine) summarize(d *event.Death, j *joined) {
	d.TenantSummary = e.sentences(forTenant(d, j))
	d.Summary = e.sentences(d, j)
	if !namesActor(d.Cause) || d.Actor == nil || proctree.Same(d.Actor, d.Process) {
		return
	}
	if origin := phrase.Origin(d.Actor, e.o.MaskArgs); origin != "" {
		d.Summary += " " + origin
	}
}

func (e *Engine) sentences(d *event.Death, j *joined) string {
	f := &j.finding
	all := []string{phrase.Subject(d.Process) + " " + ending(d, f) + reason(d, j) + "."}
	for _, s := range []string{stopBefore(d, f), ownSteps(d, f), e.requestUnknown(d, j), disagreement(d)} {
		if s != "" {
			all = append(all, s)
		}
	}
	return strings.Join(all, " ")
}

// ending is how it ended, as a shell or Kubernetes would show it.
func ending(d *event.Death, f *finding) string {
	others := phrase.Others(d.Collateral)
	switch {
	case d.Cause == event.CauseStartFailed:
		return "never started" + others
	case f.absent != nil:
		return endedAbsent(d.Exit) + " while no agent was running" + others
	case d.Exit.Signal != "" && (d.Cause == event.CauseKernelFault || f.aborted || d.Cause == event.CauseSelfSignal && d.Exit.Signal == "SIGABRT"):
		return fmt.Sprintf("crashed (%s, exit %d%s)%s", d.Exit.Signal, d.Exit.Code, dumped(d.Exit), others)
	case d.Exit.Signal != "":
		return fmt.Sprintf("was killed (%s, exit %d)%s", d.Exit.Signal, d.Exit.Code, others)
	case f.asked:
		return fmt.Sprintf("exited with code %d%s, %s after %s", d.Exit.Code, others, elapsed(f, d), f.deciding.Signal.Signal)
	}
	return fmt.Sprintf("exited with code %d%s", d.Exit.Code, others)
}

func dumped(x event.ExitStatus) string {
	if isTrue(x.CoreDumped) {
		return ", core dumped"
	}
	return ""
}

func elapsed(f *finding, d *event.Death) string {
	return phrase.Duration(nanoseconds(d.BoottimeNS - min(d.BoottimeNS, f.deciding.BoottimeNS)))
}

// reason is the clause of the table of causes with what is known of this death.
func reason(d *event.Death, j *joined) string {
	f := &j.finding
	clause := forwarded(d, f, clauseOf(d, j))
	if f.sibling {
		clause += ", after its " + kinOf(d, f) + " " + phrase.Name(f.setOffBy.process) + " " + phrase.Ended(f.setOffBy.exit.Exit)
	}
	if !f.asked || f.absent != nil {
		return clause
	}
	// "… after SIGTERM sent by its parent", "… after SIGTERM, because …".
	switch {
	case strings.HasPrefix(clause, " by "):
		return " sent" + clause
	case clause != "" && clause[0] == ' ':
		return "," + clause
	}
	return clause
}

func clauseOf(d *event.Death, j *joined) string {
	f := &j.finding
	row := d.Cause.Row()
	switch d.Cause {
	case event.CauseCgroupOOM, event.CauseSystemOOM:
		return row.Clause + oomDetail(d, f)
	case event.CauseUserspaceOOM:
		return " by " + phrase.Name(d.Actor) + row.Clause
	case event.CauseForeignProcess, event.CauseSameContainer:
		return row.Clause + " " + phrase.Actor(d.Actor, d.Process) + throughTracee(d, f) + notByRuntime(d)
	case event.CauseExecSession:
		return row.Clause + " " + execSession(d) + ", " + phrase.Name(d.Actor) + throughTracee(d, f)
	case event.CauseRuntimeStop:
		return runtimeStop(d, j)
	case event.CauseStartFailed:
		return row.Clause + startDetail(j)
	case event.CauseRuntimeCleanup:
		return row.Clause + " after " + whoseDeath(d, f)
	case event.CauseServiceManager:
		return row.Clause + " " + safetext.Quote(d.Process.Unit)
	case event.CauseSelfSignal:
		return selfSignal(d, f)
	case event.CauseKernelFault:
		return row.Clause + phrase.Fault(faultSignal(d, f)) + "; no other process sent the signal"
	case event.CauseParentDeath:
		return parentDeath(d, f)
	case event.CausePIDNamespaceEnded:
		return row.Clause + setOffText(d, f)
	case event.CauseTerminal:
		return row.Clause + terminalDetail(f) + setOffText(d, f)
	case event.CauseResourceLimit:
		return row.Clause + limitDetail(d, f)
	case event.CauseUnknown:
		return unknownClause(d, f)
	}
	if row.Group == event.GroupKubernetes {
		return row.Clause + kubeDetail(d, j)
	}
	return row.Clause + actedBy(d)
}

// namesActor reports whether a sentence of this cause names a process to blame.
func namesActor(c event.Cause) bool {
	switch c {
	case event.CauseForeignProcess, event.CauseSameContainer, event.CauseExecSession, event.CauseUserspaceOOM,
		event.CauseRuntimeCleanup, event.CauseParentDeath, event.CausePIDNamespaceEnded, event.CauseTerminal,
		event.CauseDebugger, event.CauseSysrq, event.CauseBPFProgram, event.CauseAsyncIO:
		return true
	}
	return false
}

// actedBy names who is known to have set off a signal of the kernel's.
func actedBy(d *event.Death) string {
	if d.Actor == nil || proctree.Same(d.Actor, d.Process) {
		return ""
	}
	return ", set off by " + phrase.Name(d.Actor)
}

func oomDetail(d *event.Death, f *finding) string {
	text := ": " + phrase.OOM(f.oom)
	if d.OOM != nil && f.oom.Victim != nil && !proctree.Same(f.oom.Victim.Process, d.Process) {
		text += " (chosen was " + phrase.Process(f.oom.Victim.Process) + ")"
	}
	if isTrue(d.ContainerSurvives) {
		text += "; its container keeps running"
	}
	return text
}

// notByRuntime says of a container's death what an operator asks first. Of a
// sender of which neither executable nor ancestry is known it is not said.
func notByRuntime(d *event.Death) string {
	if d.Cause != event.CauseForeignProcess || d.Process.Container == nil && d.Process.Pod == nil || !proctree.IsIdentified(d.Actor) {
		return ""
	}
	if d.Process.Pod != nil {
		return ", not by Kubernetes"
	}
	return ", not by its runtime"
}

func execSession(d *event.Death) string {
	if d.Process.Pod != nil {
		return "a process brought in with kubectl exec or the like"
	}
	return "a process brought in from outside (docker exec or the like)"
}

func selfSignal(d *event.Death, f *finding) string {
	row := d.Cause.Row()
	if f.aborted {
		return ": it called abort(); PID 1 ignores SIGABRT"
	}
	if f.first != nil && f.first.Via == event.ViaCgroupKill {
		return " by its own write to its cgroup's cgroup.kill"
	}
	if d.Exit.Signal == "SIGABRT" {
		return row.Clause + " (abort: a failed assertion, a detected corruption, an uncaught exception)"
	}
	return row.Clause
}

// faultSignal is the signal of the fault; a handler may have made an exit of it.
func faultSignal(d *event.Death, f *finding) string {
	if f.first != nil {
		return f.first.Signal.Signal
	}
	return d.Exit.Signal
}

// parentDeath: PR_SET_PDEATHSIG follows the thread that forked, and its process may
// live on.
func parentDeath(d *event.Death, f *finding) string {
	t := f.first.Trigger
	if t == nil || t.TID == 0 || f.setOffBy != nil || f.first.SenderGroupDead {
		return d.Cause.Row().Clause + setOffText(d, f)
	}
	text := " because the thread of " + phrase.Name(t) + " that had started it ended (PR_SET_PDEATHSIG)"
	if f.parentLives {
		text += "; that process itself lives on"
	}
	return text
}

// setOffText names who set off the death that set off this one.
func setOffText(d *event.Death, f *finding) string {
	switch {
	case f.setOffBy != nil && f.why != "":
		return ": kubelet had stopped " + phrase.Name(f.setOffBy.process) + " (" + f.why + ")"
	case d.Actor == nil:
		return ""
	case f.setOffBy == nil:
		return ": " + phrase.Name(d.Actor)
	case proctree.Same(d.Actor, f.setOffBy.process):
		return ": " + phrase.Name(d.Actor) + " " + phrase.Ended(f.setOffBy.exit.Exit)
	}
	return ": " + phrase.Name(f.setOffBy.process) + " was ended by " + phrase.Actor(d.Actor, f.setOffBy.process)
}

// whoseDeath names the shim or monitor that died, and who is to blame for it.
func whoseDeath(d *event.Death, f *finding) string {
	if f.setOffBy == nil {
		return "its shim or monitor ended; why is unknown (that end was not seen)"
	}
	return "its shim or monitor ended" + setOffText(d, f)
}

func terminalDetail(f *finding) string {
	if f.first != nil && f.first.Signal.Signal == "SIGHUP" || f.first == nil && f.deciding.Signal.Signal == "SIGHUP" {
		return ", which was hung up"
	}
	return " (a key such as ^C)"
}

func limitDetail(d *event.Death, f *finding) string {
	if faultSignal(d, f) == "SIGXFSZ" {
		return ": RLIMIT_FSIZE, the size of a file"
	}
	return ": RLIMIT_CPU, its CPU time"
}

func unknownClause(d *event.Death, f *finding) string {
	switch {
	case f.bySomebody():
		return " by " + phrase.Actor(f.actor, d.Process) + ", of which neither executable nor ancestry is known"
	case f.deciding != nil && f.deciding.Via == event.ViaCgroupKill:
		return " through cgroup.kill; which process wrote it was not seen"
	case f.deciding != nil:
		return " by a signal of the kernel's for which no reason was found"
	case f.absent != nil:
		return "; why is unknown"
	case d.EventsLost > 0:
		return fmt.Sprintf("; why is unknown: no signal was seen that explains it, and %d events were dropped", d.EventsLost)
	}
	return "; why is unknown: no signal was seen that explains it"
}

// stopBefore is about the stop signal that came before a SIGKILL.
func stopBefore(d *event.Death, f *finding) string {
	if f.deciding == nil || f.asked || f.deciding.SignalNumber != 9 {
		return ""
	}
	for i := len(d.Signals) - 1; i >= 0; i-- {
		s := d.Signals[i]
		if s.BoottimeNS >= f.deciding.BoottimeNS || s.Signal == "SIGKILL" {
			continue
		}
		gap := phrase.Duration(nanoseconds(f.deciding.BoottimeNS - s.BoottimeNS))
		if s.Result == event.ResultIgnored {
			return fmt.Sprintf("It had ignored %s for %s.", s.Signal, gap)
		}
		return fmt.Sprintf("It had not ended %s after %s.", gap, s.Signal)
	}
	return ""
}

// forwarded makes the clause "by X" one about a forwarder that X had asked.
func forwarded(d *event.Death, f *finding, clause string) string {
	actor, by := strings.CutPrefix(clause, " by ")
	from := forwarder(d, f)
	if !by || from == nil {
		return clause
	}
	whom := "it"
	if !proctree.Same(from, f.first.Target) {
		whom = phrase.Name(f.first.Target)
	}
	if strings.Contains(actor, ", ") {
		actor += ","
	}
	gap := phrase.Duration(nanoseconds(f.deciding.BoottimeNS - f.first.BoottimeNS))
	return fmt.Sprintf(" by %s, passing on %s that %s had sent %s %s before", phrase.Actor(from, d.Process), f.first.Signal.Signal, actor, whom, gap)
}

// forwarder is who sent the deciding signal on, where that is neither the process
// itself nor who began it.
func forwarder(d *event.Death, f *finding) *event.Process {
	if f.deciding == nil || f.first == nil || f.first.Signal == f.deciding.Signal || f.aborted {
		return nil
	}
	from := doer(f.deciding.Signal)
	if from == nil || proctree.Same(from, d.Process) || proctree.Same(from, doer(f.first.Signal)) {
		return nil
	}
	return from
}

// ownSteps is about what the process did itself after the first signal.
func ownSteps(d *event.Death, f *finding) string {
	if f.deciding == nil || f.first == nil || f.first.Signal == f.deciding.Signal || f.aborted || !selfSent(f.deciding.Signal) {
		return ""
	}
	gap := phrase.Duration(nanoseconds(f.deciding.BoottimeNS - f.first.BoottimeNS))
	if ownFault(f.first.Signal) || coreSignals.has(f.first.SignalNumber) {
		return fmt.Sprintf("Its handler of %s ended it by %s %s later.", f.first.Signal.Signal, f.deciding.Signal.Signal, gap)
	}
	return fmt.Sprintf("It handled %s and sent itself %s %s later.", f.first.Signal.Signal, f.deciding.Signal.Signal, gap)
}

// kinOf is what the process whose death set this one off is to it.
func kinOf(d *event.Death, f *finding) string {
	if proctree.IsParent(f.setOffBy.process, d.Process) {
		return "child"
	}
	return "sibling"
}
