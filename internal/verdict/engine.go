// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"cmp"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/fence"
	"github.com/sigtrace/sigtrace/internal/kubefact"
	"github.com/sigtrace/sigtrace/internal/kubereason"
)

// Options say whose deaths to report and how to look at the living.
type Options struct {
	// BootID makes ids of deaths differ between boots.
	BootID string
	Node   string
	// All shows every exit; else those that the contract names.
	All bool
	// TargetPID is reported whatever its end; 0 is none.
	TargetPID int
	// MaskArgs hides secrets in the arguments that summaries show.
	MaskArgs bool
	// KernelLog says that OOM kills have the kernel's log as second source:
	// it is waited for a little longer.
	KernelLog bool
	// Task looks at a process that does not die; nil where there is none to
	// look at (a replay). It answers false when the process is gone.
	Task func(pid int, start uint64) (Task, bool)
	// Alive answers whether a process is there and no zombie; nil where that is not
	// known. It may be nil itself.
	Alive func(pid int, start uint64) *bool
	// Untold hears of those whose end makes no record; may be nil.
	Untold func(*event.Process)
	// Memory reads the figures of a process's cgroup; nil if there are none.
	Memory func(*event.Process) *event.Memory
	// Fence catches the panics of one record at a time; nil catches none.
	Fence *fence.Fence
	// Attempts hears when the rules run for a kept death; may be nil.
	Attempts Attempts
}

// Attempts notes which death the rules run for, where that outlives the agent.
type Attempts interface {
	// Begin is called before the rules run for a process's end; plain says that
	// its record is made without them.
	Begin(p *event.Process, plain bool)
	// End is called once they have come to their end without a panic; made says
	// whether the record was made.
	End(p *event.Process, made bool)
}

// Task is how a process that does not die was found.
type Task struct {
	State  string
	Wchan  string
	Stack  []string
	Frozen *bool
}

// Engine correlates. It is not safe for concurrent use.
type Engine struct {
	o        Options
	stories  map[id]*story
	bytes    int      // about what they hold
	ended    []*story // exits that wait to be judged, by time
	killed   []*story // fatal signals whose exit is due
	acts     acts
	sendings sendings
	open     []openForward // records whose forwarders have not ended
	crashed  []*story      // the last abnormal ends, for their siblings
	ooms     []*event.OOM  // the last ones, for those who share the memory
	logs     []*event.KernelOOM
	lost     []loss
	kube     kubereason.Cluster
	reported []toldOf // records that may be revised
	// deciding and joining are the ways from one death to others, see walk.
	deciding, joining walk
}

// New returns an engine that has seen nothing.
func New(o Options) *Engine {
	return &Engine{o: o, stories: map[id]*story{}}
}

// Signal takes in a signal. Routine ones are not remembered.
func (e *Engine) Signal(s *event.Signal) {
	if s.Target == nil || !s.Matters && !isTrue(s.Fatal) && !mayStop(s) && !mayEnd(s) && !e.lateKill(s) {
		return
	}
	st := e.story(s.Target, s.BoottimeNS)
	act := e.acts.add(s)
	e.sendings.add(s)
	if mayEnd(s) && !st.asksToEnd(s) {
		e.weigh(st, st.addHandled(s, act)*(signalWeight+weightOf(s.Sender)))
		return
	}
	e.weigh(st, st.add(s, act)*(signalWeight+weightOf(s.Sender)))
	if isTrue(s.Fatal) && st.exit == nil && st.killed == nil {
		st.killed = s
		e.killed = append(e.killed, st)
	}
	if s.SignalNumber == int(unix.SIGKILL) && st.killed != nil && st.sigkill == nil {
		st.sigkill = s
		if s != st.killed {
			st.lookAfter = s.BoottimeNS - min(s.BoottimeNS, st.killed.BoottimeNS) + stuckAfter
		}
	}
}

