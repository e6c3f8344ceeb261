// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"fmt"
	"slices"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/phrase"
	"github.com/sigtrace/sigtrace/internal/proctree"
)

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
	e.byTracer(from, st, f)
	e.cleanedUp(f)
}

// firstOf follows forwarders back to who asked first.
func (e *Engine) firstOf(s *noted, f *finding) *noted {
	for range hopsMax {
		prior := e.prior(s)
		if prior == nil {
			return s
		}
		delay := s.BoottimeNS - prior.BoottimeNS
		if delay > sameSignalWindow || s.SignalNumber != prior.SignalNumber {
			f.confidence = event.Likely
			f.asks = append(f.asks, openAsk{e.find(prior.Target), prior.Signal})
		}
		f.precede(forwardHop(s, prior))
		s = prior
	}
	return s
}

// forwardHop is a forwarder's hop: what it did, how long after it was asked.
func forwardHop(s, ask *noted) event.Hop {
	h := hop(s, doer(s.Signal))
	after := phrase.Duration(nanoseconds(s.BoottimeNS - ask.BoottimeNS))
	switch {
	case ownFault(s.Signal):
		h = event.Hop{Process: s.Target, What: fmt.Sprintf("crashed (%s), %s after it was sent %s", s.Signal.Signal, after, ask.Signal.Signal)}
	case ownFault(ask.Signal):
		h.What += fmt.Sprintf(", %s after its %s", after, ask.Signal.Signal)
	default:
		h.What += fmt.Sprintf(", %s after it was sent %s", after, ask.Signal.Signal)
	}
	return h
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
