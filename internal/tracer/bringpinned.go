// SPDX-License-Identifier: Apache-2.0

package tracer

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// notPinned is what the record says of a hook whose link this kernel cannot
// pin: kprobes before 5.15.
const notPinned = "attached, and not pinned"

// detached is how long after its pin has gone a program may run still: the
// kernel waits for an RCU grace period, and then for a worker.
const detached = 500 * time.Millisecond

// bringUpPinned goes on with what is pinned as far as it fits.
func (p *Tracer) bringUpPinned(c Config, o object) error {
	id, err := identify(c, o, p.spec)
	if err != nil {
		return err
	}
	if err := p.makePinnedMaps(id); err != nil {
		return err
	}
	if p.options, err = collectionOptions(c); err != nil {
		return err
	}
	if err := p.startEpoch(); err != nil {
		return err
	}
	if p.pins.report.State == PinsReused {
		err = p.takeHooks()
	} else {
		err = p.exchangeHooks(c)
	}
	if err != nil {
		return err
	}
	total, err := p.startLosses()
	if err != nil {
		return err
	}
	return p.pins.complete(id, p.pinnedHooks(), total)
}

// startEpoch has every process described again: who was reported of them before
// has forgotten.
func (p *Tracer) startEpoch() error {
	p.epoch = p.pins.record.Epoch
	// Remembered answers of the filter must not come to life again.
	if err := p.vars["target_generation"].Get(&p.levels.generation); err != nil {
		return fmt.Errorf("read target_generation: %w", err)
	}
	return p.Forget(1)
}

// exchangeHooks brings up new programs; each takes the place of the one that
// served its hook before, so that nothing goes unseen.
func (p *Tracer) exchangeHooks(c Config) error {
	from := boottime()
	if err := p.bringAll(c.Without); err != nil {
		return err
	}
	if p.pins.report.State == PinsUpgraded {
		p.pins.report.Overlap = [2]uint64{from, boottime() + uint64(detached)}
	}
	attached := map[string]bool{}
	for _, h := range hooks() {
		if p.hooks[h.name] == Attached && !p.unpinned[h.program] {
			attached[h.program] = true
		}
	}
	return p.pins.drop(attached)
}

// pin lets a hook outlive us, where the kernel can pin its link.
func (p *Tracer) pin(h hook, prog *ebpf.Program, l link.Link) {
	if p.pins == nil {
		return
	}
	if err := p.pins.swap(h, prog, l); err != nil {
		p.mu.Lock()
		p.unpinned[h.program] = true
		p.mu.Unlock()
	}
}

func (p *Tracer) pinnedHooks() map[string]string {
	states := maps.Clone(p.hooks)
	for _, h := range hooks() {
		if p.unpinned[h.program] && states[h.name] == Attached {
			states[h.name] = notPinned
		}
	}
	return states
}

// startLosses goes on counting where the losses were last reported. It returns how
// many deaths have not been kept, ever.
func (p *Tracer) startLosses() (uint64, error) {
	r := p.pins.record
	p.lost.reported = map[Loss]uint64{}
	for _, l := range r.Told {
		// The programs' own counters, and the budgets, begin with the programs.
		if (l.Reason == "recursion" || l.Reason == reasonBudget) && p.pins.report.State != PinsReused {
			continue
		}
		p.lost.reported[Loss{Lane: l.Lane, Reason: l.Reason}] = l.Count
	}
	if p.pins.report.State == PinsReused {
		if err := p.resumeBudgets(); err != nil {
			return 0, err
		}
	}
	total, err := p.notKept()
	p.pins.report.NotKept = total - min(r.NotKept, total)
	return total, err
}

// tellPins stores what has been reported and until when.
func (p *Tracer) tellPins() error {
	var reported []Loss
	for l, n := range p.lost.reported {
		reported = append(reported, Loss{Lane: l.Lane, Reason: l.Reason, Count: n})
	}
	slices.SortFunc(reported, func(a, b Loss) int {
		return slices.Compare([]string{a.Lane, a.Reason}, []string{b.Lane, b.Reason})
	})
	return p.pins.update(func(r *pinRecord) { r.Told, r.Seen = reported, boottime() })
}

// NotKept counts the deaths that found no room to be kept since the start. If
// the agent is killed before it has written them they are lost.
func (p *Tracer) NotKept() uint64 {
	total, err := p.notKept()
	if err != nil || p.pins == nil {
		return 0
	}
	return total - min(p.pins.notKept(), total)
}

// Retarget drops the target cgroups of an earlier run. It is called once this
// run's are known.
func (p *Tracer) Retarget() error {
	if p.pins == nil {
		return nil
	}
	p.levels.mu.Lock()
	defer p.levels.mu.Unlock()
	m := p.maps["target_cgroups"]
	var stale []uint64
	var key uint64
	var value uint8
	it := m.Iterate()
	for it.Next(&key, &value) {
		if _, is := p.levels.level[key]; !is {
			stale = append(stale, key)
		}
	}
	for _, k := range stale {
		if err := m.Delete(k); err != nil && !isNotFound(err) {
			return fmt.Errorf("remove a target cgroup of an earlier run: %w", err)
		}
	}
	return it.Err()
}

// notKept counts the deaths that have not been kept, ever.
func (p *Tracer) notKept() (uint64, error) { return sumNotKept(p.maps["counted"]) }
