// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sigtrace/sigtrace/internal/cgroup"
	"github.com/sigtrace/sigtrace/internal/container"
	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/kubefact"
	"github.com/sigtrace/sigtrace/internal/proc"
	"github.com/sigtrace/sigtrace/internal/resolve"
	"github.com/sigtrace/sigtrace/internal/tracer"
	"github.com/sigtrace/sigtrace/internal/tracer/wire"
)

// Run is tested with a source that plays a script of raw events, on a clock that does
// not wait (testing/synctest): what it prints comes with the time since the start.

// step is a batch of one lane.
type step struct {
	at      time.Duration // since the start
	events  [][]byte
	until   uint64 // 0: after all events, at boot time 1000 s
	drained bool
}

// script is a source. Each lane ends once its steps are done and the context has ended.
type script struct {
	steps  [tracer.LaneCount][]step
	lost   []tracer.Loss
	failed error
}

func (s *script) Read(ctx context.Context, lane int, hand func(tracer.Batch)) error {
	begun := time.Now()
	for _, st := range s.steps[lane] {
		time.Sleep(st.at - time.Since(begun))
		b := tracer.Batch{Lane: lane, Until: st.until, Drained: st.drained}
		if b.Until == 0 {
			b.Until = 1000 * uint64(time.Second)
		}
		for _, e := range st.events {
			b.Data = append(b.Data, e...)
			b.Ends = append(b.Ends, len(b.Data))
		}
		hand(b)
	}
	if s.failed != nil {
		return s.failed
	}
	<-ctx.Done()
	return nil
}

func (s *script) Losses() ([]tracer.Loss, error) {
	lost := s.lost
	s.lost = nil
	return lost, nil
}

// notes are the lines of what is printed and of what the verdicts get.
type notes struct {
	begun time.Time
	lines []string
}

func (n *notes) add(format string, args ...any) {
	n.lines = append(n.lines, fmt.Sprintf(format, args...))
}

func (n *notes) Print(e event.Event) error {
	text := ""
	switch e := e.(type) {
	case *event.Signal:
		fatal := "undecided"
		if e.Fatal != nil {
			fatal = map[bool]string{true: "fatal", false: "survived"}[*e.Fatal]
		}
		text = fmt.Sprintf("signal %d to %d %s", e.SignalNumber, e.Target.PID, fatal)
	case *event.Exit:
		text = fmt.Sprintf("exit of %d", e.Process.PID)
	case *event.OOM:
		text = fmt.Sprintf("oom of %d", e.Victim.PID)
	case *event.Lost:
		text = fmt.Sprintf("lost %d %s %s", e.Count, e.Lane, e.Reason)
	case *event.Death:
		text = "death " + e.ID
	}
	n.add("%4d ms %s", time.Since(n.begun).Milliseconds(), text)
	return nil
}
func (*notes) Tick(time.Time) error { return nil }
func (*notes) Flush() error         { return nil }

// notedVerdicts decide nothing before the end.
type notedVerdicts struct {
	notes
	seen []uint64
	last []event.Event
}

func (v *notedVerdicts) Signal(s *event.Signal) {
	v.add("signal %d to %d", s.SignalNumber, s.Target.PID)
}
func (v *notedVerdicts) OOM(o *event.OOM)   { v.add("oom of %d", o.Victim.PID) }
func (v *notedVerdicts) Exit(x *event.Exit) { v.add("exit of %d, kept %v", x.Process.PID, x.Kept) }
func (v *notedVerdicts) Lost(l *event.Lost) { v.add("lost %d", l.Count) }
func (*notedVerdicts) KernelLog(*event.KernelOOM) {
}
func (*notedVerdicts) Fact(*kubefact.Fact) {}
func (v *notedVerdicts) Due(seen uint64) []event.Event {
	v.seen = append(v.seen, seen)
	return nil
}
func (v *notedVerdicts) Flush() []event.Event { return v.last }

// play runs the script for so long, and returns what was printed and judged.
func play(t *testing.T, source Source, d time.Duration, o Options) (printed []string, verdicts *notedVerdicts, err error) {
	t.Helper()
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Filter.Types == nil {
		o.Filter.Types = map[event.Type]bool{event.TypeSignal: true, event.TypeExit: true, event.TypeOOM: true, event.TypeDeath: true}
	}
	verdicts, _ = o.Verdicts.(*notedVerdicts)
	if verdicts == nil {
		verdicts = &notedVerdicts{}
		o.Verdicts = verdicts
	}
	cache := cgroup.NewCache(cgroup.Mounts{Unified: t.TempDir()}, 8)
	names := &resolve.Names{Cgroups: cache, Containers: container.NewDirectory(o.Log)}
	out := &notes{begun: time.Now()}
	p := New(source, resolve.New(quietKernel{}, proc.New(t.TempDir()), names, "node"), cache, nil, out, o)
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	err = p.Run(ctx)
	return out.lines, verdicts, err
}

