// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"slices"
	"strings"

	"github.com/sigtrace/sigtrace/internal/event"
)

// loss is a number of events that were lost between two times.
type loss struct {
	from, to, count uint64
	// routine: nothing in it can have been a request to stop.
	routine bool
	// cgroup is whose own events they were; empty for anybody's.
	cgroup string
	// forgotten: the engine itself let go of them.
	forgotten bool
}

// lossesMax is also for losses that are one cgroup's: a flood of many shall not
// push out what touches every record.
const lossesMax = 256

// Lost takes in that events were lost.
func (e *Engine) Lost(l *event.Lost) {
	ago := uint64(max(0, l.Time.Sub(l.Since)))
	e.addLoss(loss{from: l.BoottimeNS - min(ago, l.BoottimeNS), to: l.BoottimeNS, count: l.Count, cgroup: l.Cgroup, routine: l.Lane == "routine"})
}

// addForgotten joins what is forgotten of one cgroup's processes, for that may be
// thousands at once.
func (e *Engine) addForgotten(l loss) {
	for i := range e.lost {
		if k := &e.lost[i]; k.forgotten && k.cgroup == l.cgroup && k.to >= l.from {
			k.to, k.count = max(k.to, l.to), k.count+l.count
			return
		}
	}
	e.addLoss(l)
}

func (e *Engine) addLoss(l loss) {
	if len(e.lost) >= lossesMax {
		e.dropLoss()
	}
	e.lost = append(e.lost, l)
}

// dropLoss makes room for one: the oldest that touches one cgroup only, else the
// oldest, whose time and count the next one takes over.
func (e *Engine) dropLoss() {
	if i := slices.IndexFunc(e.lost, func(l loss) bool { return l.cgroup != "" }); i >= 0 {
		e.lost = slices.Delete(e.lost, i, i+1)
		return
	}
	first := e.lost[0]
	e.lost = e.lost[1:]
	e.lost[0].from = min(e.lost[0].from, first.from)
	e.lost[0].count += first.count
}

// lostIn counts the events that were lost in a window and may have been about a
// process: what a budget has kept back was about processes of its cgroup. Of others
// the kernel side says so itself (Exit.Folded).
func (e *Engine) lostIn(from, to uint64, x *event.Exit) uint64 {
	var n uint64
	for _, l := range e.lost {
		if l.from <= to && l.to >= from && l.touches(x.Process.Cgroup) {
			n += l.count
		}
	}
	if n == 0 && x.Folded {
		n = 1
	}
	return n
}

// mayHaveLostAsk reports whether what asked a forwarder for something may be among
// what was lost before a time.
func (e *Engine) mayHaveLostAsk(forwarder *event.Process, at uint64) bool {
	for _, l := range e.lost {
		if !l.routine && l.touches(forwarder.Cgroup) && l.from <= at && l.to >= at-min(asksFor, at) {
			return true
		}
	}
	return false
}

func (l loss) touches(cgroup string) bool {
	switch l.cgroup {
	case "", cgroup:
		return true
	case "/":
		return false // each unit below it has a budget of its own
	}
	return strings.HasPrefix(cgroup, l.cgroup+"/")
}
