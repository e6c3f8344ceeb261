// SPDX-License-Identifier: Apache-2.0

package postmortem

import (
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
)

const (
	// waitingMax bounds the bytes that wait for a disk; above half of it single
	// signals wait no more.
	waitingMax = 4 << 20
	// batchMax is how much is written at once.
	batchMax = 256 << 10
)

// entry is one line on its way to the disk.
type entry struct {
	line []byte
	lane string
	at   *event.Header
	// death is set where the line is one's, account its file's text.
	death   *event.Death
	account []byte
}

func (e entry) size() int { return len(e.line) + len(e.account) }

// waiting holds what is not written yet, oldest first, and counts what found no
// place.
type waiting struct {
	entries []entry
	bytes   int
	lost    map[string]uint64
	since   time.Time
}

func (w *waiting) empty() bool { return len(w.entries) == 0 }
func (w *waiting) count() int  { return len(w.entries) }

// fits reports whether there is room; half of it is for what decides.
func (w *waiting) fits(e entry) bool {
	limit := waitingMax
	if e.lane == "routine" {
		limit /= 2
	}
	return w.bytes+e.size() <= limit
}

func (w *waiting) add(e entry) {
	if !w.fits(e) {
		if len(w.lost) == 0 {
			w.lost, w.since = map[string]uint64{}, e.at.Time
		}
		w.lost[e.lane]++
		return
	}
	w.entries = append(w.entries, e)
	w.bytes += e.size()
}

// batch is the next lines to write as one, of at most size bytes if a line is
// not larger by itself.
func (w *waiting) batch(size int64) []byte {
	var lines []byte
	for _, e := range w.entries {
		if len(lines) > 0 && len(lines)+len(e.line) > min(batchMax, int(size)) {
			break
		}
		lines = append(lines, e.line...)
	}
	return lines
}

// written drops the entries whose lines make up the first n bytes.
func (w *waiting) written(n int) []entry {
	done := 0
	for done < len(w.entries) && n >= len(w.entries[done].line) {
		n -= len(w.entries[done].line)
		w.bytes -= w.entries[done].size()
		done++
	}
	gone := w.entries[:done:done]
	w.entries = w.entries[done:]
	if len(w.entries) == 0 {
		w.entries = nil
	}
	return gone
}

// takeLost returns what found no place since the last time, by lane.
func (w *waiting) takeLost() (map[string]uint64, time.Time) {
	lost := w.lost
	w.lost = nil
	return lost, w.since
}