// quietKernel knows nothing of processes.
type quietKernel struct{}

func (quietKernel) LastExec(int, uint64) (wire.LastExec, bool) { return wire.LastExec{}, false }
func (quietKernel) Lineage(int, uint64) []wire.Forker          { return nil }
func (quietKernel) Forget(uint32) error                        { return nil }

func equal(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n  %s\nwant\n  %s", what, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

const (
	second  = uint64(time.Second)
	matters = wire.SignalMatters
	fatal   = wire.SignalMatters | wire.SignalFatal
)

func TestRunKeepsTheOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{}
		s.steps[0] = []step{
			{at: time.Millisecond, events: [][]byte{rawSignal(second, 9, fatal, task{pid: 12}), rawExit(second+1, 9, task{pid: 12})}},
			{at: 2 * time.Millisecond, events: [][]byte{rawExit(second+2, 0, task{pid: 13}), {0xff, 1, 2}, rawSignal(second+3, 15, fatal, task{pid: 14})}},
		}
		printed, verdicts, err := play(t, s, time.Second, Options{})
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "printed", printed, "   1 ms signal 9 to 12 fatal", "   1 ms exit of 12", "   2 ms exit of 13", "   2 ms signal 15 to 14 fatal")
		equal(t, "judged", verdicts.lines, "signal 9 to 12", "exit of 12, kept false", "exit of 13, kept false", "signal 15 to 14")
	})
}

// A signal that the kernel has not decided waits 100 ms for that; others overtake it,
// and nothing after it counts as seen.
func TestRunAwaitsTheDecision(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{}
		s.steps[0] = []step{
			{at: 0, events: [][]byte{
				rawSignal(1*second, 11, matters|wire.SignalUndecided, task{pid: 12}),
				rawSignal(2*second, 11, matters|wire.SignalUndecided, task{pid: 13}),
				rawExit(3*second, 0, task{pid: 14}),
			}, until: 4 * second},
			{at: 50 * time.Millisecond, events: [][]byte{rawDeliver(5*second, 2*second, 11, task{pid: 13})}, until: 6 * second},
			{at: 150 * time.Millisecond, until: 7 * second},
		}
		printed, verdicts, err := play(t, s, 200*time.Millisecond, Options{})
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "printed", printed, "   0 ms exit of 14", "  50 ms signal 11 to 13 fatal", " 120 ms signal 11 to 12 undecided")
		equal(t, "seen", fmtSeen(verdicts.seen), "1s", "6s", "7s")
	})
}

// fmtSeen is how far the stream counted as seen, each step once.
func fmtSeen(seen []uint64) []string {
	var out []string
	for _, s := range slices.Compact(slices.Clone(seen)) {
		out = append(out, time.Duration(s).String())
	}
	return out
}

// An event of a container without a name waits for it: until the runtime has answered,
// and no longer than 400 ms.
func TestRunAwaitsTheName(t *testing.T) {
	const path = "/system.slice/docker-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.scope"
	for answers, want := range map[time.Duration]string{
		30 * time.Millisecond: "  30 ms exit of 12",
		time.Hour:             " 400 ms exit of 12",
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &script{}
			s.steps[0] = []step{{events: [][]byte{
				rawCgroup(44, path), rawExit(second, 0, task{pid: 12, cgroup: 44}), rawExit(second, 0, task{pid: 13}),
			}}}
			var asked []string
			printed, _, err := play(t, s, time.Second, Options{FetchNames: func(ctx context.Context, path string) {
				asked = append(asked, path)
				select {
				case <-ctx.Done():
				case <-time.After(answers):
				}
			}})
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "printed", printed, "   0 ms exit of 13", want)
			equal(t, "asked for", asked, path)
		})
	}
}

func TestRunEmitsLosses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{lost: []tracer.Loss{{Lane: "routine", Reason: "ring_full", Count: 26}}}
		printed, verdicts, err := play(t, s, time.Second, Options{})
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "printed", printed, "  20 ms lost 26 routine ring_full")
		equal(t, "judged", verdicts.lines, "lost 26")
	})
}

