// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"time"

	"github.com/sigtrace/sigtrace/internal/tracer/wire"
)

// held is an event that waits: a signal for the kernel's decision, any event
// for its container's name.
type held struct {
	raw   any
	until time.Time
	// undecided is the signal whose fate is awaited; nil once it is known.
	undecided *wire.Signal
	paths     []string
	// kept: the kernel side had kept it, and only the verdicts get it.
	kept bool
}

// boottime is when an event happened (CLOCK_BOOTTIME, ns).
func (h *held) boottime() uint64 {
	switch e := h.raw.(type) {
	case *wire.Signal:
		return e.Boottime
	case *wire.OOM:
		return e.Boottime
	case *wire.Exit:
		return e.Boottime
	}
	return 0
}

const (
	// undecidedWait is how long a signal waits for the kernel's decision.
	undecidedWait = 100 * time.Millisecond
	// heldMax bounds the events that wait; beyond it they go as they are.
	heldMax = 4096
)

// waitList has the events that wait, in the order that they came in. What its methods
// return waits no longer and is to be emitted, in that order.
type waitList struct {
	names nameQueue
	held  []*held
}

// awaitDecision holds an undecided signal back until its fate is known.
func (h *held) awaitDecision(e *wire.Signal, now time.Time) {
	h.undecided = e
	if until := now.Add(undecidedWait); until.After(h.until) {
		h.until = until
	}
}

// add takes in an event.
func (w *waitList) add(h *held) []*held {
	if !w.waits(h, time.Now()) {
		return []*held{h}
	}
	var first []*held
	if len(w.held) >= heldMax {
		first, w.held = []*held{w.held[0]}, w.held[1:]
	}
	w.held = append(w.held, h)
	return first
}

func (w *waitList) waits(h *held, now time.Time) bool {
	if now.After(h.until) {
		return false
	}
	return h.undecided != nil || w.names.open(h.paths)
}

// decide gives a waiting signal its fate.
func (w *waitList) decide(e *wire.Deliver) []*held {
	for _, h := range w.held {
		s := h.undecided
		if s == nil || s.Signal != e.Signal || s.Target.Key != e.Target.Key || s.Boottime != e.Generated {
			continue
		}
		s.Flags &^= wire.SignalUndecided
		if e.Fatal {
			s.Flags |= wire.SignalFatal
		} else {
			s.Flags |= wire.SignalSurvived
		}
		h.undecided = nil
		return w.release(time.Now())
	}
	return nil
}

// release takes out what need not wait any longer.
func (w *waitList) release(now time.Time) []*held {
	var out, still []*held
	for _, h := range w.held {
		if w.waits(h, now) {
			still = append(still, h)
		} else {
			out = append(out, h)
		}
	}
	w.held = still
	return out
}

// drain takes out everything: the stream has ended, and nothing comes any more.
func (w *waitList) drain() []*held {
	out := w.held
	w.held = nil
	return out
}

// heldBack is seen, or before it the time of the earliest event that waits
// (CLOCK_BOOTTIME, ns).
func (w *waitList) heldBack(seen uint64) uint64 {
	for _, h := range w.held {
		seen = min(seen, h.boottime())
	}
	return seen
}
