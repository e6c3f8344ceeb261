// SPDX-License-Identifier: Apache-2.0

package output

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
)

// gate is a printer that hangs until it is opened.
type gate struct {
	open   chan struct{}
	got    []event.Event
	err    error
	closed bool
}

func (g *gate) Print(e event.Event) error {
	<-g.open
	g.got = append(g.got, e)
	return g.err
}
func (g *gate) Tick(time.Time) error { return g.err }
func (g *gate) Flush() error         { return g.err }
func (g *gate) Close() error         { g.closed = true; return g.err }

func eventOf(t event.Type) event.Event {
	switch t {
	case event.TypeSignal:
		return &event.Signal{Header: event.Header{Type: t}}
	default:
		return &event.Death{Header: event.Header{Type: t}}
	}
}

func TestBesideAHangingPrinterHoldsUpNobody(t *testing.T) {
	g := &gate{open: make(chan struct{})}
	b := Beside(g, BesideOptions{Name: "pipe", Room: 8, Log: slog.New(slog.DiscardHandler)})
	for range 100 {
		_ = b.Print(eventOf(event.TypeSignal))
	}
	for range 2 {
		_ = b.Print(eventOf(event.TypeDeath)) // the last quarter is theirs
	}
	close(g.open)
	for end := time.Now().Add(10 * time.Second); len(b.(*beside).queue) > 0 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	_ = b.Print(eventOf(event.TypeSignal))
	if err := b.Close(); err != nil || !g.closed {
		t.Fatalf("%v, closed %v", err, g.closed)
	}
	counts := map[event.Type]int{}
	lost := uint64(0)
	for _, e := range g.got {
		counts[e.Common().Type]++
		if l, ok := e.(*event.Lost); ok {
			lost += l.Count
			if l.Lane != LaneRoutine || l.Reason != "pipe_full" {
				t.Errorf("told as %+v", l)
			}
		}
	}
	if counts[event.TypeDeath] != 2 || counts[event.TypeSignal]+int(lost) != 101 || lost == 0 {
		t.Errorf("%v, lost %d", counts, lost)
	}
}

func TestBesideClosesInTime(t *testing.T) {
	g := &gate{open: make(chan struct{})}
	b := Beside(g, BesideOptions{Name: "pipe", Room: 8, Patience: 10 * time.Millisecond, Log: slog.New(slog.DiscardHandler)})
	_ = b.Print(eventOf(event.TypeDeath))
	_ = b.Print(eventOf(event.TypeDeath))
	if err := b.Close(); err == nil || !strings.Contains(err.Error(), "pipe") {
		t.Errorf("got %v", err)
	}
	close(g.open)
}

// Few events may wait where they are large.
func TestBesideIsBoundedInBytes(t *testing.T) {
	g := &gate{open: make(chan struct{})}
	b := Beside(g, BesideOptions{Name: "pipe", Room: 1000, RoomBytes: 1 << 20, Log: slog.New(slog.DiscardHandler)}).(*beside)
	large := &event.Process{Args: []string{strings.Repeat("x", 64<<10)}}
	for range 100 {
		_ = b.Print(&event.Death{Header: event.Header{Type: event.TypeDeath}, Process: large})
	}
	if n := len(b.queue); n < 8 || n > 16 {
		t.Errorf("%d deaths of 64 KiB wait in 1 MiB", n)
	}
	close(g.open)
	if err := b.Close(); err != nil || b.waiting.Load() != 0 {
		t.Errorf("%v, %d bytes wait", err, b.waiting.Load())
	}
}

// slow is a printer that takes an event now and then.
type slow struct {
	each time.Duration
	got  map[event.Type]uint64
	left uint64
}

func (s *slow) Print(e event.Event) error {
	time.Sleep(s.each)
	s.got[e.Common().Type]++
	if l, ok := e.(*event.Lost); ok && l.Reason == "stopping" {
		s.left += l.Count
	}
	return nil
}
func (s *slow) Tick(time.Time) error { return nil }
func (s *slow) Flush() error         { return nil }
func (s *slow) Close() error         { return nil }

// A sink that is slow, and not stuck, does not hold up the end: what decides is
// written, and what is left out is counted.
func TestBesideEndsInTimeUnderAFlood(t *testing.T) {
	s := &slow{each: time.Millisecond, got: map[event.Type]uint64{}}
	b := Beside(s, BesideOptions{Name: "disk", Room: 4000, Patience: time.Second, Log: slog.New(slog.DiscardHandler)})
	const signals = 2900
	for range signals {
		_ = b.Print(eventOf(event.TypeSignal))
	}
	for range 3 {
		_ = b.Print(eventOf(event.TypeDeath))
	}
	begin := time.Now()
	err := b.Close()
	if took := time.Since(begin); err != nil || took > 1500*time.Millisecond {
		t.Errorf("%v after %v", err, took)
	}
	if s.got[event.TypeDeath] != 3 || s.left == 0 || s.got[event.TypeSignal]+s.left != signals {
		t.Errorf("written %v, left out %d", s.got, s.left)
	}
}

func TestBesideTellsASpellOfErrorsOnce(t *testing.T) {
	g := &gate{open: make(chan struct{}), err: errors.New("no space")}
	close(g.open)
	var said bytes.Buffer
	b := Beside(g, BesideOptions{Name: "disk", Room: 8, Log: slog.New(slog.NewTextHandler(&said, nil))})
	for range 5 {
		_ = b.Print(eventOf(event.TypeDeath))
	}
	_ = b.Close()
	if n := strings.Count(said.String(), "no space"); n != 1 {
		t.Errorf("told %d times:\n%s", n, &said)
	}
}

func TestTee(t *testing.T) {
	open := make(chan struct{})
	close(open)
	bad, good := &gate{open: open, err: errors.New("broken")}, &gate{open: open}
	all := Tee(bad, good)
	err := all.Print(eventOf(event.TypeDeath))
	if err == nil || len(good.got) != 1 {
		t.Errorf("%v, got %v", err, good.got)
	}
	if all.Close() == nil || !good.closed {
		t.Error("not all are closed")
	}
}

// fickle is a writer that fails when it is reported to, in the middle of a line.
type fickle struct {
	bytes.Buffer
	fail bool
}

func (f *fickle) Write(b []byte) (int, error) {
	if !f.fail {
		return f.Buffer.Write(b)
	}
	n, _ := f.Buffer.Write(b[:len(b)/2])
	return n, errors.New("gone")
}

func TestStreamGoesOnAfterAFailure(t *testing.T) {
	w := &fickle{}
	s := NewStream(w, Options{})
	put := func(types ...event.Type) error {
		for _, e := range types {
			if err := s.Print(eventOf(e)); err != nil {
				t.Fatal(err)
			}
		}
		return s.Flush()
	}
	if err := put(event.TypeDeath); err != nil {
		t.Fatal(err)
	}
	w.fail = true
	if err := put(event.TypeDeath, event.TypeSignal, event.TypeSignal); err == nil {
		t.Fatal("nothing failed")
	}
	w.fail = false
	if err := put(event.TypeDeath); err != nil {
		t.Fatal(err)
	}
	out := w.String()
	for _, part := range []string{`"type":"lost"`, `"count":2,"lane":"routine","reason":"stdout_write"`, `"count":1,"lane":"critical"`} {
		if !strings.Contains(out, part) {
			t.Errorf("no %s in\n%s", part, out)
		}
	}
	torn := 0
	for line := range strings.Lines(out) {
		if !json.Valid([]byte(line)) {
			torn++
		}
	}
	if torn != 1 {
		t.Errorf("%d lines are no JSON:\n%s", torn, out)
	}
}
