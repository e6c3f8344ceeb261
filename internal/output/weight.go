// SPDX-License-Identifier: Apache-2.0

package output

import "github.com/sigtrace/sigtrace/internal/event"

// Rough sizes in bytes of an event, and of what it holds.
const (
	eventWeight   = 1 << 10
	processWeight = 512
)

// weightOf is about how many bytes an event takes while it waits. Two events that
// hold the same process count it twice.
func weightOf(e event.Event) int {
	n := eventWeight
	switch e := e.(type) {
	case *event.Signal:
		n += weightOfProcess(e.Sender) + weightOfProcess(e.Target) + weightOfProcess(e.Trigger)
	case *event.Exit:
		n += weightOfProcess(e.Process)
	case *event.OOM:
		n += len(e.Tasks) * 128
		if e.Victim != nil {
			n += weightOfProcess(e.Victim.Process)
		}
	case *event.Death:
		n += weightOfProcess(e.Process) + weightOfProcess(e.Actor) + eventWeight*(len(e.Signals)+len(e.Chain))
	}
	return n
}

func weightOfProcess(p *event.Process) int {
	if p == nil {
		return 0
	}
	n := processWeight * (1 + len(p.Ancestors) + len(p.PresentAncestors))
	for _, a := range p.Args {
		n += 16 + len(a)
	}
	return n
}
