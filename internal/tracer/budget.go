// SPDX-License-Identifier: Apache-2.0

package tracer

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cilium/ebpf"
)

const (
	// eventCost is what an event takes of its container's, unit's or user's budget:
	// so a flood comes to a thousand signals a second, or a hundred deaths (bpf/budget.h).
	eventCost = time.Millisecond
	// reasonBudget is the reason of events that were counted instead of emitted.
	reasonBudget = "budget"
	// budgetsReported bounds how many budgets are reported at once: those that
	// dropped most. The others are reported the next time.
	budgetsReported = 16
	// unitRoots is UNIT_ROOTS of bpf/config.h.
	unitRoots = 8
)

// budgetReader knows what has been reported of each budget.
type budgetReader struct {
	reported map[budgetLane]uint64
	// away is what was dropped while no agent was there to report it.
	away []Loss
}

type budgetLane struct {
	key  typedBudgetKey
	lane int
}

// UnitRoot is a cgroup of the first level below which units or containers lie at
// another depth than that of systemd's units.
type UnitRoot struct {
	Hierarchy uint8
	ID        uint64
	Level     uint32
}

// SetUnitRoots names the cgroups below which units lie at a level of their own. What
// finds no room is taken for systemd's.
func (p *Tracer) SetUnitRoots(roots []UnitRoot) error {
	var ids [2][unitRoots]uint64
	var levels [2][unitRoots]uint32
	var n [2]int
	for _, r := range roots {
		h := r.Hierarchy & 1
		if n[h] == unitRoots {
			continue
		}
		ids[h][n[h]], levels[h][n[h]] = r.ID, r.Level
		n[h]++
	}
	// The levels first: an id without its level would make it the root's.
	if err := errors.Join(p.vars["unit_root_levels"].Set(levels), p.vars["unit_roots"].Set(ids)); err != nil {
		return fmt.Errorf("set the levels of units: %w", err)
	}
	return nil
}

// budgetLosses returns what has been counted instead of emitted since the last
// call, in the name of the cgroup whose budget was spent.
func (p *Tracer) budgetLosses() ([]Loss, error) {
	b := &p.budgets
	if b.reported == nil {
		b.reported = map[budgetLane]uint64{}
	}
	var news []Loss
	var idle []typedBudgetKey
	entries := 0
	err := p.eachBudget(func(key typedBudgetKey, folded [LaneCount]uint64) {
		entries++
		if folded == [LaneCount]uint64{} {
			idle = append(idle, key)
		}
		for lane, total := range folded {
			if d := total - min(total, b.reported[budgetLane{key, lane}]); d > 0 {
				news = append(news, Loss{
					Lane: Lanes()[lane], Reason: reasonBudget, Count: d,
					Folded: true, Cgroup: key.Cgroup, Hierarchy: uint8(key.Hierarchy), key: key,
				})
			}
		}
	})
	if err != nil {
		return nil, err
	}
	if entries > int(p.maps["budgets"].MaxEntries())/2 {
		p.dropBudgets(idle)
	}
	news = append(b.choose(news), b.away...)
	b.away = nil
	for _, l := range news {
		p.lost.reported[Loss{Lane: l.Lane, Reason: l.Reason}] += l.Count
	}
	return news, nil
}

// eachBudget reads all budgets, the shared one with the key of no cgroup.
func (p *Tracer) eachBudget(do func(typedBudgetKey, [LaneCount]uint64)) error {
	var key typedBudgetKey
	var value typedBudget
	it := p.maps["budgets"].Iterate()
	for it.Next(&key, &value) {
		do(key, value.Folded)
	}
	// A map that changes while it is read is read again the next time.
	if err := it.Err(); err != nil && !errors.Is(err, ebpf.ErrIterationAborted) {
		return fmt.Errorf("read the budgets: %w", err)
	}
	if err := p.maps["shared_budget"].Lookup(uint32(0), &value); err != nil {
		return fmt.Errorf("read the shared budget: %w", err)
	}
	do(typedBudgetKey{}, value.Folded)
	return nil
}

// resumeBudgets goes on with pinned budgets. What was dropped while no agent was
// there is the difference to what the last one reported, of all together.
func (p *Tracer) resumeBudgets() error {
	p.budgets.reported = map[budgetLane]uint64{}
	var sum [LaneCount]uint64
	err := p.eachBudget(func(key typedBudgetKey, folded [LaneCount]uint64) {
		for lane, total := range folded {
			p.budgets.reported[budgetLane{key, lane}] = total
			sum[lane] += total
		}
	})
	if err != nil {
		return err
	}
	for lane, name := range Lanes() {
		reported := p.lost.reported[Loss{Lane: name, Reason: reasonBudget}]
		if d := sum[lane] - min(sum[lane], reported); d > 0 {
			p.budgets.away = append(p.budgets.away, Loss{Lane: name, Reason: reasonBudget, Count: d, Folded: true})
		}
	}
	return nil
}

// dropBudgets makes room: who has dropped nothing begins with a new budget.
func (p *Tracer) dropBudgets(idle []typedBudgetKey) {
	for i := range idle {
		_ = p.maps["budgets"].Delete(&idle[i]) // it may be gone
	}
}

// choose takes those that dropped most.
func (b *budgetReader) choose(news []Loss) []Loss {
	slices.SortStableFunc(news, func(x, y Loss) int { return cmp.Compare(y.Count, x.Count) })
	news = news[:min(len(news), budgetsReported)]
	for _, l := range news {
		b.reported[budgetLane{l.key, slices.Index(laneNames(), l.Lane)}] += l.Count
	}
	return news
}

func laneNames() []string { names := Lanes(); return names[:] }
