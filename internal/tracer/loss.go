// SPDX-License-Identifier: Apache-2.0

package tracer

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Loss is a number of events that were dropped, by lane and reason.
type Loss struct {
	Lane   string `json:"lane"`
	Reason string `json:"reason"`
	Count  uint64 `json:"count"`
	// Folded is set where the kernel side counted them instead of emitting them,
	// because the budget was spent of the cgroup with this kernfs id, in this
	// hierarchy (0 is the unified one, 1 v1's memory). 0 is no cgroup.
	Folded    bool   `json:"-"`
	Cgroup    uint64 `json:"-"`
	Hierarchy uint8  `json:"-"`
	key       typedBudgetKey
}

type lossReader struct{ reported map[Loss]uint64 }

// Losses returns what has been lost since the last call: events for which a
// ring had no room, and calls that the kernel skipped because the program was
// running on that CPU already (recursion_misses).
func (p *Tracer) Losses() ([]Loss, error) {
	now, err := p.lossTotals()
	if err != nil {
		return nil, err
	}
	if p.lost.reported == nil {
		p.lost.reported = map[Loss]uint64{}
	}
	var news []Loss
	for id, total := range now {
		if d := total - p.lost.reported[id]; d > 0 {
			news = append(news, Loss{Lane: id.Lane, Reason: id.Reason, Count: d})
			p.lost.reported[id] = total
		}
	}
	folded, err := p.budgetLosses()
	if err != nil {
		return nil, err
	}
	news = append(news, folded...)
	if p.pins != nil {
		return news, p.tellPins()
	}
	return news, nil
}

func (p *Tracer) lossTotals() (map[Loss]uint64, error) {
	totals := map[Loss]uint64{}
	for slot, id := range ringLosses() {
		var perCPU []uint64
		if err := p.maps["losses"].Lookup(uint32(slot), &perCPU); err != nil {
			return nil, fmt.Errorf("read the loss counters: %w", err)
		}
		for _, n := range perCPU {
			totals[id] += n
		}
	}
	full, err := p.lineageFull()
	if err != nil {
		return nil, err
	}
	totals[Loss{Lane: Lanes()[typedLaneLANE_ROUTINE], Reason: "lineage_full"}] = full
	for name, n := range p.RecursionMisses() {
		if name == "signal_generate" || name == "sched_process_exit" || name == "signal_deliver" {
			totals[Loss{Lane: Lanes()[typedLaneLANE_CRITICAL], Reason: "recursion"}] += n
		}
	}
	return totals, nil
}

// ringLosses says which loss each slot of the kernel's counters holds, by enum
// loss_index of bpf/event.h.
func ringLosses() [typedLossIndexLOSS_INDEXES]Loss {
	return [...]Loss{
		typedLossIndexLOSS_RING_FULL_CRITICAL: {Lane: Lanes()[typedLaneLANE_CRITICAL], Reason: "ring_full"},
		typedLossIndexLOSS_RING_FULL_ROUTINE:  {Lane: Lanes()[typedLaneLANE_ROUTINE], Reason: "ring_full"},
	}
}

// RecursionMisses counts, by hook, the calls that the kernel skipped.
func (p *Tracer) RecursionMisses() map[string]uint64 {
	misses := map[string]uint64{}
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, prog := range p.programs {
		// Counted from 5.12 on; an older kernel leaves it out.
		if stats, err := prog.Stats(); err == nil {
			misses[hookOf(name)] = stats.RecursionMisses
		}
	}
	return misses
}

// boottime is CLOCK_BOOTTIME in nanoseconds.
func boottime() uint64 {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &t) != nil {
		return 0
	}
	return uint64(t.Nano())
}

// lineageFull counts the processes whose lineage found no room.
func (p *Tracer) lineageFull() (uint64, error) {
	var perCPU []typedCounters
	if err := p.maps["counted"].Lookup(uint32(0), &perCPU); err != nil {
		return 0, fmt.Errorf("read the counters: %w", err)
	}
	var n uint64
	for _, c := range perCPU {
		n += c.ProcsFull
	}
	return n, nil
}
