// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
)

// actLasts is how long one act lasts at most: one kill(2) of a process group,
// one write to cgroup.kill, one dying init.
const actLasts = uint64(50 * time.Millisecond)

// Bounds of the memory of acts.
const (
	actsMax    = 1024
	actTargets = 256
)

// actKey is who did what, by what mechanism.
type actKey struct {
	who    id
	signal int
	via    event.Via
}

// act is the signals that belong together: one doer, one mechanism, one moment.
type act struct {
	first uint64
	// fatal holds those it was the end of, in order; count also those beyond
	// the bound.
	fatal map[id]bool
	pids  []int
	count int
}

type acts struct{ open map[actKey]*act }

// add joins a signal to its act; nil if nobody is known to have done it.
func (as *acts) add(s *event.Signal) *act {
	who := doer(s)
	if who == nil {
		return nil
	}
	k := actKey{idOf(who), s.SignalNumber, s.Via}
	a := as.open[k]
	if a == nil || s.BoottimeNS > a.first+actLasts {
		a = &act{first: s.BoottimeNS, fatal: map[id]bool{}}
		if as.open == nil {
			as.open = map[actKey]*act{}
		}
		as.open[k] = a
	}
	if target := idOf(s.Target); isTrue(s.Fatal) && !a.fatal[target] {
		a.count++
		if len(a.pids) < actTargets {
			a.fatal[target] = true
			a.pids = append(a.pids, target.pid)
		}
	}
	return a
}

// others are those that the act ended besides one.
func (a *act) others(than id) *event.Collateral {
	if a == nil || !a.fatal[than] || a.count < 2 {
		return nil
	}
	return a.all(than)
}

// all are those that the act ended, without one.
func (a *act) all(without id) *event.Collateral {
	c := &event.Collateral{Count: a.count}
	for _, pid := range a.pids {
		if pid == without.pid {
			c.Count--
			continue
		}
		c.PIDs = append(c.PIDs, pid)
	}
	if c.Count == 0 {
		return nil
	}
	return c
}

// of finds what a process did by a mechanism.
func (as *acts) of(who id, signal int, via event.Via) *act {
	return as.open[actKey{who, signal, via}]
}

func (as *acts) forget(now uint64) {
	if len(as.open) <= actsMax {
		return
	}
	for k, a := range as.open {
		if a.first+window < now || len(as.open) > 2*actsMax {
			delete(as.open, k)
		}
	}
}
