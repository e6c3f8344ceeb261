// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/resolve"
	"github.com/sigtrace/sigtrace/internal/tracer"
	"github.com/sigtrace/sigtrace/internal/tracer/wire"
)

// Keeper keeps deaths until their records have been written: a *tracer.Tracer
// with pins.
type Keeper interface {
	KeptDeaths() ([]tracer.KeptKey, error)
	KeptStories() ([]tracer.KeptKey, error)
	KeptDeath(tracer.KeptKey) ([]byte, bool)
	KeptStory(tracer.KeptKey) ([]byte, bool)
	// NoteAttempt edits what a kept death says of the attempts to make its record;
	// one that is not kept is no error.
	NoteAttempt(k tracer.KeptKey, edit func(*wire.Attempts)) error
	Release(tgid int, start uint64) error
	// NotKept counts the deaths that found no room to be kept.
	NotKept() uint64
}

const (
	// drainFor is how long the rings may take to be read empty at the start.
	drainFor = 3 * time.Second
	// sweepEvery is how often what is kept is held against what was read: a
	// ring that was full has lost an exit that is kept.
	sweepEvery = 5 * time.Second
	// strays bounds, in nanoseconds, how much later an event may come through the
	// ring than one that happened after it.
	strays = uint64(2 * time.Second)
	// generationsApart is how far apart, in nanoseconds, two generations of programs
	// see one signal: they run one after the other, and what interrupts them in between may
	// take its time on an emulated machine.
	generationsApart = uint64(100 * time.Millisecond)
)

// Recovery takes up what a reader of the same rings has left when it ended:
// what it had read is kept by the kernel side, what it had not is in the rings.
// Each death is handed on once. A nil Recovery does nothing.
type Recovery struct {
	Keeper Keeper
	// Written answers whether the record of a death is written already; nil for no.
	Written func(tgid int, start uint64) bool
	// Since is when the rings were last read; zero if never.
	Since time.Time
	// Lost is what was lost before, by what is known of it.
	Lost []tracer.Loss
	// Overlap is when (CLOCK_BOOTTIME, ns) two generations of programs may have
	// emitted the same.
	Overlap [2]uint64
	Log     *slog.Logger

	started time.Time
	// from is when this reader began (CLOCK_BOOTTIME, ns): what is kept happened
	// before.
	from    uint64
	swept   time.Time
	lanes   [tracer.LaneCount]bool
	done    bool
	notKept uint64 // that have been logged
	deaths  map[wire.Key]*wire.Kept
	stories []*wire.Story
	// signals, ooms and exits have been handed on, by the stream or out of
	// what was kept; exits with when that was.
	signals map[signalID]bool
	ooms    map[wire.Key]bool
	exits   map[wire.Key]handed
	// plain are the deaths whose records an agent has failed to make.
	plain map[wire.Key]bool
	// spent counts those that failed too often and are released without a record.
	spent uint64
	// single are the signals that, of the programs that were being exchanged, only
	// one has emitted so far.
	single map[sending][]sighting
}

// handed is when an exit was handed on, and when it happened.
type handed struct {
	at       time.Time
	boottime uint64
}

type signalID struct {
	target   wire.Key
	signal   int
	boottime uint64
}

// sending is what two programs emit alike of one signal; only their times differ.
type sending struct {
	target       wire.Key
	signal       int
	code         int
	senderThread uint32
}

type sighting struct {
	generation uint16
	boottime   uint64
}

// begin reads what is kept, before anything is read off the rings.
func (r *Recovery) begin(now time.Time) error {
	r.started, r.swept, r.from = now, now, resolve.Now()
	r.deaths = map[wire.Key]*wire.Kept{}
	r.signals, r.ooms, r.exits = map[signalID]bool{}, map[wire.Key]bool{}, map[wire.Key]handed{}
	r.single, r.plain = map[sending][]sighting{}, map[wire.Key]bool{}
	deaths, err := r.Keeper.KeptDeaths()
	if err != nil {
		return fmt.Errorf("read the deaths in the pins: %w", err)
	}
	for _, k := range deaths {
		r.takeDeath(k)
	}
	stories, err := r.Keeper.KeptStories()
	if err != nil {
		return fmt.Errorf("read the signals in the pins: %w", err)
	}
	for _, k := range stories {
		if b, ok := r.Keeper.KeptStory(k); ok {
			if s, err := wire.DecodeStory(b); err == nil {
				r.stories = append(r.stories, s)
			}
		}
	}
	return nil
}

