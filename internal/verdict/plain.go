// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"fmt"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/phrase"
)

// A record whose making has failed is still worth its plainest form: that the
// process ended, how, and that the cause was not decided. Nothing here may look
// further than the exit itself.

// name is what a log calls a story.
func (st *story) name() string {
	return fmt.Sprintf("the death of pid %d, start %d", st.id.pid, st.id.start)
}

func forgetting() string { return "forgetting old processes" }

// giveUp has the rules never look at a story again, not even for the sake of
// another death that this one set off.
func (st *story) giveUp(why event.Undecided) {
	st.undecided = why
	st.cause = &finding{cause: event.CauseUnknown, confidence: event.Unknown}
}

// beginRules and endRules bracket the rules for a story.
func (e *Engine) beginRules(st *story) {
	if e.o.Attempts != nil {
		e.o.Attempts.Begin(st.process, st.undecided != "")
	}
}

func (e *Engine) endRules(st *story, made bool) {
	if e.o.Attempts != nil {
		e.o.Attempts.End(st.process, made)
	}
}

// fencedRipe is ripe, or true where that panics: the record is made plain then.
func (e *Engine) fencedRipe(st *story, seen uint64) (ripe bool) {
	if seen < st.exit.BoottimeNS+settle {
		return false
	}
	if !e.o.Fence.Run(st.name, func() { ripe = e.ripe(st, seen) }) {
		st.giveUp(event.UndecidedError)
		return true
	}
	return ripe
}

// fencedRecord makes the record of one death, in the plainest form if the rules
// cannot; nil if there is none to be made. A panic costs no other record.
func (e *Engine) fencedRecord(st *story) event.Event {
	if !e.mayBeDeath(st) {
		e.untold(st.exit)
		return nil
	}
	var d *event.Death
	if st.undecided == "" {
		if !e.o.Fence.Run(e.recordName(st), func() { d = e.decidedRecord(st) }) {
			st.giveUp(event.UndecidedError)
		}
	}
	if st.undecided != "" {
		e.o.Fence.Run(e.recordName(st), func() { d = e.plainRecord(st) })
	}
	if d == nil {
		return nil
	}
	return d
}

func (e *Engine) recordName(st *story) func() string {
	return func() string {
		return fmt.Sprintf("death %s (pid %d, start %d)", DeathID(e.o.BootID, st.id.pid, st.id.start), st.id.pid, st.id.start)
	}
}

func (e *Engine) decidedRecord(st *story) *event.Death {
	e.beginRules(st)
	d := e.record(st)
	if d != nil {
		e.keep(st, d)
		e.watchForwarders(st, d)
	}
	e.endRules(st, d != nil)
	return d
}

// mayBeDeath reports whether there may be a record of an end, by the exit alone and
// by whether any signal is known: routine exits cost no more than that.
func (e *Engine) mayBeDeath(st *story) bool {
	return !st.exit.Context && (e.wantedByExit(st.exit) || len(st.signals) > 0 || len(st.handled) > 0)
}

// plainRecord notes an attempt only after an agent has crashed: then a crash in
// here is the last one that this death causes.
func (e *Engine) plainRecord(st *story) *event.Death {
	x := st.exit
	if st.undecided == event.UndecidedCrash {
		e.beginRules(st)
	}
	plantedFault(x, true)
	d := &event.Death{Header: x.Header, ID: DeathID(e.o.BootID, st.id.pid, st.id.start), Revision: 1, Process: x.Process, Exit: x.Exit}
	d.Type = event.TypeDeath
	return phrase.PlainDeath(d, st.undecided)
}
