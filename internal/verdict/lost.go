// SPDX-License-Identifier: Apache-2.0

package verdict

import "github.com/sigtrace/sigtrace/internal/event"

// loss is a number of events that were lost between two times.
type loss struct {
	from, to, count uint64
	// routine: nothing in it can have been a request to stop.
	routine bool
}

const lossesMax = 256

// Lost takes in that events were lost.
func (e *Engine) Lost(l *event.Lost) {
	if len(e.lost) >= lossesMax {
		e.lost = e.lost[1:]
	}
	ago := uint64(max(0, l.Time.Sub(l.Since)))
	e.lost = append(e.lost, loss{l.BoottimeNS - min(ago, l.BoottimeNS), l.BoottimeNS, l.Count, l.Lane == "routine"})
}

// lostIn counts the events that were lost in a window.
func (e *Engine) lostIn(from, to uint64) uint64 {
	var n uint64
	for _, l := range e.lost {
		if l.from <= to && l.to >= from {
			n += l.count
		}
	}
	return n
}

// mayHaveLostAsk reports whether what asked a forwarder for something may be among
// what was lost before a time.
func (e *Engine) mayHaveLostAsk(at uint64) bool {
	for _, l := range e.lost {
		if !l.routine && l.from <= at && l.to >= at-min(asksFor, at) {
			return true
		}
	}
	return false
}
