// SPDX-License-Identifier: Apache-2.0

package verdict

import "github.com/sigtrace/sigtrace/internal/event"

// weaken: of a death that was kept while no agent was there, the last signals
// are known and what was sent to others is not. An ancestor, or the dead one
// itself, may have been the messenger of somebody unseen.
func weaken(d *event.Death, f *finding, x *event.Exit) {
	if f.deciding == nil || !f.deciding.Kept && !x.Kept || d.Confidence != event.Proven {
		return
	}
	if same(d.Actor, d.Process) || d.Actor != nil && descends(d.Process, d.Actor) {
		d.Confidence = event.Likely
	}
}
