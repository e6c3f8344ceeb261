// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"golang.org/x/sys/unix"

	"github.com/sigtrace/sigtrace/internal/event"
)

// decide gives a death its cause, once. It answers nil where the walk that led
// here goes no further.
func (e *Engine) decide(st *story) *finding {
	if st.cause != nil {
		return st.cause
	}
	within := e.deciding.begun()
	if !e.deciding.enter(st) {
		return nil
	}
	defer e.deciding.leave()
	f := e.decided(st)
	if neverStarted(st, &f) {
		f.cause, f.confidence, f.actor = event.CauseStartFailed, event.Likely, nil
	}
	if f.cut && f.confidence == event.Proven {
		f.confidence = event.Likely
	}
	if !f.cut || !within {
		st.cause = &f // else its own turn may see further
	}
	return &f
}

func (e *Engine) decided(st *story) finding {
	n := st.exit.SignalNumber
	switch {
	case st.exit.Absent != nil:
		return absent(st)
	case n == 0:
		return e.endedItself(st)
	case n == int(unix.SIGKILL) && st.oom != nil:
		k := e.logged(st.process, st.oom.Time)
		f := byOOM(WithKernelLog(st.oom, k))
		f.log = k
		return f
	case st.exit.Seccomp != "" && (n == int(unix.SIGKILL) || n == int(unix.SIGSYS)):
		return finding{cause: event.CauseSeccomp, confidence: event.Proven, deciding: st.deciding(n)}
	}
	s := st.deciding(n)
	if s == nil {
		return e.unseenSignal(st)
	}
	if a := st.abortOfInit(s); a != nil {
		return finding{
			cause: event.CauseSelfSignal, confidence: event.Proven, deciding: s, first: a, actor: st.process, aborted: true,
			hops: []event.Hop{hop(a, a.Sender), {Process: st.process, What: "ended by " + s.Signal.Signal + ", as abort() does where SIGABRT is ignored"}},
		}
	}
	f := e.bySignal(st, s)
	e.endedForSibling(st, &f)
	e.tookChildsFate(st, &f)
	return f
}

// deciding is the signal that was the end: the last fatal one of that number,
// else the last that was delivered and may have been it.
func (st *story) deciding(n int) *noted {
	var maybe *noted
	for i := len(st.signals) - 1; i >= 0; i-- {
		s := &st.signals[i]
		if s.SignalNumber != n || s.BoottimeNS > st.exit.BoottimeNS {
			continue
		}
		if isTrue(s.Fatal) {
			return s
		}
		if maybe == nil && s.Fatal == nil && (s.Result == event.ResultDelivered || s.Result == event.ResultInfoLost) {
			maybe = s
		}
	}
	return maybe
}

// endedItself: an exit code, perhaps because of a signal that was handled.
func (e *Engine) endedItself(st *story) finding {
	s := e.handledEnd(st)
	if s == nil {
		f := finding{cause: event.CauseExited, confidence: event.Proven}
		if st.maybeHandled(st.exit) {
			f.confidence = event.Likely
		}
		return f
	}
	f := e.bySignal(st, s)
	f.asked = true
	e.endedForSibling(st, &f)
	if f.confidence == event.Proven {
		f.confidence = event.Likely
	}
	return f
}

// handledEnd is the handled signal because of which it exited; nil if there is none.
func (e *Engine) handledEnd(st *story) *noted {
	if s := e.askedToEnd(st); s != nil {
		return s
	}
	if s := st.handledBefore(st.exit); s != nil {
		return s
	}
	return e.passedOnTo(st)
}

// askedToEnd is the first signal that asked it to end and that was still open: it
// was handled, by a handler, or by sigwait or signalfd (then it is not waiting any
// more). Whoever asks a second time has not begun it.
func (e *Engine) askedToEnd(st *story) *noted {
	for i := range st.signals {
		s := &st.signals[i]
		if !st.asksToEnd(s.Signal) || !isHandled(s.Signal) || selfSent(s.Signal) ||
			s.BoottimeNS > st.exit.BoottimeNS || pendingAtExit(st.signals, i, st.exit) {
			continue
		}
		if st.exit.BoottimeNS-s.BoottimeNS <= e.patience(st, s.Signal) {
			return s
		}
	}
	return nil
}

