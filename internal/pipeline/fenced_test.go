// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/sigtrace/sigtrace/internal/cgroup"
	"github.com/sigtrace/sigtrace/internal/container"
	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/fence"
	"github.com/sigtrace/sigtrace/internal/output"
	"github.com/sigtrace/sigtrace/internal/proc"
	"github.com/sigtrace/sigtrace/internal/resolve"
	"github.com/sigtrace/sigtrace/internal/tracer/wire"
	"github.com/sigtrace/sigtrace/internal/verdict"
)

// badPrinter panics at what its function says.
type badPrinter struct {
	sink
	at func(event.Event) bool
}

func (b *badPrinter) Print(e event.Event) error {
	if b.at(e) {
		panic("planted")
	}
	return b.sink.Print(e)
}

func (*badPrinter) Close() error { return nil }

// badJudge panics at each exit of pid 13 and, if due is set, at each Due.
type badJudge struct {
	judge
	due bool
}

func (b *badJudge) Exit(x *event.Exit) {
	if x.Process.PID == 13 {
		panic("planted")
	}
	b.judge.Exit(x)
}

func (b *badJudge) Due(seen uint64) []event.Event {
	if b.due {
		panic("planted")
	}
	return b.judge.Due(seen)
}

func loud(limit int) (*fence.Fence, *bytes.Buffer) {
	var log bytes.Buffer
	return fence.New(fence.Options{Limit: limit, Log: slog.New(slog.NewTextHandler(&log, nil))}), &log
}

func exitOf(pid int) *event.Exit {
	return &event.Exit{Header: event.Header{Type: event.TypeExit}, Process: &event.Process{PID: pid, StartBoottimeNS: 5}}
}

func TestPanickingVerdictsCostOneEvent(t *testing.T) {
	f, log := loud(0)
	out, j := &sink{}, &badJudge{}
	r := &tape{events: []event.Event{exitOf(12), exitOf(13), exitOf(14), nil}}
	if err := Replay(t.Context(), r, out, Options{Filter: Filter{Types: everything}, Verdicts: j, Fence: f}); err != nil {
		t.Fatal(err)
	}
	if j.exits != 2 || len(out.events) != 4 || f.Count() != 1 {
		t.Errorf("%d exits taken in, %d events printed, %d panics", j.exits, len(out.events), f.Count())
	}
	if !strings.Contains(log.String(), "exit of pid 13, start 5") {
		t.Errorf("the log lacks the id: %s", log)
	}
}

// Ten within a minute end the run, and the error names the last.
func TestTenPanicsEndTheRun(t *testing.T) {
	for n, ends := range map[int]bool{9: false, 10: true, 12: true} {
		f, _ := loud(0)
		var events []event.Event
		for range n {
			events = append(events, exitOf(13))
		}
		events = append(events, exitOf(14))
		j := &badJudge{}
		err := Replay(t.Context(), &tape{events: events}, &sink{}, Options{Filter: Filter{Types: everything}, Verdicts: j, Fence: f})
		if (err != nil) != ends || ends && !strings.Contains(err.Error(), "the last at exit of pid 13, start 5") {
			t.Errorf("%d panics end it with %v", n, err)
		}
		if ends == (j.exits == 1) {
			t.Errorf("%d panics: %d exits taken in", n, j.exits)
		}
	}
	f, _ := loud(0)
	err := Replay(t.Context(), &tape{events: make([]event.Event, 10)}, &sink{}, Options{Verdicts: &badJudge{due: true}, Fence: f})
	if err == nil {
		t.Error("ten panics of Due do not end it")
	}
}

// A death that a printer cannot print is printed in its plainest form, by that
// printer alone.
func TestPanickingPrinterPrintsPlainly(t *testing.T) {
	f, log := loud(0)
	actor := func(e event.Event) bool {
		d, ok := e.(*event.Death)
		return ok && d.Actor != nil
	}
	bad, good := &badPrinter{at: actor}, &badPrinter{at: func(event.Event) bool { return false }}
	d := deathBy("foreign_process", &event.Process{PID: 7, Comm: "pkill"})
	d.ID, d.Process = "0123456789abcdef", &event.Process{PID: 12, Comm: "server", StartBoottimeNS: 5}
	p := New(nil, nil, nil, nil, output.Tee(output.Fenced(bad, f), output.Fenced(good, f)), Options{Filter: Filter{Types: everything}, Fence: f})
	if err := p.printAll([]event.Event{d, exitOf(14)}); err != nil {
		t.Fatal(err)
	}
	if len(bad.events) != 2 || len(good.events) != 2 || f.Count() != 1 {
		t.Fatalf("%d and %d events printed, %d panics", len(bad.events), len(good.events), f.Count())
	}
	if plain := bad.events[0].(*event.Death); plain.Cause != event.CauseUnknown || plain.ID != d.ID || !strings.Contains(plain.Summary, "internal error") {
		t.Errorf("plain: %+v", plain)
	}
	if good.events[0] != event.Event(d) {
		t.Error("the other printer's record is not the full one")
	}
	if !strings.Contains(log.String(), "death 0123456789abcdef (pid 12, start 5)") {
		t.Errorf("the log lacks the id: %s", log)
	}
}

