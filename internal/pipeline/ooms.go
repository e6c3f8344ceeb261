// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"fmt"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
)

// unwitnessed is a system OOM kill that waits for the kernel's log, which alone
// tells the free pages of each order.
type unwitnessed struct {
	oom   *event.OOM
	until time.Time
}

// witnessIn is how long after a kill its line of the log may come: usually some
// milliseconds, but a machine without memory is a slow one.
const witnessIn = time.Second

// early is a word of the log that came before the event: the two are read beside
// each other.
type early struct {
	log *event.KernelOOM
	at  time.Time
}

const earlyMax = 16

// joinLog gives an event what the log says of it, or holds it back until it does.
func (p *Pipeline) joinLog(e event.Event) (joined event.Event, wait bool) {
	o, ok := e.(*event.OOM)
	if !ok || p.o.KernelLog == nil || p.o.Witnessed == nil || o.Scope != "system" || o.Victim == nil || !p.shown(o) {
		return e, false
	}
	now := time.Now()
	for _, l := range p.logs {
		if l.log.PID == o.Victim.PID && now.Sub(l.at) < witnessIn {
			return p.witnessed(o, l.log), false
		}
	}
	p.ooms = append(p.ooms, unwitnessed{o, now.Add(witnessIn)})
	return e, true
}

// kernelLog hands on what the log says.
func (p *Pipeline) kernelLog(k *event.KernelOOM) error {
	if p.o.Verdicts != nil {
		p.o.Fence.Run(func() string { return fmt.Sprintf("a line of the kernel log on pid %d", k.PID) }, func() { p.o.Verdicts.KernelLog(k) })
	}
	for i, u := range p.ooms {
		if u.oom.Victim.PID == k.PID {
			p.ooms = append(p.ooms[:i:i], p.ooms[i+1:]...)
			return p.print(p.witnessed(u.oom, k))
		}
	}
	if len(p.logs) >= earlyMax {
		p.logs = p.logs[1:]
	}
	p.logs = append(p.logs, early{k, time.Now()})
	return nil
}

// unwitnessed prints those of which the log has said nothing in time.
func (p *Pipeline) unwitnessed(now time.Time) error {
	for len(p.ooms) > 0 && !now.Before(p.ooms[0].until) {
		first := p.ooms[0].oom
		p.ooms = p.ooms[1:]
		if err := p.print(first); err != nil {
			return err
		}
	}
	return nil
}

// witnessed is an OOM kill with what the log says of it, or as it was where the two
// cannot be joined.
func (p *Pipeline) witnessed(o *event.OOM, k *event.KernelOOM) *event.OOM {
	joined := o
	p.o.Fence.Run(named(o), func() { joined = p.o.Witnessed(o, k) })
	return joined
}
