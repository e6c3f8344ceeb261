// SPDX-License-Identifier: Apache-2.0

package phrase

import (
	"fmt"
	"slices"

	"github.com/sigtrace/sigtrace/internal/event"
)

// PlainDeath is a record in its plainest form, for one that cannot be made or shown
// in full: what ended and how, with cause unknown. It keeps ID and revision.
func PlainDeath(of *event.Death, why event.Undecided) *event.Death {
	d := &event.Death{Header: of.Header, ID: of.ID, Revision: of.Revision, Process: of.Process, Exit: of.Exit}
	d.Cause, d.Confidence = event.CauseUnknown, event.Unknown
	p := *d.Process
	p.Ancestors, p.PresentAncestors, p.Args = nil, nil, slices.Clone(p.Args[:min(len(p.Args), 1)])
	d.Process = &p
	reason := undecidedText(why)
	d.Evidence = []event.Evidence{
		{Time: d.Time, Source: "sched_process_exit", Text: Process(&p) + " " + Ended(d.Exit)},
		{Time: d.Time, Source: "sigtrace", Text: reason},
	}
	how := fmt.Sprintf("exited with code %d", d.Exit.Code)
	if d.Exit.Signal != "" {
		how = fmt.Sprintf("was killed (%s, exit %d)", d.Exit.Signal, d.Exit.Code)
	}
	d.Summary = Subject(&p) + " " + how + "; its cause is unknown: " + reason + "."
	d.TenantSummary = d.Summary
	return d
}

func undecidedText(why event.Undecided) string {
	if why == event.UndecidedCrash {
		return "the agent crashed or was killed while it made this record before, so the rules were not run again"
	}
	return "an internal error occurred while this record was made (see the agent's log)"
}
