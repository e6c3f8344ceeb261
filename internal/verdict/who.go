// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/proctree"
)

// who decides what a sender is to the target. No comm is asked, for anybody can
// call itself runc: what counts is the executable's path, where the process stands,
// and from whom it descends. A role that is only likely makes the finding no more.
func (e *Engine) who(from *event.Process, st *story, f *finding) event.Cause {
	dead := f.deciding.Target
	if proctree.Same(from, dead) {
		return event.CauseSelfSignal
	}
	if !identified(from, dead) {
		return unidentified(from, dead, f)
	}
	for _, role := range []struct {
		cause event.Cause
		trust func(from, target *event.Process) proctree.Trust
	}{
		{event.CauseUserspaceOOM, proctree.OOMDaemon},
		{event.CauseServiceManager, proctree.ServiceManager},
		{event.CauseRuntimeStop, proctree.Runtime},
	} {
		if trust := role.trust(from, dead); trust > proctree.None {
			f.believe(trust == proctree.Proven)
			return role.cause
		}
	}
	if !proctree.SameContainer(from, dead) {
		return event.CauseForeignProcess
	}
	session, sure := proctree.ExecSession(from, dead)
	f.believe(sure && !from.Unconfirmed && !dead.Unconfirmed)
	if session {
		return event.CauseExecSession
	}
	return event.CauseSameContainer
}

// believe makes a finding likely that rests on what is not sure.
func (f *finding) believe(sure bool) {
	if !sure && f.confidence == event.Proven {
		f.confidence = event.Likely
	}
}

// identified reports whether enough is known of a sender to say what it is to the
// target: directly, or because the target descends from it.
func identified(from, dead *event.Process) bool {
	return proctree.IsIdentified(from) || proctree.Descends(dead, from) || proctree.IsInit(from)
}

// unidentified is for a sender of which neither executable nor ancestry is known:
// its cgroup alone says which container it is of. On the host it may be anybody,
// the container's runtime as well.
func unidentified(from, dead *event.Process, f *finding) event.Cause {
	f.believe(false)
	switch {
	case proctree.SameContainer(from, dead):
		return event.CauseSameContainer
	case from.Container != nil:
		return event.CauseForeignProcess
	}
	return event.CauseUnknown
}

// bySomebody reports whether a finding names a sender on the host that could not be
// identified.
func (f *finding) bySomebody() bool {
	return f.cause == event.CauseUnknown && f.actor != nil && f.deciding != nil && f.first != nil && f.first.Sender != nil
}
