// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"golang.org/x/sys/unix"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/kubereason"
	"github.com/sigtrace/sigtrace/internal/proctree"
)

// How long after a signal that asks it to end a process that handled it still
// ends because of it (the contract's rules).
const (
	asksFor    = 60 * second
	hangupAsks = second
	// killsLate is by how much a runtime's SIGKILL may follow the grace period.
	killsLate = 2 * second
)

// mayStop: it does not matter as such, and somebody outside of the container
// sent it to the container's init, as a runtime sends the stop signal. Which
// that is may only come to be known later.
func mayStop(s *event.Signal) bool { return s.Outside && proctree.IsInit(s.Target) }

// asksToEnd reports whether a signal asks a process to end: one that usually
// does, or its container's stop signal, as SIGWINCH is httpd's.
func (st *story) asksToEnd(s *event.Signal) bool {
	switch unix.Signal(s.SignalNumber) {
	case unix.SIGTERM, unix.SIGINT, unix.SIGQUIT, unix.SIGHUP:
		return true
	}
	return mayStop(s) && st.stopSignal() == s.Signal
}

// stopSignal is what the container is stopped with, empty where that is not
// known.
func (st *story) stopSignal() string {
	if c := st.process.Container; c != nil {
		return c.StopSignal
	}
	return ""
}

// patience: SIGHUP often means reload, unless it is the container's stop signal.
// What is asked to end for kubelet has the grace period of its pod.
func (e *Engine) patience(st *story, s *event.Signal) uint64 {
	if unix.Signal(s.SignalNumber) == unix.SIGHUP && st.stopSignal() != s.Signal {
		return hangupAsks
	}
	pod := e.kube.PodOf(st.process)
	if pod == nil || st.process.Container == nil || !forKubelet(s.Sender, st.process, pod) {
		return asksFor
	}
	return max(asksFor, uint64(pod.Grace(st.process.Container.Name))+killsLate)
}

// forKubelet reports whether a sender may act for kubelet: the runtime, or something
// in the container, where that has a preStop hook.
func forKubelet(from, dead *event.Process, pod *kubereason.Pod) bool {
	if from == nil {
		return false
	}
	hooked := pod.HasPreStop(dead.Container.Name) && from.Container != nil && from.Container.ID == dead.Container.ID
	return hooked || proctree.IsRuntime(from, dead)
}
