// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"slices"

	"github.com/sigtrace/sigtrace/internal/event"
)

// id identifies a process: a pid alone is used again.
type id struct {
	pid   int
	start uint64
}

func idOf(p *event.Process) id {
	if p == nil {
		return id{}
	}
	return id{p.PID, p.StartBoottimeNS}
}

// signalsMax bounds what is remembered for one process.
const signalsMax = 32

// noted is a signal with the act that it was part of.
type noted struct {
	*event.Signal
	act *act
}

// story is what is known of one process.
type story struct {
	id      id
	process *event.Process
	signals []noted // by time
	// handled are those that do not ask it to end and were handled, by time.
	handled []noted
	// refuted are requests to stop after which it lived on.
	refuted map[*event.Signal]bool
	// killed is the first signal that was its end, sigkill the first SIGKILL from
	// then on: whoever stays after SIGTERM often gets one.
	killed, sigkill *event.Signal
	oom             *event.OOM
	exit            *event.Exit
	memory          *event.Memory
	touched         uint64
	// lookAfter and stuck: what has been done about a kill that does not kill, and
	// how long after it (ns) more will be.
	lookAfter uint64
	stuck     bool
	// cause is remembered for chains that lead over this death.
	cause *finding
	// undecided is why the rules do not run for it; empty where they do.
	undecided event.Undecided
	// judged: its end has been judged, and reported where it makes a record.
	judged bool
	// bytes is about what it holds, see weigh.
	bytes int
	// heard is one more than the news of its pod when it was last looked at.
	heard uint64
	// awaited is what it was waiting for then.
	awaited awaited
}

func (e *Engine) story(p *event.Process, at uint64) *story {
	k := idOf(p)
	st := e.stories[k]
	if st == nil {
		st = &story{id: k}
		e.stories[k] = st
		e.weigh(st, storyWeight)
	}
	if st.process != p {
		st.process = p
		e.weigh(st, weightOf(p))
	}
	st.touched = max(st.touched, at)
	return st
}

// find returns the story of a process; nil if there is none.
func (e *Engine) find(p *event.Process) *story {
	if p == nil {
		return nil
	}
	return e.stories[idOf(p)]
}

// add keeps signals in order of time. The oldest that decided nothing goes
// first when there are too many. It returns how many more there are.
func (st *story) add(s *event.Signal, a *act) int {
	at := len(st.signals)
	for at > 0 && st.signals[at-1].BoottimeNS > s.BoottimeNS {
		at--
	}
	st.signals = slices.Insert(st.signals, at, noted{s, a})
	if len(st.signals) <= signalsMax {
		return 1
	}
	drop := slices.IndexFunc(st.signals, func(n noted) bool { return !isTrue(n.Fatal) })
	st.signals = slices.Delete(st.signals, max(drop, 0), max(drop, 0)+1)
	return 0
}

// since is where the window begins that the verdict rests on.
func (st *story) since() uint64 {
	from := st.exit.BoottimeNS - min(second, st.exit.BoottimeNS)
	if len(st.signals) > 0 {
		from = min(from, st.signals[0].BoottimeNS)
	}
	return from
}
