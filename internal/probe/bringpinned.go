// SPDX-License-Identifier: Apache-2.0

package probe

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
func (p *Probe) bringUpPinned(c Config, o object) error {
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
	p.startLosses()
	return p.pins.complete(id, p.pinnedHooks())
}

// startEpoch has every process described again: who was told of them before
// has forgotten.
func (p *Probe) startEpoch() error {
	p.epoch = p.pins.record.Epoch
	return p.Forget(1)
}

// exchangeHooks brings up new programs; each takes the place of the one that
// served its hook before, so that nothing goes unseen.
func (p *Probe) exchangeHooks(c Config) error {
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
func (p *Probe) pin(h hook, prog *ebpf.Program, l link.Link) {
	if p.pins == nil {
		return
	}
	if err := p.pins.swap(h, prog, l); err != nil {
		p.mu.Lock()
		p.unpinned[h.program] = true
		p.mu.Unlock()
	}
}

func (p *Probe) pinnedHooks() map[string]string {
	states := maps.Clone(p.hooks)
	for _, h := range hooks() {
		if p.unpinned[h.program] && states[h.name] == Attached {
			states[h.name] = notPinned
		}
	}
	return states
}

// startLosses goes on counting where the losses were last told.
func (p *Probe) startLosses() {
	r := p.pins.record
	p.lost.told = map[Loss]uint64{}
	for _, l := range r.Told {
		// The programs' own counters begin with the programs.
		if l.Reason == "recursion" && p.pins.report.State != PinsReused {
			continue
		}
		p.lost.told[Loss{Lane: l.Lane, Reason: l.Reason}] = l.Count
	}
	if total, err := p.notKept(); err == nil {
		p.pins.report.NotKept = total - min(r.NotKept, total)
	}
}

// tellPins stores what has been told and until when.
func (p *Probe) tellPins() error {
	var told []Loss
	for l, n := range p.lost.told {
		told = append(told, Loss{l.Lane, l.Reason, n})
	}
	slices.SortFunc(told, func(a, b Loss) int {
		return slices.Compare([]string{a.Lane, a.Reason}, []string{b.Lane, b.Reason})
	})
	total, err := p.notKept()
	if err != nil {
		return err
	}
	return p.pins.update(func(r *pinRecord) { r.Told, r.NotKept, r.Seen = told, total, boottime() })
}

// notKept counts the deaths that found no room to be kept.
func (p *Probe) notKept() (uint64, error) {
	var perCPU []typedCounters
	if err := p.maps["counted"].Lookup(uint32(0), &perCPU); err != nil {
		return 0, fmt.Errorf("read the counters: %w", err)
	}
	var n uint64
	for _, c := range perCPU {
		n += c.KeptFull
	}
	return n, nil
}
