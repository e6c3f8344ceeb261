// SPDX-License-Identifier: Apache-2.0

package resolve

import (
	"fmt"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/signal"
	"github.com/sigtrace/sigtrace/internal/tracer/wire"
)

// Signal makes the contract's signal event. Fatal is left open where the
// kernel decides only at delivery.
func (r *Resolver) Signal(e *wire.Signal) *event.Signal {
	via, function := r.mechanisms.Via(e, r.functions(e.Frames))
	s := &event.Signal{
		Header: r.Header(event.TypeSignal, e.Boottime),
		Signal: signal.Name(e.Signal), SignalNumber: e.Signal,
		Via: via, KernelFunction: function, Result: result(e),
		Fatal: fatal(e),
		SignalDetail: event.SignalDetail{
			Matters:        e.Flags&wire.SignalMatters != 0 && e.Flags&wire.SignalTooLate == 0,
			ThreadDirected: e.Flags&wire.SignalGroup == 0,
			Handled:        e.Flags&wire.SignalHandled != 0,
			Blocked:        e.Flags&wire.SignalBlocked != 0,
			Context:        e.Flags&wire.SignalContext != 0,
			Outside:        e.Flags&wire.SignalOutside != 0,
			Noted:          e.Flags&wire.SignalNoted != 0,
			Address:        address(e),
		},
	}
	if e.Info == wire.InfoReal {
		s.Code = &e.Code
	}
	if e.Flags&wire.SignalNoted != 0 {
		r.Recall(e.Current.Key, e.Sender) // it may be gone and forgotten
	}
	s.SenderGroupDead = via == event.ViaPdeathsig && e.Flags&wire.SignalSenderGroupDead != 0
	s.Target = r.Process(e.Target)
	s.ForkedIntoKill = via == event.ViaCgroupKill && forkedIntoKill(e, function)
	self := e.Current.Key == e.Target.Key
	switch {
	case sent(via):
		s.Sender = r.Process(e.Current)
	case triggered(via, e.Current, self):
		s.Trigger = r.Process(e.Current)
	}
	return s
}

func fatal(e *wire.Signal) *bool {
	yes, no := true, false
	switch {
	case e.Flags&wire.SignalFatal != 0:
		return &yes
	case e.Flags&wire.SignalUndecided != 0:
		return nil
	case e.Flags&(wire.SignalSurvived|wire.SignalTooLate) != 0, e.Result == 1, e.Result == 2:
		// Ignored, or this instance was never queued.
		return &no
	}
	return nil
}

// result is what the kernel did with it, but for a target that was dying already.
func result(e *wire.Signal) event.Result {
	if e.Flags&wire.SignalTooLate != 0 {
		return event.ResultTooLate
	}
	results := [...]event.Result{
		event.ResultDelivered, event.ResultIgnored, event.ResultAlreadyPending,
		event.ResultOverflow, event.ResultInfoLost,
	}
	if int(e.Result) < len(results) {
		return results[e.Result]
	}
	return ""
}

// address is that of a noted fault; 0 is none (a general protection fault's too).
func address(e *wire.Signal) string {
	if e.Address == 0 {
		return ""
	}
	return fmt.Sprintf("%#x", e.Address)
}
