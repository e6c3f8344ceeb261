// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
)

// oomLog joins system OOM kills with the kernel's log, which alone has the free pages
// of each order. The two are read beside each other: either may come first.
type oomLog struct {
	// join puts on a kill what the log has on it; nil where there is no log.
	join  func(*event.OOM, *event.KernelOOM) *event.OOM
	kills []waitingOOM
	lines []logLine
}

type waitingOOM struct {
	oom   *event.OOM
	until time.Time
}

type logLine struct {
	log *event.KernelOOM
	at  time.Time
}

const (
	// logWait is how long after a kill its line of the log may come: usually some
	// milliseconds, but a machine without memory is a slow one.
	logWait = time.Second
	// linesMax is how many lines are remembered that came before their events.
	linesMax = 16
)

// take gives a kill what the log has on it, or holds it back until the log does.
func (l *oomLog) take(o *event.OOM, now time.Time) (joined event.Event, wait bool) {
	if l.join == nil || o.Scope != "system" || o.Victim == nil {
		return o, false
	}
	for _, line := range l.lines {
		if line.log.PID == o.Victim.PID && now.Sub(line.at) < logWait {
			return l.join(o, line.log), false
		}
	}
	l.kills = append(l.kills, waitingOOM{o, now.Add(logWait)})
	return o, true
}

// takeKill takes out the kill that a line is about; nil if none waits for it.
func (l *oomLog) takeKill(k *event.KernelOOM) *event.OOM {
	for i, w := range l.kills {
		if w.oom.Victim.PID == k.PID {
			l.kills = append(l.kills[:i:i], l.kills[i+1:]...)
			return w.oom
		}
	}
	return nil
}

// remember keeps a line whose event has not come yet.
func (l *oomLog) remember(k *event.KernelOOM, now time.Time) {
	if len(l.lines) >= linesMax {
		l.lines = l.lines[1:]
	}
	l.lines = append(l.lines, logLine{k, now})
}

// expired takes out the kills on which the log had nothing in time.
func (l *oomLog) expired(now time.Time) []event.Event {
	n := 0
	for n < len(l.kills) && !now.Before(l.kills[n].until) {
		n++
	}
	return l.takeOut(n)
}

// drain takes out all kills that wait: the stream has ended.
func (l *oomLog) drain() []event.Event { return l.takeOut(len(l.kills)) }

func (l *oomLog) takeOut(n int) []event.Event {
	var out []event.Event
	for _, w := range l.kills[:n] {
		out = append(out, w.oom)
	}
	l.kills = l.kills[n:]
	return out
}
