// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"log/slog"
	"testing"
	"time"

	"github.com/sigtrace/sigtrace/internal/tracer"
	"github.com/sigtrace/sigtrace/internal/tracer/wire"
)

// empty keeps nothing: every record has been written.
type empty struct{}

func (empty) KeptDeaths() ([]tracer.KeptKey, error)                  { return nil, nil }
func (empty) KeptStories() ([]tracer.KeptKey, error)                 { return nil, nil }
func (empty) KeptDeath(tracer.KeptKey) ([]byte, bool)                { return nil, false }
func (empty) KeptStory(tracer.KeptKey) ([]byte, bool)                { return nil, false }
func (empty) Release(tgid int, start uint64) error                   { return nil }
func (empty) NotKept() uint64                                        { return 0 }
func (empty) NoteAttempt(tracer.KeptKey, func(*wire.Attempts)) error { return nil }

// A death that was handed on out of the pins comes through the ring as well,
// where the ring lags (an emulated 5.10 on one CPU: a minute). It is known until
// the ring is past it.
func TestSweepKnowsWhatALaggingRingWillBring(t *testing.T) {
	const second = uint64(time.Second)
	r := &Recovery{Keeper: empty{}, Log: slog.New(slog.DiscardHandler)}
	p := New(nil, nil, nil, nil, &sink{}, Options{Recovery: r})
	begun := time.Now()
	if err := r.begin(begun); err != nil {
		t.Fatal(err)
	}
	r.done = true
	exit := &wire.Exit{Boottime: 100 * second, Process: wire.Brief{Key: wire.Key{TGID: 7, Start: 1}}}
	if r.markExit(exit) {
		t.Error("known before it was handed on")
	}
	later := begun.Add(time.Hour)
	p.until[0] = 90 * second
	if err := p.resume(t.Context(), later); err != nil {
		t.Fatal(err)
	}
	if !r.markExit(exit) {
		t.Error("forgotten while the ring has it still")
	}
	p.until[0] = 103 * second
	if err := p.resume(t.Context(), later.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if len(r.exits) != 0 {
		t.Error("never forgotten: memory grows with each death")
	}
}

// While programs are exchanged both emit a signal, each with a time of its own.
func TestExchangedProgramsEmitOneSignal(t *testing.T) {
	r := &Recovery{Keeper: empty{}, Overlap: [2]uint64{1, uint64(time.Hour)}, Log: slog.New(slog.DiscardHandler)}
	if err := r.begin(time.Now()); err != nil {
		t.Fatal(err)
	}
	at := uint64(time.Minute)
	kill := func(boottime uint64, generation uint16, thread uint32) *wire.Signal {
		return &wire.Signal{Boottime: boottime, Generation: generation, Signal: 9, Current: wire.Brief{TID: thread}}
	}
	for _, c := range []struct {
		about string
		e     *wire.Signal
		known bool
	}{
		{"the first", kill(at, 1, 1), false},
		{"the other program's", kill(at+1000, 2, 1), true},
		{"sent again at once", kill(at+2000, 1, 1), false},
		{"and again", kill(at+2500, 1, 1), false},
		{"the other program's of the one", kill(at+3000, 2, 1), true},
		{"and of the other, which comes late", kill(at+50_000_000, 2, 1), true},
		{"another thread's", kill(at+4000, 2, 2), false},
		{"by the new program alone, later", kill(at+uint64(time.Second), 2, 1), false},
	} {
		if got := r.markSignal(c.e); got != c.known {
			t.Errorf("%s: known %v", c.about, got)
		}
	}
}

// A routine lane that lags holds records back, for it has stop signals of a
// container's own choice; a flood in it does so for two seconds and no longer.
func TestRoutineLaneHoldsBack(t *testing.T) {
	const second = uint64(time.Second)
	p := New(nil, nil, nil, nil, &sink{}, Options{})
	p.until = [2]uint64{100 * second, 99 * second}
	if got := p.seenUntil(); got != 100*second {
		t.Errorf("with nothing waiting: %d", got)
	}
	p.queued[1].Store(1)
	if got := p.seenUntil(); got != 99*second {
		t.Errorf("a second behind: %d", got)
	}
	p.until[1] = 10 * second
	if got := p.seenUntil(); got != 98*second {
		t.Errorf("far behind: %d", got)
	}
}
