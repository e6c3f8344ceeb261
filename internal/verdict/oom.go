// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/proctree"
)

const (
	oomsMax = 128
	// oneKill is how long one run of the OOM killer takes at most, with all
	// the members of a memory.oom.group.
	oneKill = second
)

func byOOM(o *event.OOM) finding {
	f := finding{cause: event.CauseSystemOOM, confidence: event.Proven, oom: o}
	if o.Scope == "cgroup" {
		f.cause = event.CauseCgroupOOM
	} else if o.Order == nil {
		// Without oom_kill_process this is what is left where no limit was
		// found to be hit.
		f.confidence = event.Likely
	}
	if o.Scope == "sysrq" {
		f.actor = o.Trigger
	}
	return f
}

// sharedMemory is for those that the OOM killer took because they share the
// victim's memory.
func (e *Engine) sharedMemory(f *finding, s *noted) {
	o := e.oomBefore(s.BoottimeNS+settle, s.Trigger)
	if o == nil {
		f.cause = event.CauseUnknown
		return
	}
	*f = finding{cause: byOOM(o).cause, confidence: byOOM(o).confidence, deciding: f.deciding, first: f.first, hops: f.hops, oom: o}
}

// oomBefore is the last OOM kill before a time, by one trigger if that is
// given.
func (e *Engine) oomBefore(at uint64, trigger *event.Process) *event.OOM {
	for i := len(e.ooms) - 1; i >= 0; i-- {
		o := e.ooms[i]
		if o.BoottimeNS > at || trigger != nil && !proctree.Same(trigger, o.Trigger) {
			continue
		}
		if at-o.BoottimeNS <= oneKill {
			return o
		}
	}
	return nil
}

// group holds the kills of one memory.oom.group, with o; nil if o is alone.
func (e *Engine) group(o *event.OOM) []*event.OOM {
	var all []*event.OOM
	members := 0
	for _, p := range e.ooms {
		if !proctree.Same(p.Trigger, o.Trigger) || p.LimitCgroup != o.LimitCgroup || apart(p, o) > oneKill {
			continue
		}
		all = append(all, p)
		if isTrue(p.GroupKill) {
			members++
		}
	}
	if members == 0 {
		return nil
	}
	return all
}

func apart(a, b *event.OOM) uint64 { return apartNS(a.BoottimeNS, b.BoottimeNS) }

// speaker is whose record reports the whole group: the container's init, else
// the one that the OOM killer chose.
func speaker(group []*event.OOM) *event.Process {
	for _, o := range group {
		if proctree.IsInit(o.Victim.Process) {
			return o.Victim.Process
		}
	}
	for _, o := range group {
		if !isTrue(o.GroupKill) {
			return o.Victim.Process
		}
	}
	return group[0].Victim.Process
}
