// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/phrase"
	"github.com/sigtrace/sigtrace/internal/proctree"
)

// byTracer: a sender that is traced does what its tracer has it do (gdb's "call
// kill(…)"), or does its work while somebody looks on (strace); which of them it was
// does not show. So the tracer is to blame and nothing is proven. A runtime, or who
// else has a role, goes on being taken for that: whoever watches one at work would
// be blamed for each stop.
func (e *Engine) byTracer(from *event.Process, st *story, f *finding) {
	if !from.Traced {
		return
	}
	f.believe(false)
	tracer := from.Tracer
	if tracer == nil || f.cause == event.CauseSelfSignal {
		return
	}
	f.precede(event.Hop{Process: tracer, What: "traced " + phrase.Process(from) + " (ptrace)"})
	switch f.cause {
	case event.CauseForeignProcess, event.CauseSameContainer, event.CauseExecSession:
		f.actor, f.tracedSender = tracer, from
		f.cause = e.who(tracer, st, f)
	}
}

// throughTracee names the sender where its tracer is to blame.
func throughTracee(d *event.Death, f *finding) string {
	if f.tracedSender == nil || !proctree.Same(d.Actor, f.tracedSender.Tracer) {
		return ""
	}
	return ", tracing the sender, " + phrase.Name(f.tracedSender)
}