func (r *Recovery) takeDeath(k tracer.KeptKey) {
	if r.written(k) {
		_ = r.Keeper.Release(int(k.TGID), k.Start)
		return
	}
	b, ok := r.Keeper.KeptDeath(k)
	if !ok {
		return
	}
	d, err := wire.DecodeKept(b)
	if err != nil {
		r.Log.Error("cannot decode a death in the pins", "pid", k.TGID, "error", err)
		_ = r.Keeper.Release(int(k.TGID), k.Start)
		return
	}
	if d.Attempts.Spent() {
		r.abandon(k, d)
		return
	}
	if d.Attempts.Plain() {
		r.Log.Warn("an agent crashed while it made the record of a death: that record gets no cause", "pid", k.TGID, "start", k.Start, "comm", d.Exit.Process.Comm)
		r.plain[wire.Key(k)] = true
	}
	r.deaths[wire.Key(k)] = d
}

func (r *Recovery) written(k tracer.KeptKey) bool {
	return r.Written != nil && r.Written(int(k.TGID), k.Start)
}

// running: verdicts wait until what was kept has been handed on.
func (r *Recovery) running() bool { return r != nil && !r.done }

// markDrained notes that a lane has been read empty.
func (r *Recovery) markDrained(lane int) {
	if r != nil {
		r.lanes[lane] = true
	}
}

func (r *Recovery) ready(now time.Time) bool {
	return r.lanes == [tracer.LaneCount]bool{true, true} || now.Sub(r.started) > drainFor
}

// markSignal notes that a signal is handed on; before: it has been already.
func (r *Recovery) markSignal(e *wire.Signal) (before bool) {
	if r == nil {
		return false
	}
	id := signalID{e.Target.Key, e.Signal, e.Boottime}
	if r.signals[id] {
		return true
	}
	if r.inOverlap(e.Boottime) && r.markSighting(e) {
		r.signals[id] = true // it may be what is kept
		return true
	}
	if !r.done {
		r.signals[id] = true
	}
	return false
}

// markSighting notes that a generation of programs has seen a signal; twin: another
// generation has seen the same. Each sighting has one twin: a signal may well be sent
// again at once.
func (r *Recovery) markSighting(e *wire.Signal) (twin bool) {
	s := sending{e.Target.Key, e.Signal, e.Code, e.Current.TID}
	for i, t := range r.single[s] {
		apart := max(t.boottime, e.Boottime) - min(t.boottime, e.Boottime)
		if t.generation != e.Generation && apart < generationsApart {
			r.single[s] = slices.Delete(r.single[s], i, i+1)
			return true
		}
	}
	r.single[s] = append(r.single[s], sighting{e.Generation, e.Boottime})
	return false
}

func (r *Recovery) inOverlap(boottime uint64) bool {
	return boottime >= r.Overlap[0] && boottime <= r.Overlap[1]
}

// markOOM notes that an OOM kill is handed on; before: it has been already.
func (r *Recovery) markOOM(e *wire.OOM) (before bool) {
	if r == nil {
		return false
	}
	before = r.ooms[e.Victim.Key]
	if !r.done || r.inOverlap(e.Boottime) {
		r.ooms[e.Victim.Key] = true
	}
	return before
}

// markExit notes that an exit is handed on; before: it has been already, or its record
// is written.
func (r *Recovery) markExit(e *wire.Exit) (before bool) {
	if r == nil {
		return false
	}
	k := e.Process.Key
	if _, known := r.exits[k]; known && !threadsRace(e) || r.written(tracer.KeptKey(k)) {
		return true
	}
	r.exits[k] = handed{time.Now(), e.Boottime}
	return false
}

// threadsRace: of two threads that both look like the last, the second may be the one
// that shows what seccomp did.
func threadsRace(e *wire.Exit) bool {
	return e.Flags&(wire.ExitSeccompStrict|wire.ExitSeccompFilter|wire.ExitSeccompDead) != 0
}

// releaseUnshown releases a death that the filter does not show: no record of it is
// written.
func (r *Recovery) releaseUnshown(e event.Event) {
	if d, ok := e.(*event.Death); ok && r != nil {
		_ = r.Keeper.Release(d.Process.PID, d.Process.StartBoottimeNS)
	}
}
