// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/fence"
	"github.com/sigtrace/sigtrace/internal/proctree"
)

// notes keeps the attempts, and panics in those for one pid.
type notes struct {
	lines []string
	bad   int
}

func (n *notes) Begin(p *event.Process, plain bool) {
	n.lines = append(n.lines, fmt.Sprint("begin ", p.PID, " plain ", plain))
	if p.PID == n.bad && !plain {
		panic("planted")
	}
}

func (n *notes) End(p *event.Process, made bool) {
	n.lines = append(n.lines, fmt.Sprint("end ", p.PID, " made ", made))
}

func quietFence() *fence.Fence { return fence.New(fence.Options{Log: slog.New(slog.DiscardHandler)}) }

func deathsByPID(due []event.Event) map[int]*event.Death {
	by := map[int]*event.Death{}
	for _, e := range due {
		if d, ok := e.(*event.Death); ok {
			by[d.Process.PID] = d
		}
	}
	return by
}

// killed has three processes killed by a fourth.
func killed(w *world) {
	killer := proc(9, "pkill", systemd)
	for pid := 10; pid <= 12; pid++ {
		p := proc(pid, "server", systemd)
		w.signal(uint64(100*pid), unix.SIGKILL, p, from(killer))
		w.exit(uint64(100*pid+1), p, 137)
	}
}

// A panic while one of several records is made costs that one its cause.
func TestPanicCostsOneRecord(t *testing.T) {
	for name, make := range map[string]func(*Engine) []event.Event{
		"due":   func(e *Engine) []event.Event { return e.Due(2000 * ms) },
		"flush": (*Engine).Flush,
	} {
		t.Run(name, func(t *testing.T) {
			f := quietFence()
			w := newWorld(t, Options{Fence: f, Attempts: &notes{bad: 11}})
			killed(w)
			by := deathsByPID(make(w.e))
			if len(by) != 3 || f.Count() != 1 {
				t.Fatalf("%d records, %d panics", len(by), f.Count())
			}
			for _, pid := range []int{10, 12} {
				if d := by[pid]; d.Cause != event.CauseForeignProcess || d.Confidence != event.Proven {
					t.Errorf("%d: %s %s", pid, d.Cause, d.Confidence)
				}
			}
			d := by[11]
			if d.Cause != event.CauseUnknown || d.Confidence != event.Unknown || d.Actor != nil || d.ID != DeathID("boot", 11, 11) || d.Revision != 1 {
				t.Errorf("plain: %+v", d)
			}
			if last := d.Evidence[len(d.Evidence)-1].Text; last != "an internal error occurred while this record was made (see the agent's log)" {
				t.Errorf("evidence: %q", last)
			}
			if want := "server (pid 11) was killed (SIGKILL, exit 137); its cause is unknown: an internal error"; !strings.HasPrefix(d.Summary, want) {
				t.Errorf("summary: %s", d.Summary)
			}
			if again := w.e.Due(60_000 * ms); len(again) > 0 {
				t.Errorf("reported again: %+v", again)
			}
		})
	}
}

// Without a fence (unit tests) a panic is seen.
func TestNoFenceHidesNothing(t *testing.T) {
	w := newWorld(t, Options{Attempts: &notes{bad: 11}})
	killed(w)
	defer func() {
		if recover() == nil {
			t.Error("the panic is hidden")
		}
	}()
	w.e.Due(2000 * ms)
}

// Whoever looks at memory figures or at a task that hangs may panic: neither the
// record nor those after it are lost.
func TestPanicsOfHooks(t *testing.T) {
	f := quietFence()
	w := newWorld(t, Options{
		Fence:  f,
		Memory: func(*event.Process) *event.Memory { panic("planted") },
		Task:   func(int, uint64) (Task, bool) { panic("planted") },
	})
	p := proc(10, "server", systemd)
	p.Cgroup = "/a"
	w.signal(100, unix.SIGKILL, p, from(proc(9, "pkill", systemd)))
	w.exit(101, p, 137)
	w.signal(110, unix.SIGKILL, proc(11, "stuck", systemd), from(proc(9, "pkill", systemd)))
	if d := w.death(300); d.Cause != event.CauseForeignProcess {
		t.Errorf("%s", d.Cause)
	}
	w.none(5000)
	if f.Count() != 2 {
		t.Errorf("%d panics", f.Count())
	}
	for at := uint64(5020); at < 9000; at += 20 {
		w.none(at)
	}
	if f.Count() != 2 {
		t.Errorf("the task is looked at each time: %d panics", f.Count())
	}
}

// The rules never run for a death whose record has ended an agent: not for its own
// record, and not for that of a death which it set off.
func TestCrashedRecordIsPlain(t *testing.T) {
	n := &notes{bad: 10}
	w := newWorld(t, Options{Attempts: n}) // without a fence: rules would panic
	killer := proc(9, "pkill", systemd)
	parent := proc(10, "parent", systemd)
	child := proc(11, "child", parent, systemd)
	w.signal(100, unix.SIGKILL, parent, from(killer))
	w.exit(101, parent, 137, func(x *event.Exit) { x.Undecided = event.UndecidedCrash })
	w.signal(102, unix.SIGKILL, child, via(event.ViaPdeathsig), trigger(parent))
	w.exit(103, child, 137)
	by := deathsByPID(w.e.Due(2000 * ms))
	d := by[10]
	if d == nil || d.Cause != event.CauseUnknown || !strings.Contains(d.Evidence[1].Text, "while it made this record before") {
		t.Fatalf("plain: %+v", d)
	}
	if d := by[11]; d.Cause != event.CauseParentDeath || proctree.Same(d.Actor, killer) {
		t.Errorf("%s by %v", d.Cause, d.Actor)
	}
	if want := []string{"begin 10 plain true", "begin 11 plain false", "end 11 made true"}; !slices.Equal(n.lines, want) {
		t.Errorf("noted: %q", n.lines)
	}
}

// Ends that make no record anyhow are not noted: that would cost each exit of the
// node two system calls.
func TestRoutineExitsAreNotNoted(t *testing.T) {
	n, released := &notes{}, 0
	w := newWorld(t, Options{Attempts: n, Untold: func(*event.Process) { released++ }})
	w.exit(100, proc(10, "true", systemd), 0)
	w.exit(100, proc(11, "kill", systemd), 137, func(x *event.Exit) { x.Context = true })
	w.none(1000)
	if len(n.lines) != 0 || released != 2 {
		t.Errorf("noted %q, %d released", n.lines, released)
	}
}

// mayBeDeath must not leave out what the contract's rule wants.
func TestMayBeDeathIsNoNarrower(t *testing.T) {
	for name, edit := range map[string]func(*event.Exit){
		"killed":  func(x *event.Exit) { x.SignalNumber = 9 },
		"seccomp": func(x *event.Exit) { x.Seccomp = "filter" },
		"init":    func(x *event.Exit) { x.Init = true },
		"target":  func(x *event.Exit) { x.Process.PID = 77 },
		"routine": func(*event.Exit) {},
		"inside":  func(x *event.Exit) { inside("c", true, x.Process) },
	} {
		e := New(Options{TargetPID: 77})
		x := &event.Exit{Process: proc(10, "server")}
		edit(x)
		st := &story{exit: x, process: x.Process}
		if e.wanted(st) && !e.mayBeDeath(st) {
			t.Errorf("%s: wanted, and left out", name)
		}
	}
}
