// SPDX-License-Identifier: Apache-2.0

package safetext

import "github.com/sigtrace/sigtrace/internal/event"

// Foreign makes fit to be shown what an event that was read from a file, perhaps
// somebody else's, has in the place of sigtrace's own words: names of signals,
// causes, mechanisms. It writes to the event.
func Foreign(e event.Event) {
	switch e := e.(type) {
	case *event.Signal:
		foreignSignal(e)
	case *event.Stuck:
		if e.Signal != nil {
			foreignSignal(e.Signal)
		}
	case *event.OOM:
		foreignOOM(e)
	case *event.Exit:
		e.Exit.Signal = Quote(e.Exit.Signal)
	case *event.Death:
		foreignDeath(e)
	case *event.Lost:
		e.Lane, e.Reason = Quote(e.Lane), Quote(e.Reason)
	}
}

func foreignSignal(s *event.Signal) {
	s.Signal, s.Via, s.Result = Quote(s.Signal), event.Via(Quote(string(s.Via))), event.Result(Quote(string(s.Result)))
}

func foreignOOM(o *event.OOM) { o.Scope, o.LimitLevel = Quote(o.Scope), Quote(o.LimitLevel) }

func foreignDeath(d *event.Death) {
	d.Exit.Signal = Quote(d.Exit.Signal)
	d.Cause, d.Confidence = event.Cause(Quote(string(d.Cause))), event.Confidence(Quote(string(d.Confidence)))
	if d.OOM != nil {
		foreignOOM(d.OOM)
	}
	for i := range d.Signals {
		d.Signals[i].Signal = Quote(d.Signals[i].Signal)
	}
	for i := range d.HandledSignals {
		s := &d.HandledSignals[i]
		s.Signal, s.Address = Quote(s.Signal), Quote(s.Address)
	}
	for i := range d.Evidence {
		d.Evidence[i].Source = Quote(d.Evidence[i].Source)
	}
}
