// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/kubefact"
	"github.com/sigtrace/sigtrace/internal/tracer"
	"github.com/sigtrace/sigtrace/internal/tracer/wire"
)

// sink keeps what is printed.
type sink struct{ events []event.Event }

func (s *sink) Print(e event.Event) error { s.events = append(s.events, e); return nil }
func (s *sink) Tick(time.Time) error      { return nil }
func (s *sink) Flush() error              { return nil }

// judge keeps what the verdicts are handed, and returns one death when asked.
type judge struct {
	signals, exits int
	seen           []uint64
}

func (j *judge) Signal(*event.Signal)       { j.signals++ }
func (j *judge) OOM(*event.OOM)             {}
func (j *judge) Exit(*event.Exit)           { j.exits++ }
func (j *judge) Lost(*event.Lost)           {}
func (j *judge) KernelLog(*event.KernelOOM) {}
func (j *judge) Fact(*kubefact.Fact)        {}
func (j *judge) Flush() []event.Event       { return nil }
func (j *judge) Due(seen uint64) []event.Event {
	j.seen = append(j.seen, seen)
	return []event.Event{deathBy("foreign_process", &event.Process{PID: 7, Comm: "pkill"})}
}

func deathBy(cause event.Cause, actor *event.Process) *event.Death {
	return &event.Death{Header: event.Header{Type: event.TypeDeath}, Cause: cause, Actor: actor}
}

func signalBy(n int, sender *event.Process, d event.SignalDetail) *event.Signal {
	return &event.Signal{Header: event.Header{Type: event.TypeSignal}, SignalNumber: n, Sender: sender, SignalDetail: d}
}

var everything = map[event.Type]bool{event.TypeSignal: true, event.TypeDeath: true, event.TypeExit: true}

func TestShown(t *testing.T) {
	pkill, bash := &event.Process{PID: 7, Comm: "pkill"}, &event.Process{PID: 8, Comm: "bash"}
	matters := event.SignalDetail{Matters: true}
	for name, c := range map[string]struct {
		f    Filter
		e    event.Event
		want bool
	}{
		"a signal that matters":     {Filter{Types: everything}, signalBy(9, pkill, matters), true},
		"routine noise":             {Filter{Types: everything}, signalBy(17, pkill, event.SignalDetail{}), false},
		"routine noise, asked for":  {Filter{Types: everything, All: true}, signalBy(17, pkill, event.SignalDetail{}), true},
		"context is never shown":    {Filter{Types: everything, All: true}, signalBy(9, pkill, event.SignalDetail{Matters: true, Context: true}), false},
		"another type":              {Filter{Types: map[event.Type]bool{event.TypeDeath: true}}, signalBy(9, pkill, matters), false},
		"a chosen signal":           {Filter{Types: everything, Signals: 1 << 8}, signalBy(9, pkill, matters), true},
		"a signal not chosen":       {Filter{Types: everything, Signals: 1 << 8}, signalBy(15, pkill, matters), false},
		"by the chosen sender":      {Filter{Types: everything, SenderComm: "pkill"}, signalBy(9, pkill, matters), true},
		"by another sender":         {Filter{Types: everything, SenderPID: 7}, signalBy(9, bash, matters), false},
		"nobody's, sender chosen":   {Filter{Types: everything, SenderPID: 7}, signalBy(9, nil, matters), false},
		"a death of a chosen cause": {Filter{Types: everything, Causes: map[event.Cause]bool{"cgroup_oom": true}}, deathBy("cgroup_oom", nil), true},
		"a death of another cause":  {Filter{Types: everything, Causes: map[event.Cause]bool{"cgroup_oom": true}}, deathBy("timer", nil), false},
		"a death by another":        {Filter{Types: everything, SenderComm: "pkill"}, deathBy("foreign_process", bash), false},
		"an exit as context":        {Filter{Types: everything}, &event.Exit{Header: event.Header{Type: event.TypeExit}, ExitDetail: event.ExitDetail{Context: true}}, false},
		"losses, whatever":          {Filter{}, &event.Lost{Header: event.Header{Type: event.TypeLost}}, true},
		"status, whatever":          {Filter{}, &event.Status{Header: event.Header{Type: event.TypeStatus}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.f.shows(c.e); got != c.want {
				t.Errorf("shown: %v", got)
			}
		})
	}
}

// tape is a recording: events, and how far the stream had been seen.
type tape struct {
	events []event.Event // nil stands for "seen"
	at     int
	err    error
}

func (r *tape) Next() (event.Event, uint64, error) {
	if r.at == len(r.events) {
		if r.err != nil {
			return nil, 0, r.err
		}
		return nil, 0, io.EOF
	}
	r.at++
	return r.events[r.at-1], uint64(r.at), nil
}

// What is not shown is judged all the same.
func TestReplayJudgesWhatItDoesNotShow(t *testing.T) {
	out, j := &sink{}, &judge{}
	r := &tape{events: []event.Event{signalBy(9, nil, event.SignalDetail{Matters: true, Context: true}), nil}}
	if err := Replay(context.Background(), r, out, Options{Filter: Filter{Types: everything}, Verdicts: j}); err != nil {
		t.Fatal(err)
	}
	if j.signals != 1 || len(j.seen) != 1 || len(out.events) != 1 || out.events[0].Common().Type != event.TypeDeath {
		t.Errorf("judged %d signals, printed %d events", j.signals, len(out.events))
	}
}

func TestReplayEnds(t *testing.T) {
	out := &sink{}
	r := &tape{events: []event.Event{nil, nil, nil, nil}}
	if err := Replay(context.Background(), r, out, Options{Filter: Filter{Types: everything, MaxEvents: 2}, Verdicts: &judge{}}); err != nil || len(out.events) != 2 {
		t.Errorf("%d events, %v", len(out.events), err)
	}
	broken := errors.New("torn")
	if err := Replay(context.Background(), &tape{err: broken}, out, Options{Verdicts: &judge{}}); !errors.Is(err, broken) {
		t.Errorf("the error is lost: %v", err)
	}
}

// A lane that lags and what waits hold back how far the stream counts as seen.
func TestSeenUntil(t *testing.T) {
	p := New(nil, nil, nil, nil, &sink{}, Options{})
	for _, b := range []tracer.Batch{{Lane: 0, Until: 1000}, {Lane: 1, Until: 2000}, {Lane: 0, Until: 990}} {
		if err := p.takeBatch(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	if got := p.seenUntil(); got != 1000 {
		t.Errorf("the lane is read up to 1000: %d", got)
	}
	p.waiting.held = []*held{{raw: &wire.Exit{Boottime: 900}}, {raw: &wire.Signal{Boottime: 700}}, {raw: &wire.OOM{Boottime: 800}}}
	if got := p.seenUntil(); got != 700 {
		t.Errorf("a signal of 700 waits: %d", got)
	}
}

// A path is looked up once in a while, and open until it has been answered.
func TestNaming(t *testing.T) {
	asked := make(chan string, 4)
	n := newNaming(func(_ context.Context, path string) { asked <- path }, nil)
	if !n.ask(context.Background(), "/a") || !n.open([]string{"/a"}) {
		t.Fatal("it is not being looked up")
	}
	<-asked
	n.done(<-n.answered)
	if n.open([]string{"/a"}) {
		t.Error("it is answered, and still open")
	}
	if n.ask(context.Background(), "/a") {
		t.Error("it is asked for again at once")
	}
	if none := newNaming(nil, nil); none.ask(context.Background(), "/a") {
		t.Error("there is nobody to ask")
	}
}
