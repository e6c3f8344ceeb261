// SPDX-License-Identifier: Apache-2.0

package kube

import "github.com/sigtrace/sigtrace/internal/event"

// looker is a source that is asked when something has happened, and not only
// now and then.
type looker interface {
	// look must not block.
	look(at happened)
}

// happened is what the kernel has shown of a pod's process.
type happened struct {
	process *event.Process
	ended   bool // else it was sent a signal from outside its container
}

// Signalled shows the sources of a signal to a process of a pod: what counts
// probe failures is read at once, before kubelet forgets.
func (s *Set) Signalled(sig *event.Signal) {
	if !sig.Matters || sig.Target == nil || sig.Target.Pod == nil || sig.Sender == nil {
		return
	}
	if c := sig.Sender.Container; c != nil && sig.Target.Container != nil && c.ID == sig.Target.Container.ID {
		return
	}
	s.look(happened{process: sig.Target})
}

// Exited shows the sources of the end of a pod's container.
func (s *Set) Exited(x *event.Exit) {
	p := x.Process
	if p.Pod == nil || p.Container == nil || p.Container.Init == nil || !*p.Container.Init {
		return
	}
	s.look(happened{process: p, ended: true})
}

func (s *Set) look(at happened) {
	for _, source := range s.sources {
		if l, ok := source.(looker); ok {
			l.look(at)
		}
	}
}
