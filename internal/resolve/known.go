// SPDX-License-Identifier: Apache-2.0

package resolve

import "github.com/sigtrace/sigtrace/internal/event"

// known is what the kernel side has told of one process.
type known struct {
	exe       string
	args      []string
	truncated bool
	present   []event.Node
	lineage   []event.Node
	// built is the last process made of this, for the brief it was made for:
	// a sender that sends again is the same object.
	built      *event.Process
	builtFor   event.Brief
	builtNames uint64
}

// generation is how many processes are remembered before the older half is
// forgotten and the kernel asked to describe anew.
const generation = 4096

// memory holds what is known in two generations: when the young one is full it
// becomes the old one, and what is still needed is described again. So it is
// bounded, and an event that is on its way already still finds its process.
type memory struct {
	young, old map[event.Key]*known
	epoch      uint32
	forget     func(epoch uint32)
}

func newMemory(forget func(epoch uint32)) *memory {
	return &memory{young: map[event.Key]*known{}, epoch: 1, forget: forget}
}

func (m *memory) get(k event.Key) *known {
	if p, ok := m.young[k]; ok {
		return p
	}
	return m.old[k]
}

// edit returns the entry to be filled. It moves an old one, and a process
// object already handed out stays as it is.
func (m *memory) edit(k event.Key) *known {
	p := m.young[k]
	if p == nil {
		p = &known{}
		if old := m.old[k]; old != nil {
			*p = *old
		}
		m.turn()
		m.young[k] = p
	}
	p.built = nil
	return p
}

func (m *memory) turn() {
	if len(m.young) < generation {
		return
	}
	m.old, m.young = m.young, map[event.Key]*known{}
	m.epoch++
	m.forget(m.epoch)
}
