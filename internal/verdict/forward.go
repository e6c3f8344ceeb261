// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"golang.org/x/sys/unix"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/proctree"
)

// Whoever was asked to stop or to reload, and within its shutdown window ends a
// descendant or itself, passes that on: it is a forwarder, and who asked is the
// cause. Supervisors translate (TERM to QUIT), wait, drain and escalate, so that
// neither the signal's number nor a second's time shows it (docs/contract.md).

const (
	// sameSignalWindow is how long after a signal of any kind the same one is
	// still passed on.
	sameSignalWindow = second
	// hangupStarts and upgradeStarts are how soon after SIGHUP and after SIGUSR2 its
	// target begins to end its workers: supervisord looks once a second for SIGHUP,
	// and SIGUSR2 has it only reopen its logs. reloadWindow is how long it may take
	// for all of them.
	hangupStarts  = 2 * second
	upgradeStarts = second
	reloadWindow  = 60 * second
	// exitsAtOnce is how soon after a signal that is passed on for many a purpose an
	// exit is because of it: apache's children took 4 ms.
	exitsAtOnce = second / 10
	// sendingsMax bounds the senders whose signals are remembered, and
	// sendingsEach those of one.
	sendingsMax  = 1024
	sendingsEach = 32
)

// sending is one terminating signal that a process sent to another.
type sending struct {
	at     uint64
	target id
}

// sendings remembers what processes sent to others.
type sendings struct{ by map[id][]sending }

func (ss *sendings) add(s *event.Signal) {
	from := doer(s)
	if from == nil || proctree.Same(from, s.Target) {
		return
	}
	if ss.by == nil {
		ss.by = map[id][]sending{}
	}
	k := idOf(from)
	list := append(ss.by[k], sending{s.BoottimeNS, idOf(s.Target)})
	if len(list) > sendingsEach {
		list = list[1:]
	}
	ss.by[k] = list
	if len(ss.by) > sendingsMax {
		ss.dropOldest()
	}
}

func (ss *sendings) dropOldest() {
	var oldest id
	at := ^uint64(0)
	for k, list := range ss.by {
		if last := list[len(list)-1].at; last < at {
			oldest, at = k, last
		}
	}
	delete(ss.by, oldest)
}

// firstAfter is when a process first sent something from a time on; ok is false if
// it did not, as far as is known.
func (ss *sendings) firstAfter(who id, from uint64) (at uint64, ok bool) {
	at = ^uint64(0)
	for _, s := range ss.by[who] {
		if s.at >= from && s.at < at {
			at, ok = s.at, true
		}
	}
	return at, ok
}

// prior is the signal that the sender of s passes on with s: the first one that
// was still open. It is nil where the sender was not asked.
func (e *Engine) prior(s *noted) *noted {
	if ownFault(s.Signal) {
		return e.priorOfFault(s)
	}
	from := doer(s.Signal)
	st := e.find(from)
	if st == nil || !proctree.Same(from, s.Target) && !proctree.Descends(s.Target, from) {
		return nil
	}
	if proctree.Same(from, s.Target) {
		if h := st.crashedBefore(s); h != nil {
			return h
		}
	}
	var same *noted
	for _, list := range [][]noted{st.signals, st.handled} {
		for i := range list {
			p := &list[i]
			if p.Signal == s.Signal || p.BoottimeNS > s.BoottimeNS || !isAsk(p.Signal, from) || st.refuted[p.Signal] {
				continue
			}
			if e.forwards(st, p, s) {
				return p
			}
			if same == nil && p.SignalNumber == s.SignalNumber && s.BoottimeNS-p.BoottimeNS <= sameSignalWindow {
				same = p
			}
		}
	}
	return same
}

// passedOnTo is the handled signal, of whatever number, that a supervisor which was
// itself asked to stop sent to a process that then exited: postgres ends its
// checkpointer by SIGUSR2. One that the supervisor was itself sent, and that may be for
// new logs, counts for who exits at once: apache passes on SIGUSR1 to replace its
// children. It is nil where there was none.
func (e *Engine) passedOnTo(st *story) *noted {
	for i := range st.handled {
		s := &st.handled[i]
		if s.BoottimeNS > st.exit.BoottimeNS || !userSignals.has(s.SignalNumber) || selfSent(s.Signal) ||
			st.exit.BoottimeNS-s.BoottimeNS > asksFor || pendingAtExit(st.handled, i, st.exit) {
			continue
		}
		ask := e.prior(s)
		if ask == nil {
			continue
		}
		if f := e.find(ask.Target); f != nil && f.asksToStop(ask.Signal) {
			return s
		}
		if ask.SignalNumber == s.SignalNumber && st.exit.BoottimeNS-s.BoottimeNS <= exitsAtOnce {
			return s
		}
	}
	return nil
}

