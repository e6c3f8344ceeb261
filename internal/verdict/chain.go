// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"fmt"
	"slices"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/phrase"
	"github.com/sigtrace/sigtrace/internal/proctree"
)

// A messenger passes a signal on within this time (the contract's rule).
const passesOn = second

// bySender finds who began it and what that one is to the dead.
func (e *Engine) bySender(st *story, f *finding) {
	f.first = e.firstOf(f.deciding, f)
	from := e.doerOf(f.first.Signal)
	if from == nil {
		// The chain begins with a mechanism of the kernel's: a timer's or a
		// terminal's signal that a supervisor passed on.
		e.byMechanism(f, f.first)
		return
	}
	if forkedIntoKill(f.first.Signal) {
		f.confidence = event.Likely
	}
	f.actor = from
	f.cause = e.who(from, st, f)
	f.precede(hop(f.first, from))
	e.cleanedUp(f)
}

// firstOf follows messengers back: whoever sends a signal to itself or to a
// descendant, and had been sent the same one just before, only passes it on.
func (e *Engine) firstOf(s *noted, f *finding) *noted {
	for range hopsMax {
		prior := e.prior(s)
		if prior == nil {
			return s
		}
		if s.BoottimeNS-prior.BoottimeNS > passesOn {
			f.confidence = event.Likely
		}
		f.precede(hop(s, doer(s.Signal)))
		s = prior
	}
	return s
}

func (e *Engine) prior(s *noted) *noted {
	from := s.Sender
	st := e.find(from)
	if st == nil || !proctree.Same(from, s.Target) && !proctree.Descends(s.Target, from) {
		return nil
	}
	for i := len(st.signals) - 1; i >= 0; i-- {
		p := &st.signals[i]
		if p.Signal == s.Signal || p.SignalNumber != s.SignalNumber || p.BoottimeNS > s.BoottimeNS ||
			s.BoottimeNS-p.BoottimeNS > e.passesOn(st, p, s) || p.Result == event.ResultIgnored || proctree.Same(p.Sender, from) {
			continue
		}
		return p
	}
	return nil
}

// passesOn is how long after p its target st may have sent s because of it. A
// container that its runtime asks to end may clean up first, as long as it is
// given, and then raise again what it was stopped with: uvicorn does.
func (e *Engine) passesOn(st *story, p, s *noted) uint64 {
	if proctree.Same(s.Sender, s.Target) && st.asksToEnd(p.Signal) && p.Sender != nil && proctree.IsRuntime(p.Sender, p.Target) {
		return e.patience(st, p.Signal)
	}
	return passesOn
}

func hop(s *noted, by *event.Process) event.Hop {
	return event.Hop{Process: by, What: fmt.Sprintf("sent %s to %s", s.Signal.Signal, phrase.Process(s.Target))}
}

// cleansUp is how long after its shim's death a runtime's kill is its clean-up.
const cleansUp = 30 * second

// cleanedUp: where the container's shim or monitor has died, that is why the
// runtime stepped in.
func (e *Engine) cleanedUp(f *finding) {
	if f.cause != event.CauseRuntimeStop {
		return
	}
	monitor, from := proctree.MonitorOf(f.deciding.Target), e.doerOf(f.first.Signal)
	m := e.find(monitor)
	if m == nil || m.exit == nil {
		// Its death was before sigtrace's time, or was missed: the lineage knows
		// of it, or what the runtime does.
		if monitor != nil && monitor.Dead && !proctree.Descends(from, monitor) || proctree.RemovesRemains(from) {
			f.cause, f.confidence, f.actor = event.CauseRuntimeCleanup, event.Likely, nil
			f.precede(diedUnseen(monitor))
		}
		return
	}
	if m.exit.BoottimeNS > f.first.BoottimeNS || f.first.BoottimeNS-m.exit.BoottimeNS > cleansUp {
		return
	}
	f.cause = event.CauseRuntimeCleanup
	cause := e.setOff(f, m)
	if cause == nil {
		return
	}
	dead := event.Hop{Process: m.process, What: "died (" + string(cause.cause) + ") and left its container to the runtime"}
	f.precede(append(slices.Clone(cause.hops), dead)...)
}

func diedUnseen(monitor *event.Process) event.Hop {
	if monitor == nil {
		return event.Hop{What: "the container's shim died, it was not seen why"}
	}
	return event.Hop{Process: monitor, What: "died, it was not seen why"}
}
