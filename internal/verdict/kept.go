// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/proctree"
)

// weaken: of a death that was kept while no agent was there, the last signals
// are known and what was sent to others is not. An ancestor, or the dead one
// itself, may have been the messenger of somebody unseen; and so may anybody where
// the ancestors are not known.
func weaken(d *event.Death, f *finding, x *event.Exit) {
	if f.deciding == nil || !f.deciding.Kept && !x.Kept || d.Confidence != event.Proven {
		return
	}
	if d.Actor == nil {
		return
	}
	if proctree.Same(d.Actor, d.Process) || proctree.Descends(d.Process, d.Actor) || len(d.Process.Ancestors) == 0 {
		d.Confidence = event.Likely
	}
}