// priorOfFault is the signal whose handler ended in s, a fault: a crash handler that
// writes a report, as redis' does, may crash itself. It is nil where nobody sent one;
// of two faults none is to blame more than the other.
func (e *Engine) priorOfFault(s *noted) *noted {
	st := e.find(s.Target)
	if st == nil {
		return nil
	}
	if h := st.crashedBefore(s); h != nil && !ownFault(h.Signal) {
		return h
	}
	return nil
}

// isAsk reports whether somebody else may have asked from for something by p. What
// was ignored, or was the end, asks for nothing.
func isAsk(p *event.Signal, from *event.Process) bool {
	return p.Result != event.ResultIgnored && p.Result != event.ResultTooLate && !isTrue(p.Fatal) && !proctree.Same(p.Sender, from)
}

// forwards reports whether s is what the target of p, a request to stop or reload,
// does about it.
func (e *Engine) forwards(st *story, p, s *noted) bool {
	delay := s.BoottimeNS - p.BoottimeNS
	toItself := proctree.Same(doer(s.Signal), s.Target)
	if !toItself && s.Target.StartBoottimeNS > p.BoottimeNS {
		return false // started since then: it goes on working, or this is the reload's new worker
	}
	switch {
	case st.asksToStop(p.Signal):
		if toItself && s.SignalNumber != p.SignalNumber && s.SignalNumber != int(unix.SIGKILL) {
			return false // a crash during its shutdown is a crash
		}
		return delay <= e.patience(st, p.Signal)
	case asksToReload(p.Signal) && !toItself:
		first, ok := e.sendings.firstAfter(st.id, p.BoottimeNS)
		return ok && first-p.BoottimeNS <= reloadStarts(p.Signal) && delay <= reloadWindow &&
			e.crashedChild(nil, st.process, p.BoottimeNS, first) == nil
	}
	return false
}

// asksToStop reports whether a signal asks a process to stop for good: SIGHUP,
// unless it is the container's stop signal, does not.
func (st *story) asksToStop(s *event.Signal) bool {
	return st.asksToEnd(s) && (unix.Signal(s.SignalNumber) != unix.SIGHUP || st.stopSignal() == s.Signal)
}

// asksToReload reports whether supervisors take a signal for a request to replace
// their workers.
func asksToReload(s *event.Signal) bool {
	switch unix.Signal(s.SignalNumber) {
	case unix.SIGHUP, unix.SIGUSR2:
		return isHandled(s)
	}
	return false
}

func reloadStarts(s *event.Signal) uint64 {
	if unix.Signal(s.SignalNumber) == unix.SIGHUP {
		return hangupStarts
	}
	return upgradeStarts
}

// openForward is a record that takes a process for a forwarder which has not ended
// yet. A process that was asked to stop ends, unless its stop was cancelled: then
// what it sent was of its own accord.
type openForward struct {
	story *story
	death *event.Death
	asked *story
	ask   *event.Signal
	// due is when the process must have ended (CLOCK_BOOTTIME, ns).
	due uint64
}

const openForwardsMax = 256

// watchForwarders remembers a record until its forwarders have ended.
func (e *Engine) watchForwarders(st *story, d *event.Death) {
	if st.cause == nil {
		return
	}
	for _, a := range st.cause.asks {
		if a.st == st || a.st.exit != nil || !a.st.asksToStop(a.ask) {
			continue
		}
		if len(e.open) >= openForwardsMax {
			e.open = e.open[1:]
		}
		e.open = append(e.open, openForward{st, d, a.st, a.ask, a.ask.BoottimeNS + e.patience(a.st, a.ask) + killsLate})
	}
}

// refuted returns the records of those whose forwarder lives on although it was
// asked to stop: it was not its stop that made it send the signal.
func (e *Engine) refuted(now uint64) []event.Event {
	var out []event.Event
	still := e.open[:0]
	for _, o := range e.open {
		switch {
		case o.asked.exit != nil:
		case now < o.due:
			still = append(still, o)
		default:
			var d event.Event
			e.o.Fence.Run(o.story.name, func() { d = e.recordWithout(o) })
			if d != nil {
				out = append(out, d)
			}
		}
	}
	clear(e.open[len(still):])
	e.open = still
	return out
}

func (e *Engine) recordWithout(o openForward) event.Event {
	if o.asked.refuted == nil {
		o.asked.refuted = map[*event.Signal]bool{}
	}
	o.asked.refuted[o.ask] = true
	if o.story.undecided != "" {
		return nil
	}
	o.story.cause = nil
	e.beginRules(o.story)
	d := e.record(o.story)
	e.endRules(o.story, false)
	if d == nil || !differs(d, o.death) && idOf(d.Actor) == idOf(o.death.Actor) {
		return nil
	}
	d.Revision = o.death.Revision + 1
	for i := range e.reported {
		if e.reported[i].story == o.story {
			d.Revision = e.reported[i].death.Revision + 1
			e.reported[i].death = d
		}
	}
	return d
}
