// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/proctree"
)

// weaken takes back that an actor is proven who may only have been a forwarder,
// because what it was itself sent may not have been seen: of a death that was kept
// while no agent was running only the last signals are known; and events may have
// been dropped. An ancestor, or the process itself, may forward; and so may anybody
// where the ancestors are not known.
func (e *Engine) weaken(d *event.Death, f *finding, x *event.Exit) {
	if f.deciding == nil || d.Actor == nil || d.Confidence != event.Proven {
		return
	}
	if !f.deciding.Kept && !x.Kept && !e.mayHaveLostAsk(d.Actor, f.deciding.BoottimeNS) {
		return
	}
	if proctree.Same(d.Actor, d.Process) || proctree.Descends(d.Process, d.Actor) || len(d.Process.Ancestors) == 0 {
		d.Confidence = event.Likely
	}
}
