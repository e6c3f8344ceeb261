// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"golang.org/x/sys/unix"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/proctree"
)

const (
	// crashReaction is how soon after a child's abnormal end a supervisor that ends
	// the others because of it does so: postgres' postmaster took 49 ms.
	crashReaction = second
	// crashedMax bounds the children that are remembered.
	crashedMax = 256
)

// noteCrash remembers the abnormal end of a process, for its siblings.
func (e *Engine) noteCrash(st *story) {
	x := st.exit
	if x.SignalNumber == 0 || x.Context || len(st.process.Ancestors) == 0 {
		return
	}
	if len(e.crashed) >= crashedMax {
		e.crashed = e.crashed[1:]
	}
	e.crashed = append(e.crashed, st)
}

// endedForSibling is for a supervisor that nobody asked to stop, and that ends its
// children because one of them has crashed: the sibling's death set this one off.
// The supervisor stays the actor.
func (e *Engine) endedForSibling(st *story, f *finding) {
	s := f.deciding
	from := doer(s.Signal)
	if from == nil || f.first != s || !proctree.IsParent(st.process, from) || !stopsAll(s.Signal) {
		return
	}
	sibling := e.crashedChild(st, from, 0, s.BoottimeNS)
	if sibling == nil || e.sendings.targetsSince(idOf(from), sibling.exit.BoottimeNS) < 2 {
		return
	}
	cause := e.decide(sibling)
	if cause == nil {
		f.cut = true
		return
	}
	f.setOffBy, f.setOffCause, f.sibling, f.cut = sibling, cause.cause, true, f.cut || cause.cut
	f.confidence = event.Likely
	f.precede(cause.hops...)
}

// crashedChild is the last child of a process, but for one, that ended abnormally
// between two times (CLOCK_BOOTTIME, ns) and at most crashReaction before the later
// one, by another hand than its parent's.
func (e *Engine) crashedChild(but *story, parent *event.Process, from, to uint64) *story {
	for i := len(e.crashed) - 1; i >= 0; i-- {
		c := e.crashed[i]
		at := c.exit.BoottimeNS
		if c == but || at < from || at > to || to-at > crashReaction || !proctree.IsParent(c.process, parent) {
			continue
		}
		if end := c.deciding(c.exit.SignalNumber); end == nil || !proctree.Same(doer(end.Signal), parent) {
			return c
		}
	}
	return nil
}

func stopsAll(s *event.Signal) bool {
	switch unix.Signal(s.SignalNumber) {
	case unix.SIGQUIT, unix.SIGTERM, unix.SIGKILL, unix.SIGABRT, unix.SIGINT:
		return true
	}
	return false
}

// targetsSince counts the processes that one has sent terminating signals to since
// a time.
func (ss *sendings) targetsSince(who id, from uint64) int {
	targets := map[id]bool{}
	for _, s := range ss.by[who] {
		if s.at >= from {
			targets[s.target] = true
		}
	}
	return len(targets)
}

// tookChildsFate is for a wrapper (sudo, timeout) that sends itself the signal that
// its child has just died of, so that its own status says the same: the child's death
// set this one off.
func (e *Engine) tookChildsFate(st *story, f *finding) {
	if f.cause != event.CauseSelfSignal || f.aborted || f.first != f.deciding {
		return
	}
	child := e.crashedChild(st, st.process, 0, f.deciding.BoottimeNS)
	if child == nil || child.exit.SignalNumber != f.deciding.SignalNumber {
		return
	}
	cause := e.decide(child)
	if cause == nil {
		f.cut = true
		return
	}
	f.setOffBy, f.setOffCause, f.sibling, f.cut = child, cause.cause, true, f.cut || cause.cut
	f.believe(false)
	f.precede(cause.hops...)
}