// A printer that panics at everything costs what it prints, and not the stream.
func TestPanickingPrinterEndsNothing(t *testing.T) {
	f, _ := loud(0)
	out := output.Fenced(&badPrinter{at: func(event.Event) bool { return true }}, f)
	j := &judge{}
	if err := Replay(t.Context(), &tape{events: []event.Event{exitOf(12), exitOf(13)}}, out, Options{Filter: Filter{Types: everything}, Verdicts: j, Fence: f}); err != nil {
		t.Fatal(err)
	}
	if j.exits != 2 || f.Count() != 2 {
		t.Errorf("%d exits, %d panics", j.exits, f.Count())
	}
	one := newEmitter(&sink{}, Options{Filter: Filter{Types: everything, Signals: 1}, Fence: f})
	if err := one.print(signalBy(0, nil, event.SignalDetail{Matters: true})); err != nil {
		t.Errorf("a signal without a number: %v", err)
	}
}

// The whole way, with the real engine: a hook that panics, and the record there.
func TestReplayWithPanickingHook(t *testing.T) {
	f, _ := loud(1)
	e := verdict.New(verdict.Options{Fence: f, Memory: func(*event.Process) *event.Memory { panic("planted") }})
	x := exitOf(12)
	x.SignalNumber, x.Process.Cgroup, x.Exit = 9, "/a", event.ExitStatus{Code: 137, Signal: "SIGKILL"}
	out := &sink{}
	err := Replay(context.Background(), &tape{events: []event.Event{x, nil}}, out, Options{Filter: Filter{Types: everything}, Verdicts: e, Fence: f})
	if err == nil || !strings.Contains(err.Error(), "pid 12, start 5") {
		t.Errorf("a replay goes on after a panic: %v", err)
	}
}

// A signal's name is looked up beside the stream: a panic there leaves it nameless.
func TestPanickingNames(t *testing.T) {
	f, _ := loud(0)
	n := newNaming(func(context.Context, string) { panic("planted") }, f)
	n.ask(t.Context(), "/a")
	select {
	case path := <-n.answered:
		n.done(path)
	case <-time.After(10 * time.Second):
		t.Fatal("never answered")
	}
	if n.open([]string{"/a"}) || f.Count() != 1 {
		t.Errorf("open, or %d panics", f.Count())
	}
}

// brokenKernel panics when it is asked for a lineage.
type brokenKernel struct{}

func (brokenKernel) LastExec(int, uint64) (wire.LastExec, bool) { return wire.LastExec{}, false }
func (brokenKernel) Lineage(int, uint64) []wire.Forker          { panic("planted") }
func (brokenKernel) Forget(uint32) error                        { return nil }

// What cannot be resolved is dropped; of an exit there is still a record.
func TestUnresolvableExitHasARecord(t *testing.T) {
	f, log := loud(0)
	cache := cgroup.NewCache(cgroup.Mounts{}, 8)
	names := &resolve.Names{Cgroups: cache, Containers: container.NewDirectory(slog.New(slog.DiscardHandler))}
	out := &sink{}
	p := New(nil, resolve.New(brokenKernel{}, proc.New(t.TempDir()), names, "node"), cache, nil, out,
		Options{Filter: Filter{Types: map[event.Type]bool{event.TypeDeath: true, event.TypeSignal: true}}, Fence: f, Verdicts: verdict.New(verdict.Options{Fence: f})})
	b := wire.Brief{Key: wire.Key{TGID: 12, Start: 5}, Comm: "server"}
	for _, raw := range []any{&wire.Signal{Boottime: 90, Signal: 9, Flags: wire.SignalFatal | wire.SignalMatters, Current: b, Target: b}, &wire.Exit{Boottime: 100, Status: 9, Process: b}} {
		if err := p.take(t.Context(), raw); err != nil {
			t.Fatal(err)
		}
	}
	p.until[0] = uint64(time.Second)
	if err := p.emitDue(); err != nil {
		t.Fatal(err)
	}
	if len(out.events) != 1 || f.Count() != 2 || !strings.Contains(log.String(), "signal 9 to pid 12, start 5") {
		t.Fatalf("%d events, %d panics: %s", len(out.events), f.Count(), log)
	}
	d := out.events[0].(*event.Death)
	if d.Cause != event.CauseUnknown || d.Process.PID != 12 || d.Process.Comm != "server" || d.Exit.Code != 137 {
		t.Errorf("%+v", d)
	}
}

// Whatever the kernel side sends has an id for the log.
func TestRawName(t *testing.T) {
	seen := map[string]bool{}
	for _, raw := range []any{&wire.Signal{}, &wire.Deliver{}, &wire.OOM{}, &wire.Exit{}, &wire.Proc{}, &wire.Chain{}, &wire.Cgroup{}, nil} {
		seen[rawName(raw)] = true
	}
	if len(seen) != 8 || seen[""] {
		t.Errorf("%v", seen)
	}
}
