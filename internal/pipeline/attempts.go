// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/tracer"
	"github.com/sigtrace/sigtrace/internal/tracer/wire"
)

// A death that ends the agent that makes its record would end the next agent as
// well, for it is kept. So each attempt is written into what is kept before the
// rules run: the next agent makes that record without them, and the one after
// that none. Only panics can be caught; these notes outlive a stack overflow too.

// Begin notes that the record of a death is about to be made; plain says that the
// rules do not run for it.
func (r *Recovery) Begin(p *event.Process, plain bool) {
	r.note(p, func(a *wire.Attempts) { a.Begin(plain) })
}

// End notes that the rules came to their end, and whether a record was made.
func (r *Recovery) End(p *event.Process, made bool) {
	r.note(p, func(a *wire.Attempts) { a.End(made) })
}

func (r *Recovery) note(p *event.Process, edit func(*wire.Attempts)) {
	if r == nil || !p.PIDKnown() {
		return
	}
	k := tracer.KeptKey{TGID: uint32(p.PID), Start: p.StartBoottimeNS}
	if err := r.Keeper.NoteAttempt(k, edit); err != nil {
		r.Log.Warn("cannot note the attempt to make a record: if it crashes this agent, it crashes the next one too", "pid", p.PID, "error", err)
	}
}

// undecided is why the rules must not run for a death; empty where they may.
func (r *Recovery) undecided(k wire.Key) event.Undecided {
	if r == nil || !r.plain[k] {
		return ""
	}
	return event.UndecidedCrash
}

// abandon releases a death whose plainest record has ended an agent too. The rings
// may have its exit still: it counts as handed on.
func (r *Recovery) abandon(k tracer.KeptKey, d *wire.Kept) {
	r.Log.Error("two agents crashed while they made the record of a death: it is given up", "pid", k.TGID, "start", k.Start, "comm", d.Exit.Process.Comm)
	r.exits[wire.Key(k)] = handed{time.Now(), d.Exit.Boottime}
	r.spent++
	_ = r.Keeper.Release(int(k.TGID), k.Start)
}
