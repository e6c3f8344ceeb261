// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/proctree"
)

// forkedIntoKill reports whether a signal hit a task that was forked into a cgroup
// while that was being killed (cgroup_post_fork, kernel/cgroup/cgroup.c). Its
// trigger is the task that forked, which did not ask for it.
func forkedIntoKill(s *event.Signal) bool {
	return s.ForkedIntoKill || s.KernelFunction == "cgroup_post_fork"
}

// ownCgroupKill reports whether a process wrote the cgroup.kill of its own cgroup.
// Older recordings leave the trigger out where it is the target.
func ownCgroupKill(s *event.Signal) bool {
	if s.Via != event.ViaCgroupKill || forkedIntoKill(s) {
		return false
	}
	if s.Trigger != nil {
		return proctree.Same(s.Trigger, s.Target)
	}
	return s.KernelFunction == "__cgroup_kill" || s.KernelFunction == "cgroup_kill_write"
}

// cgroupKiller is who wrote the cgroup.kill that a task was forked into: the
// writer that killed the process which forked it, for both are of one cgroup. It
// is nil where that was not seen.
func (e *Engine) cgroupKiller(s *event.Signal) *event.Process {
	forker := s.Target
	if s.Trigger != nil {
		forker = s.Trigger
	}
	st := e.find(forker)
	if st == nil {
		return nil
	}
	for i := len(st.signals) - 1; i >= 0; i-- {
		k := st.signals[i].Signal
		if k.Via == event.ViaCgroupKill && !forkedIntoKill(k) && apartNS(k.BoottimeNS, s.BoottimeNS) <= second {
			return doer(k)
		}
	}
	return nil
}

// doer is who a signal's act is put down to, as far as the signal itself shows it;
// nil where it does not.
func doer(s *event.Signal) *event.Process {
	switch {
	case s.Sender != nil:
		return s.Sender
	case forkedIntoKill(s):
		return nil
	case ownCgroupKill(s):
		return s.Target
	}
	return s.Trigger
}

// doerOf is doer, and of a task that was forked into a cgroup which was being
// killed the writer of its cgroup.kill.
func (e *Engine) doerOf(s *event.Signal) *event.Process {
	if forkedIntoKill(s) {
		return e.cgroupKiller(s)
	}
	return doer(s)
}
