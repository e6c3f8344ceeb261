// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/kubereason"
	"github.com/sigtrace/sigtrace/internal/proctree"
	"golang.org/x/sys/unix"
)

// stopOf reports whether a finding is such a stop: the runtime sent the signal, or
// a process that came into the container from outside, as a preStop hook does. A
// sender on the host of which nothing is known may have been the runtime.
func (e *Engine) stopOf(st *story, f *finding) (kubereason.Stop, bool) {
	p := st.process
	if f.first == nil || p.Pod == nil || p.Container == nil {
		return kubereason.Stop{}, false
	}
	hook := f.cause == event.CauseExecSession
	if f.cause != event.CauseRuntimeStop && !hook && !f.bySomebody() {
		return kubereason.Stop{}, false
	}
	s := kubereason.Stop{
		Pod: e.kube.PodOf(p), Container: p.Container.Name, ContainerID: p.Container.ID, ByHook: hook,
		Began: e.began(f.first), Ended: st.exit.Time, Sandbox: p.Container.Name == "",
		Beside: !proctree.IsInit(f.first.Target),
	}
	if s.Pod == nil {
		s.Pod = &kubereason.Pod{}
	}
	init := p
	if !proctree.IsInit(p) {
		init = initOf(p)
	}
	if init != nil && init.StartTime != nil {
		s.Started = *init.StartTime
	}
	return s, true
}

// began is when the stop began: a SIGKILL at the end of the grace period has
// the stop signal before it.
func (e *Engine) began(first *noted) time.Time {
	if first.SignalNumber != int(unix.SIGKILL) {
		return first.Time
	}
	st := e.find(first.Target)
	if st == nil {
		return first.Time
	}
	for i := len(st.signals) - 1; i >= 0; i-- {
		s := &st.signals[i]
		if s.BoottimeNS < first.BoottimeNS && s.SignalNumber != int(unix.SIGKILL) && s.Sender != nil && proctree.IsRuntime(s.Sender, s.Target) {
			return s.Time
		}
	}
	return first.Time
}
