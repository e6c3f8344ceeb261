// SPDX-License-Identifier: Apache-2.0

package pipeline

import "github.com/sigtrace/sigtrace/internal/event"

// shown is the user's choice; lost and status are written whatever it is. The
// verdicts see everything, also what is not shown.
func (p *Pipeline) shown(e event.Event) bool {
	t := e.Common().Type
	if t == event.TypeLost || t == event.TypeStatus {
		return true
	}
	if !p.o.Types[t] {
		return false
	}
	switch e := e.(type) {
	case *event.Signal:
		return !e.Context && (p.o.All || e.Matters && !isTooLate(e)) && p.wantedSignal(e.SignalNumber) && p.from(e.Sender, e.Trigger)
	case *event.OOM:
		return !e.Context
	case *event.Exit:
		return !e.Context
	case *event.Stuck:
		return !e.Signal.Context
	case *event.Death:
		return (len(p.o.Causes) == 0 || p.o.Causes[e.Cause]) && p.from(e.Actor, nil)
	}
	return true
}

func (p *Pipeline) wantedSignal(n int) bool {
	return p.o.Signals == 0 || p.o.Signals&(1<<(n-1)) != 0
}

// from is the filter on the sender, or on who triggered what has none.
func (p *Pipeline) from(sender, trigger *event.Process) bool {
	if p.o.SenderPID == 0 && p.o.SenderComm == "" {
		return true
	}
	who := sender
	if who == nil {
		who = trigger
	}
	return who != nil && (p.o.SenderPID == 0 || who.PID == p.o.SenderPID) &&
		(p.o.SenderComm == "" || who.Comm == p.o.SenderComm)
}

// isTooLate reports whether a signal only hit what was dying already, as those of a
// PID namespace's init to itself do.
func isTooLate(s *event.Signal) bool {
	return s.Result == event.ResultTooLate || s.Result == event.ResultIgnored && s.Via == event.ViaPidnsExit
}