// What waits for anything is printed when the stream ends, at that moment.
func TestRunDrainsAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const path = "/system.slice/docker-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.scope"
		s := &script{}
		s.steps[0] = []step{{at: 500 * time.Millisecond, events: [][]byte{
			rawCgroup(44, path),
			rawSignal(second, 11, matters|wire.SignalUndecided, task{pid: 12}),
			rawExit(2*second, 0, task{pid: 13, cgroup: 44}),
			rawOOM(3*second, task{pid: 14}),
		}}}
		kept := newKeeper() // has deaths of pids 7 and 8, and their lanes are not drained
		var lost sync.Once
		source := &losing{script: s, at: 550 * time.Millisecond, begun: time.Now(), once: &lost}
		printed, verdicts, err := play(t, source, 550*time.Millisecond, Options{
			Verdicts:   &notedVerdicts{last: []event.Event{&event.Death{Header: event.Header{Type: event.TypeDeath}, ID: "0123"}}},
			Recovery:   &Recovery{Keeper: kept, Log: slog.New(slog.DiscardHandler)},
			Feeds:      Feeds{KernelLog: make(chan *event.KernelOOM)},
			JoinLog:    func(o *event.OOM, _ *event.KernelOOM) *event.OOM { return o },
			FetchNames: func(context.Context, string) { time.Sleep(nameWait) },
		})
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "printed", printed, " 550 ms signal 11 to 12 undecided", " 550 ms exit of 13", " 550 ms oom of 14", " 550 ms lost 3 critical ring_full", " 550 ms death 0123")
		slices.Sort(verdicts.lines) // the two that were kept came at one time
		equal(t, "judged", verdicts.lines, "exit of 13, kept false", "exit of 7, kept true", "exit of 8, kept true", "lost 3", "oom of 14", "signal 11 to 12")
		time.Sleep(nameWait)
		if len(verdicts.seen) > 0 {
			t.Errorf("verdicts were due %d times while what was kept had not been handed on", len(verdicts.seen))
		}
	})
}

// losing loses events at a time that only the last look at the counters is after.
type losing struct {
	*script
	at    time.Duration
	begun time.Time
	once  *sync.Once
}

func (l *losing) Losses() (lost []tracer.Loss, err error) {
	if time.Since(l.begun) >= l.at {
		l.once.Do(func() { lost = []tracer.Loss{{Lane: "critical", Reason: "ring_full", Count: 3}} })
	}
	return lost, nil
}

// After MaxEvents it ends at once, without an error, and lets the readers end (else
// synctest finds them).
func TestRunEndsAfterMaxEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{}
		for n := range 100 {
			s.steps[0] = append(s.steps[0], step{at: time.Duration(n) * time.Millisecond, events: [][]byte{rawExit(second, 0, task{pid: uint32(12 + n)})}})
		}
		begun := time.Now()
		printed, _, err := play(t, s, time.Hour, Options{Filter: Filter{MaxEvents: 2}})
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "printed", printed, "   0 ms exit of 12", "   1 ms exit of 13")
		if d := time.Since(begun); d > time.Second {
			t.Errorf("ended after %v", d)
		}
		time.Sleep(time.Second) // all of the steps
	})
}

// Once it is asked to end, routine signals are printed for two seconds and then
// counted; what decides is printed however long it takes.
func TestRunWrapsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{}
		for n := range 5 {
			at := time.Duration(n)*time.Second + 500*time.Millisecond
			s.steps[0] = append(s.steps[0], step{at: at, events: [][]byte{rawExit(second, 0, task{pid: uint32(20 + n)})}})
			s.steps[1] = append(s.steps[1], step{at: at + time.Millisecond, events: [][]byte{rawSignal(second, 17, 0, task{pid: uint32(30 + n)})}})
		}
		printed, _, err := play(t, s, time.Millisecond, Options{Filter: Filter{All: true}})
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "printed", printed,
			" 500 ms exit of 20", " 501 ms signal 17 to 30 undecided", "1500 ms exit of 21", "1501 ms signal 17 to 31 undecided",
			"2500 ms exit of 22", "3500 ms exit of 23", "4500 ms exit of 24", "4501 ms lost 3 routine stopping")
	})
}

func TestRunReturnsTheSourcesError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("ring is gone")
		if _, _, err := play(t, &script{failed: broken}, time.Hour, Options{}); !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
	})
}
