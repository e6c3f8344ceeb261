// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"github.com/sigtrace/sigtrace/internal/event"
)

const (
	// exitDue is when an exit that a fatal signal has announced is missed.
	exitDue = second
	// stuckAfter is the contract's: a SIGKILL that has not ended its target.
	stuckAfter = 10 * second
)

// overdue looks at those whose end has been announced and has not come: it was
// missed, or it does not happen.
func (e *Engine) overdue(now uint64) []event.Event {
	var out []event.Event
	still := e.killed[:0]
	for _, st := range e.killed {
		if st.exit != nil || st.stuck {
			continue
		}
		age := now - min(now, st.killed.BoottimeNS)
		if age < exitDue || e.o.Task == nil {
			if age < window {
				still = append(still, st)
			}
			continue
		}
		var s event.Event
		e.o.Fence.Run(st.name, func() { s = e.look(st, age) })
		if s != nil {
			out = append(out, s)
			continue
		}
		if st.exit == nil && age < window {
			still = append(still, st)
		}
	}
	e.killed = still
	return out
}

// look finds out whether a process is still there: when its exit is due, when it
// counts as stuck, and ever more seldom.
func (e *Engine) look(st *story, age uint64) event.Event {
	if age < st.lookAfter {
		return nil
	}
	st.lookAfter = max(stuckAfter, 2*age) // a large core takes minutes to write
	task, there := e.o.Task(st.id.pid, st.id.start)
	if !there {
		e.unseen(st)
		return nil
	}
	kill := st.sigkill
	if kill == nil {
		return nil
	}
	since := st.killed.BoottimeNS + age - kill.BoottimeNS
	if since < stuckAfter {
		return nil
	}
	st.stuck = true
	return &event.Stuck{
		Header: event.Header{
			Schema: event.Schema, Type: event.TypeStuck, Node: e.o.Node,
			Time:       kill.Time.Add(nanoseconds(since)),
			BoottimeNS: kill.BoottimeNS + since,
		},
		Target: st.process, Signal: kill,
		State: task.State, Wchan: task.Wchan, Stack: task.Stack, Frozen: task.Frozen,
		ForSeconds: float64(since) / 1e9,
	}
}

// unseen makes the exit that was not seen, of what announced it: the process
// is gone.
func (e *Engine) unseen(st *story) {
	h := st.killed.Header
	h.Type = event.TypeExit
	e.Exit(&event.Exit{
		Header: h, Process: st.process,
		ExitDetail: event.ExitDetail{Unseen: true, Context: st.killed.Context, SignalNumber: st.killed.SignalNumber},
		Exit:       event.ExitStatus{Code: 128 + st.killed.SignalNumber, Signal: st.killed.Signal},
	})
}
