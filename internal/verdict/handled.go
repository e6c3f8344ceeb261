// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"golang.org/x/sys/unix"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/proctree"
)

// Windows within which a handled signal that does not ask a process to stop is
// still why it ended (docs/contract.md, handled signals).
const (
	// coreWindow is for signals whose default is a core dump, sent by another
	// process or by a limit: a watchdog's SIGABRT makes a runtime dump its stacks.
	coreWindow = 10 * second
	// userWindow is for signals that programs use for other things.
	userWindow = second
	// faultWindow is for a fault of its own: a crash handler ends the process, or
	// aborts, right away; a JVM handles faults all the time and lives on.
	faultWindow = second
	// handledMax bounds the handled signals that are remembered of one process.
	handledMax = 16
)

// signalSet has bit n-1 set for each signal n.
type signalSet uint64

func setOf(signals ...unix.Signal) signalSet {
	var s signalSet
	for _, n := range signals {
		s |= 1 << (n - 1)
	}
	return s
}

func (s signalSet) has(number int) bool { return number > 0 && number <= 64 && s&(1<<(number-1)) != 0 }

var (
	coreSignals = setOf(unix.SIGABRT, unix.SIGSEGV, unix.SIGBUS, unix.SIGFPE, unix.SIGILL, unix.SIGTRAP, unix.SIGSYS, unix.SIGXCPU)
	userSignals = setOf(unix.SIGUSR1, unix.SIGUSR2, unix.SIGALRM, unix.SIGVTALRM, unix.SIGPROF, unix.SIGIO, unix.SIGPWR, unix.SIGXFSZ, unix.SIGPIPE, unix.SIGSTKFLT)
)

// isHandled reports whether a signal was handled, or held back for sigwait or
// signalfd.
func isHandled(s *event.Signal) bool {
	return (s.Handled || s.Blocked) && s.Result != event.ResultIgnored && s.Result != event.ResultTooLate && !isTrue(s.Fatal)
}

// mayEnd reports whether a handled signal may turn out to be why its target ended,
// although it does not ask for that.
func mayEnd(s *event.Signal) bool {
	return isHandled(s) && (coreSignals.has(s.SignalNumber) || userSignals.has(s.SignalNumber))
}

// addHandled remembers a handled signal. Of a burst, the same signal from the same
// sender again and again, the first and the last are kept: a crash handler may
// fault a dozen times itself before it aborts. It returns how many more there are.
func (st *story) addHandled(s *event.Signal, a *act) int {
	n := len(st.handled)
	at := n
	for at > 0 && st.handled[at-1].BoottimeNS > s.BoottimeNS {
		at--
	}
	if at == n && n >= 2 && sameBurst(st.handled[n-1].Signal, s) && sameBurst(st.handled[n-2].Signal, s) {
		st.handled[n-1] = noted{s, a}
		return 0
	}
	st.handled = append(st.handled, noted{})
	copy(st.handled[at+1:], st.handled[at:])
	st.handled[at] = noted{s, a}
	if len(st.handled) > handledMax {
		st.handled = st.handled[1:]
		return 0
	}
	return 1
}

func sameBurst(a, b *event.Signal) bool {
	return a.SignalNumber == b.SignalNumber && a.Via == b.Via && idOf(doer(a)) == idOf(doer(b)) &&
		apartNS(a.BoottimeNS, b.BoottimeNS) <= second
}

// handledBefore is the first handled signal that explains why a process exited
// with a status of its own; nil if none does.
func (st *story) handledBefore(x *event.Exit) *noted {
	for i := range st.handled {
		s := &st.handled[i]
		if s.BoottimeNS > x.BoottimeNS || pendingAtExit(st.handled, i, x) {
			continue
		}
		ago := x.BoottimeNS - s.BoottimeNS
		switch {
		case ownFault(s.Signal):
			if ago <= faultWindow && x.Exit.Code != 0 && x.CallerTID != 0 && x.CallerTID == threadOf(s.Target) {
				return s
			}
		case selfSent(s.Signal):
		case coreSignals.has(s.SignalNumber):
			if ago <= coreWindow {
				return s
			}
		case ago <= userWindow && x.Exit.Code != 0:
			return s
		}
	}
	return nil
}

// pendingAtExit reports whether the signal with index i of a list by time was still
// waiting when its target exited. Where a later one of its number was queued in the
// same place, the thread's or the process's, it had been taken out before: postgres
// signals its children and then their groups.
func pendingAtExit(list []noted, i int, x *event.Exit) bool {
	s := list[i]
	if x.Pending&(1<<(s.SignalNumber-1)) == 0 {
		return false
	}
	for _, later := range list[i+1:] {
		if later.SignalNumber == s.SignalNumber && later.Result == event.ResultDelivered && later.BoottimeNS <= x.BoottimeNS &&
			(later.Via == event.ViaTgkill) == (s.Via == event.ViaTgkill) {
			return false
		}
	}
	return true
}

// maybeHandled reports whether a handled signal came so shortly before an exit that
// it may have had to do with it, although no rule says so.
func (st *story) maybeHandled(x *event.Exit) bool {
	for i := range st.handled {
		s := &st.handled[i]
		if s.BoottimeNS <= x.BoottimeNS && !ownFault(s.Signal) && !selfSent(s.Signal) && x.BoottimeNS-s.BoottimeNS <= userWindow {
			return true
		}
	}
	return false
}

// crashedBefore is the first signal of a crash whose handler ended in s, a signal
// that the process sent to itself or a fault of its own: a fault of the same thread,
// or a core signal that another process sent. It is nil where there was none.
func (st *story) crashedBefore(s *noted) *noted {
	if !coreSignals.has(s.SignalNumber) {
		return nil
	}
	for i := range st.handled {
		h := &st.handled[i]
		if h.BoottimeNS > s.BoottimeNS || !coreSignals.has(h.SignalNumber) {
			continue
		}
		ago := s.BoottimeNS - h.BoottimeNS
		switch {
		case ownFault(h.Signal):
			if ago <= faultWindow && threadOf(h.Target) == threadOf(s.Sender) {
				return h
			}
		case selfSent(h.Signal):
		case ago <= coreWindow:
			return h
		}
	}
	return nil
}

// ownFault reports whether the process itself brought a signal about, by a fault or
// a system call that its seccomp filter traps.
func ownFault(s *event.Signal) bool { return s.Via == event.ViaFault || s.Via == event.ViaSeccomp }

func selfSent(s *event.Signal) bool { return s.Sender != nil && proctree.Same(s.Sender, s.Target) }

// threadOf is the thread ID of the thread that an event names.
func threadOf(p *event.Process) int {
	if p == nil {
		return 0
	}
	if p.TID != 0 {
		return p.TID
	}
	return p.PID
}

// handledSignals are those of the time in which they may have been the reason.
func (st *story) handledSignals() []event.HandledSignal {
	var list []event.HandledSignal
	for i := range st.handled {
		s := st.handled[i].Signal
		if s.BoottimeNS > st.exit.BoottimeNS || st.exit.BoottimeNS-s.BoottimeNS > coreWindow {
			continue
		}
		list = append(list, event.HandledSignal{
			Time: s.Time, Signal: s.Signal, Code: s.Code, Address: s.Address, Sender: bare(s.Sender),
		})
	}
	return list
}
