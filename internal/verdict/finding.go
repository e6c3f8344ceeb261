// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"slices"

	"github.com/sigtrace/sigtrace/internal/event"
)

// finding is a cause with what it rests on.
type finding struct {
	cause      event.Cause
	confidence event.Confidence
	// deciding is the signal that ended it, or that asked it to end; first the
	// one that began the chain (the same where there is no forwarder).
	deciding, first *noted
	oom             *event.OOM
	log             *event.KernelOOM
	actor           *event.Process
	hops            []event.Hop
	// absent: no agent was there.
	absent *event.Absent
	// asked: it exited with a status of its own after deciding.
	asked bool
	// aborted: abort() in an init, which ignores SIGABRT. sibling: setOffBy is a
	// sibling whose crash made their supervisor end it.
	aborted, sibling bool
	// parentLives: the thread that PR_SET_PDEATHSIG follows has ended, and its
	// process has not.
	parentLives bool
	// asks are requests that forwarders are taken to have passed on.
	asks []openAsk
	// setOffBy is the death of another process that set this one off, and
	// setOffCause the cause of that one.
	setOffBy    *story
	setOffCause event.Cause
	// why the other died, where Kubernetes knows better than the kernel.
	why string
	// tracedSender sent the signal while the actor traced it.
	tracedSender *event.Process
	// cut: the causes behind this one were not all followed, see walk.
	cut bool
}

// openAsk is a request to a process that has not been seen to end.
type openAsk struct {
	st  *story
	ask *event.Signal
}

// precede puts hops before those of a finding. Where that makes too many, the
// middle is left out: the first cause and the final blow are what is asked for.
func (f *finding) precede(hops ...event.Hop) {
	all := slices.Concat(hops, f.hops)
	if n := len(all); n > chainMax {
		left := event.Hop{What: "further hops left out"}
		all = slices.Concat(all[:chainMax/2], []event.Hop{left}, all[n-(chainMax-chainMax/2-1):])
	}
	f.hops = all
}

// chain leaves out a single hop: that is the actor itself.
func (f *finding) chain() []event.Hop {
	if len(f.hops) < 2 && f.setOffBy == nil {
		return nil
	}
	hops := f.hops
	if f.setOffBy != nil && f.cause != event.CauseRuntimeCleanup {
		died := event.Hop{Process: f.setOffBy.process, What: "died (" + f.whyDied() + ")"}
		at := len(hops)
		if f.sibling {
			at = max(len(hops)-1, 0) // before what the supervisor did about it
		}
		hops = slices.Insert(slices.Clone(hops), at, died)
	}
	return hops
}

// whyDied is the cause of the death that set this one off.
func (f *finding) whyDied() string {
	if f.why != "" {
		return f.why
	}
	return string(f.setOffCause)
}