// unseenSignal: the status names a signal that no hook has seen.
func (e *Engine) unseenSignal(st *story) finding {
	f := finding{cause: event.CauseUnknown, confidence: event.Unknown}
	if st.exit.SignalNumber != int(unix.SIGKILL) {
		return f
	}
	if k := e.logged(st.process, st.exit.Time); k != nil {
		f = byOOM(fromLog(st.exit, k))
		f.confidence, f.log = event.Likely, k
		return f
	}
	if !st.exit.OOMMark {
		return f
	}
	// The OOM killer has had its memory: as one that shares it with a victim.
	if o := e.oomBefore(st.exit.BoottimeNS, nil); o != nil {
		f = byOOM(o)
		f.confidence = event.Likely
	}
	return f
}

// bySignal is the contract's table: by who sent it, or else by mechanism.
func (e *Engine) bySignal(st *story, s *noted) finding {
	f := finding{confidence: event.Proven, deciding: s, first: s}
	if !isTrue(s.Fatal) {
		f.confidence = event.Likely
	}
	switch {
	case isSent(s.Via):
		e.bySender(st, &f)
	case ownFault(s.Signal) && e.prior(s) != nil:
		e.bySender(st, &f)
		f.confidence = event.Likely
	default:
		e.byMechanism(&f, s)
	}
	if f.cause == event.CauseUnknown {
		f.confidence = event.Unknown
	}
	return f
}

// isSent reports whether a process asks for signals of that mechanism.
func isSent(via event.Via) bool {
	switch via {
	case event.ViaKill, event.ViaTgkill, event.ViaSigqueue, event.ViaCgroupKill:
		return true
	}
	return false
}

// byMechanism is for signals of the kernel's own making. It never asks who sent
// one, so that bySender may end here.
func (e *Engine) byMechanism(f *finding, s *noted) {
	switch s.Via {
	case event.ViaOOM:
		e.sharedMemory(f, s)
	case event.ViaPdeathsig:
		f.cause = event.CauseParentDeath
		e.setOffByTrigger(f, s.Trigger)
		f.parentLives = f.setOffBy == nil && !s.SenderGroupDead && e.isAlive(s.Trigger)
	case event.ViaPidnsExit:
		f.cause = event.CausePIDNamespaceEnded
		e.setOffByTrigger(f, s.Trigger)
	case event.ViaTTY:
		f.cause = event.CauseTerminal
		e.setOffByTrigger(f, s.Trigger)
	case event.ViaCgroupKill:
		f.cause = event.CauseUnknown // its writer was not seen, and who forked is not to blame
	default:
		f.cause = causeOf(s.Via)
		f.actor = s.Trigger
	}
}

// causeOf maps the mechanisms that are causes by themselves.
func causeOf(via event.Via) event.Cause {
	switch via {
	case event.ViaFault:
		return event.CauseKernelFault
	case event.ViaSeccomp:
		return event.CauseSeccomp
	case event.ViaRlimit:
		return event.CauseResourceLimit
	case event.ViaTimer:
		return event.CauseTimer
	case event.ViaPipe:
		return event.CauseBrokenPipe
	case event.ViaSigio:
		return event.CauseAsyncIO
	case event.ViaPtrace:
		return event.CauseDebugger
	case event.ViaBPF:
		return event.CauseBPFProgram
	case event.ViaSysrq:
		return event.CauseSysrq
	case event.ViaHwerror:
		return event.CauseHardwareError
	}
	return event.CauseUnknown
}

// setOffByTrigger is for deaths that another's set off: its parent's, its PID
// namespace's init's, its session leader's.
func (e *Engine) setOffByTrigger(f *finding, trigger *event.Process) {
	f.actor = trigger
	other := e.find(trigger)
	if other == nil || other.exit == nil {
		return
	}
	if cause := e.setOff(f, other); cause != nil {
		f.precede(cause.hops...)
	}
}

// setOff notes that the death of another set this one off: who is to blame for
// that one is to blame for this one. It returns the other's cause, nil where the
// walk ends before it.
func (e *Engine) setOff(f *finding, other *story) *finding {
	f.actor = other.process
	cause := e.decide(other)
	if cause == nil {
		f.cut = true
		return nil
	}
	f.setOffBy, f.setOffCause, f.cut = other, cause.cause, cause.cut
	if cause.actor != nil {
		f.actor = cause.actor
	}
	return cause
}
