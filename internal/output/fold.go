// SPDX-License-Identifier: Apache-2.0

package output

import (
	"fmt"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
)

// processID identifies a process as events show it.
type processID struct {
	pid   int
	start uint64
}

func idOf(p *event.Process) processID {
	if p == nil {
		return processID{}
	}
	return processID{p.PID, p.StartBoottimeNS}
}

// fold is one act: the signals that one sender (or one kernel mechanism in the
// context of one trigger) sent in a row.
type fold struct {
	first   *event.Signal
	count   int
	targets map[processID]bool
	until   time.Time
}

func (f *fold) takes(s *event.Signal) bool {
	a, b := f.first, s
	return a.SignalNumber == b.SignalNumber && a.Via == b.Via &&
		idOf(a.Sender) == idOf(b.Sender) && idOf(a.Trigger) == idOf(b.Trigger) &&
		(a.Sender != nil || a.Trigger != nil || idOf(a.Target) == idOf(b.Target))
}

// and says how much more the act was than its first signal.
func (f *fold) and() string {
	switch others := len(f.targets) - 1; {
	case others == 1:
		return " and 1 other"
	case others > 1:
		return fmt.Sprintf(" and %d others", others)
	case f.count > 1:
		return fmt.Sprintf(" ×%d", f.count)
	}
	return ""
}

func (t *tablePrinter) fold(s *event.Signal) {
	for _, f := range t.held {
		if f.takes(s) {
			f.count++
			f.targets[idOf(s.Target)] = true
			// The one that was the end is the one to show.
			if isTrue(s.Fatal) && !isTrue(f.first.Fatal) && idOf(s.Target) == idOf(f.first.Target) {
				f.first = s
			}
			return
		}
	}
	t.held = append(t.held, &fold{
		first: s, count: 1, targets: map[processID]bool{idOf(s.Target): true},
		until: t.o.Now().Add(foldWindow),
	})
}

// unfold drops the SIGKILL that an OOM event shows better.
func (t *tablePrinter) unfold(o *event.OOM) {
	if o.Victim == nil {
		return
	}
	for i, f := range t.held {
		if f.first.Via == event.ViaOOM && idOf(f.first.Target) == idOf(o.Victim.Process) {
			t.held = append(t.held[:i], t.held[i+1:]...)
			return
		}
	}
}

func (t *tablePrinter) release(now time.Time) error {
	for len(t.held) > 0 && !now.Before(t.held[0].until) {
		f := t.held[0]
		t.held = t.held[1:] // first: what cannot be written is not tried for ever
		if err := t.write(t.signalLines(f)); err != nil {
			return err
		}
	}
	return nil
}

func isTrue(b *bool) bool { return b != nil && *b }
