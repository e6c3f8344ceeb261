// SPDX-License-Identifier: Apache-2.0

package output

import (
	"cmp"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
)

// BesideOptions are how a printer runs beside the stream.
type BesideOptions struct {
	// Name is what messages and lost events call the printer.
	Name string
	// Room is how many events may wait; the last quarter of it is for what
	// decides (deaths, OOM kills, losses, status).
	Room int
	// RoomBytes is about how many bytes what waits may take; 0 is 4 KiB for each of
	// Room. A death is larger than a signal, and one with long arguments larger still.
	RoomBytes int
	// Every is how often the printer is ticked; 0 is a second.
	Every time.Duration
	// Patience is how long Close waits at most; 0 is 4 s. After half of it what does
	// not decide is counted and left out.
	Patience time.Duration
	Log      *slog.Logger
}

// beside runs a printer in a goroutine of its own.
type beside struct {
	o     BesideOptions
	inner Printer
	queue chan event.Event
	ended chan struct{}
	// dropped counts, by lane, what had no room since that was last reported.
	dropped map[string]uint64
	since   time.Time
	failing bool
	err     error
	// waiting is about how many bytes wait.
	waiting atomic.Int64
	// hurry: it is to end soon. leftOut is what was left out since.
	hurry   atomic.Bool
	leftOut uint64
	leaving event.Header // of the first of them
}

// Beside returns a printer that hands events on to inner, which then holds up
// neither the stream nor its neighbours: a reader of stdout that hangs, or a
// disk. What finds no room is counted, and reported to inner as a lost event as soon
// as there is some. Errors of inner are logged once a spell; its Print and Flush
// are called by one goroutine, and after a Flush nothing waits.
func Beside(inner Printer, o BesideOptions) Printer {
	if o.Every == 0 {
		o.Every = time.Second
	}
	if o.Patience == 0 {
		o.Patience = 4 * time.Second
	}
	if o.RoomBytes == 0 {
		o.RoomBytes = o.Room * 4 << 10
	}
	b := &beside{
		o: o, inner: inner, queue: make(chan event.Event, o.Room),
		ended: make(chan struct{}), dropped: map[string]uint64{},
	}
	go b.run()
	return b
}

func (b *beside) Print(e event.Event) error {
	b.tellDropped(e)
	lane := Lane(e)
	bytes := int64(weightOf(e))
	if !b.hasRoom(lane, bytes) {
		if len(b.dropped) == 0 {
			b.since = e.Common().Time
		}
		b.dropped[lane]++
		return nil
	}
	b.waiting.Add(bytes)
	b.queue <- e // there is room, and nobody else puts anything in
	return nil
}

// hasRoom reports whether an event may wait too.
func (b *beside) hasRoom(lane string, bytes int64) bool {
	room, left := cap(b.queue)-len(b.queue), int64(b.o.RoomBytes)-b.waiting.Load()-bytes
	if lane == LaneRoutine && (room <= cap(b.queue)/4 || left <= int64(b.o.RoomBytes)/4) {
		return false
	}
	return room > 0 && (left > 0 || len(b.queue) == 0)
}

// tellDropped queues what was dropped before, once the queue is half empty.
func (b *beside) tellDropped(next event.Event) {
	for lane, n := range b.dropped {
		if len(b.queue) > cap(b.queue)/2 || b.waiting.Load() > int64(b.o.RoomBytes)/2 {
			return
		}
		lost := &event.Lost{Header: *next.Common(), Count: n, Lane: lane, Reason: b.o.Name + "_full", Since: b.since}
		lost.Type = event.TypeLost
		b.waiting.Add(int64(weightOf(lost)))
		b.queue <- lost
		delete(b.dropped, lane)
	}
}

func (b *beside) Tick(time.Time) error { return nil }
func (b *beside) Flush() error         { return nil }

// Close hands on what waits, as far as that is taken within Patience.
func (b *beside) Close() error {
	close(b.queue)
	for range 2 {
		select {
		case <-b.ended:
			return b.err
		case <-time.After(b.o.Patience / 2):
			b.hurry.Store(true)
		}
	}
	return fmt.Errorf("%s did not take all within %v: %d events were not written there", b.o.Name, b.o.Patience, len(b.queue))
}

func (b *beside) run() {
	defer close(b.ended)
	ticker := time.NewTicker(b.o.Every)
	defer ticker.Stop()
	for {
		select {
		case e, open := <-b.queue:
			if !open {
				b.err = cmp.Or(b.tellLeftOut(), b.inner.Close())
				return
			}
			b.print(e)
		case now := <-ticker.C:
			b.note(cmp.Or(b.inner.Tick(now), b.inner.Flush()))
		}
	}
}

// print prints an event and those behind it, then flushes them as one.
func (b *beside) print(e event.Event) {
	err := b.printOne(e)
	for n := len(b.queue); n > 0; n-- {
		e, open := <-b.queue
		if !open {
			break
		}
		err = cmp.Or(err, b.printOne(e))
	}
	b.note(cmp.Or(err, b.inner.Flush()))
}

func (b *beside) printOne(e event.Event) error {
	defer b.waiting.Add(-int64(weightOf(e)))
	if b.hurry.Load() && Lane(e) == LaneRoutine {
		if b.leftOut == 0 {
			b.leaving = *e.Common()
		}
		b.leftOut++
		return nil
	}
	return b.inner.Print(e)
}

// tellLeftOut counts what was left out at the end.
func (b *beside) tellLeftOut() error {
	if b.leftOut == 0 {
		return nil
	}
	lost := &event.Lost{Header: b.leaving, Count: b.leftOut, Lane: LaneRoutine, Reason: "stopping", Since: b.leaving.Time}
	lost.Type = event.TypeLost
	return b.inner.Print(lost)
}

// note logs the first error of a spell, and its end.
func (b *beside) note(err error) {
	switch {
	case err != nil && !b.failing:
		b.o.Log.Error("events do not reach "+b.o.Name, "error", err)
	case err == nil && b.failing:
		b.o.Log.Warn("events reach " + b.o.Name + " again")
	}
	b.failing = err != nil
}

// The lanes that losses are counted by, as the kernel side's rings.
const (
	LaneCritical = "critical"
	LaneRoutine  = "routine"
)

// Lane is critical for what decides and routine for single signals and exits.
func Lane(e event.Event) string {
	switch e.Common().Type {
	case event.TypeSignal, event.TypeExit:
		return LaneRoutine
	}
	return LaneCritical
}