// lateKill reports whether a signal is a SIGKILL to a process that is dying already:
// whoever still does not end is stuck.
func (e *Engine) lateKill(s *event.Signal) bool {
	if s.SignalNumber != int(unix.SIGKILL) || s.Result != event.ResultTooLate {
		return false
	}
	st := e.find(s.Target)
	return st != nil && st.killed != nil && st.exit == nil
}

// OOM takes in an OOM kill.
func (e *Engine) OOM(o *event.OOM) {
	if o.Victim == nil || o.Victim.Process == nil {
		return
	}
	st := e.story(o.Victim.Process, o.BoottimeNS)
	if st.oom == nil {
		st.oom = o
	}
	if len(e.ooms) >= oomsMax {
		e.ooms = e.ooms[1:]
	}
	e.ooms = append(e.ooms, o)
}

// Fact takes in what Kubernetes reports.
func (e *Engine) Fact(f *kubefact.Fact) { e.kube.Fact(f) }

// Exit takes in an end. Two threads may both look like the last: of the second
// only what seccomp did to it is new.
func (e *Engine) Exit(x *event.Exit) {
	st := e.story(x.Process, x.BoottimeNS)
	if st.exit != nil {
		if st.cause == nil && st.exit.Seccomp == "" && x.Seccomp != "" {
			both := *st.exit
			both.Seccomp = x.Seccomp
			st.exit = &both
		}
		return
	}
	st.exit = x
	if x.Undecided != "" {
		st.giveUp(x.Undecided)
	}
	at, _ := slices.BinarySearchFunc(e.ended, x.BoottimeNS, func(s *story, t uint64) int {
		return cmp.Compare(s.exit.BoottimeNS, t)
	})
	e.ended = slices.Insert(e.ended, at, st)
	e.o.Fence.Run(st.name, func() { e.noteCrash(st) })
	e.o.Fence.Run(st.name, func() { e.kube.ContainerEnded(x) })
	e.o.Fence.Run(st.name, func() { e.readMemory(st) })
}

// readMemory reads the figures at once: the cgroup is about to go.
func (e *Engine) readMemory(st *story) {
	x := st.exit
	if e.o.Memory != nil && !x.Kept && x.Process.Cgroup != "" && (x.SignalNumber != 0 || x.Process.Container != nil) {
		st.memory = e.o.Memory(x.Process)
	}
}

// Due returns the records that are ripe: everything up to seen (CLOCK_BOOTTIME,
// ns) has been taken in.
func (e *Engine) Due(seen uint64) []event.Event {
	var out []event.Event
	var still []*story
	for _, st := range e.ended {
		if !e.fencedRipe(st, seen) {
			still = append(still, st)
			continue
		}
		if d := e.fencedRecord(st); d != nil {
			out = append(out, d)
		}
		st.judged = true
	}
	e.ended = still
	out = append(out, e.revised(seen)...)
	out = append(out, e.refuted(seen)...)
	out = append(out, e.overdue(seen)...)
	e.o.Fence.Run(forgetting, func() { e.forget(seen) })
	return out
}

// ripe: what may be late has had its time.
func (e *Engine) ripe(st *story, seen uint64) bool {
	due := st.exit.BoottimeNS + settle
	if seen >= due && e.o.KernelLog && (st.oom != nil || st.exit.OOMMark) && e.logged(st.process, st.exit.Time) == nil {
		due += logWait
	}
	if seen < due {
		return false
	}
	return seen >= st.exit.BoottimeNS+kubeWait || !e.awaits(st, seen)
}

// Flush judges what waits: the stream has ended.
func (e *Engine) Flush() []event.Event {
	var out []event.Event
	for _, st := range e.ended {
		if d := e.fencedRecord(st); d != nil {
			out = append(out, d)
		}
	}
	e.ended = nil
	return out
}

// Waiting reports whether a record is in the making.
func (e *Engine) Waiting() bool { return len(e.ended) > 0 || len(e.killed) > 0 }
