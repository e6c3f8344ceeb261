// SPDX-License-Identifier: Apache-2.0

package pipeline

import "github.com/sigtrace/sigtrace/internal/event"

// Filter is the user's choice of what to show.
type Filter struct {
	Types map[event.Type]bool
	// All shows routine signals too.
	All bool
	// MaxEvents ends the run after so many events; 0 is no limit.
	MaxEvents int
	// Signals has bit n-1 set for each signal n to show; 0 is all.
	Signals uint64
	// SenderPID and SenderComm choose signals and deaths by who caused them.
	SenderPID  int
	SenderComm string
	// Causes are the deaths to show; none is all.
	Causes event.CauseSet
}

// shows answers whether an event is to be printed; lost and status always are. The
// verdicts get everything, also what is not shown.
func (f Filter) shows(e event.Event) bool {
	t := e.Common().Type
	if t == event.TypeLost || t == event.TypeStatus {
		return true
	}
	if !f.Types[t] {
		return false
	}
	switch e := e.(type) {
	case *event.Signal:
		return !e.Context && (f.All || e.Matters && !isTooLate(e)) && f.wantedSignal(e.SignalNumber) && f.from(e.Sender, e.Trigger)
	case *event.OOM:
		return !e.Context
	case *event.Exit:
		return !e.Context
	case *event.Stuck:
		return !e.Signal.Context
	case *event.Death:
		return f.Causes.Has(e.Cause) && f.from(e.Actor, nil)
	}
	return true
}

func (f Filter) wantedSignal(n int) bool {
	return f.Signals == 0 || f.Signals&(1<<(n-1)) != 0
}

// from is the filter on the sender, or on who triggered what has none.
func (f Filter) from(sender, trigger *event.Process) bool {
	if f.SenderPID == 0 && f.SenderComm == "" {
		return true
	}
	who := sender
	if who == nil {
		who = trigger
	}
	return who != nil && (f.SenderPID == 0 || who.PID == f.SenderPID) &&
		(f.SenderComm == "" || who.Comm == f.SenderComm)
}

// isTooLate reports whether a signal only hit what was dying already, as those of a
// PID namespace's init to itself do.
func isTooLate(s *event.Signal) bool {
	return s.Result == event.ResultTooLate || s.Result == event.ResultIgnored && s.Via == event.ViaPidnsExit
}
