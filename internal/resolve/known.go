// SPDX-License-Identifier: Apache-2.0

package resolve

import (
	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/tracer/wire"
)

// known is what the kernel side has reported of one process.
type known struct {
	exe       string
	args      []string
	truncated bool
	short     *shortArgs
	place     wire.Place
	tracer    wire.Node // by its last description; TGID 0: none
	present   []wire.Node
	lineage   []wire.Node
	// describedAt and presentAt are when that was so, by CLOCK_BOOTTIME: the lanes
	// are read one after the other.
	describedAt, presentAt uint64
	// built is the last process made of this, for the brief it was made for:
	// a sender that sends again is the same object.
	built      *event.Process
	builtFor   wire.Brief
	builtNames uint64
}

// generation is how many processes are remembered, generationArgs how many bytes of
// their arguments, and generationNodes how many nodes of their ancestries, before the
// older half is forgotten and the kernel asked to describe anew. A node and what is
// made of it take about half a kilobyte.
const (
	generation      = 4096
	generationArgs  = 4 << 20
	generationNodes = 32 << 10
)

// memory holds what is known in two generations: when the young one is full it
// becomes the old one, and what is still needed is described again. So it is
// bounded, and an event that is on its way already still finds its process.
type memory struct {
	young, old map[wire.Key]*known
	args       int // bytes reported since young was new
	nodes      int // of young's ancestries
	epoch      uint32
	forget     func(epoch uint32)
}

func newMemory(forget func(epoch uint32)) *memory {
	return &memory{young: map[wire.Key]*known{}, epoch: 1, forget: forget}
}

func (m *memory) get(k wire.Key) *known {
	if p, ok := m.young[k]; ok {
		return p
	}
	return m.old[k]
}

// edit returns the entry to be filled. It moves an old one, and a process
// object already handed out stays as it is.
func (m *memory) edit(k wire.Key) *known {
	p := m.young[k]
	if p == nil {
		p = &known{}
		if old := m.old[k]; old != nil {
			*p = *old
		}
		m.turn()
		m.young[k] = p
		m.nodes += len(p.present) + len(p.lineage)
	}
	p.built = nil
	return p
}

// describe fills in what was reported of the process of an entry.
func (m *memory) describe(k *known, exe string, args []string, truncated bool) {
	k.exe, k.args, k.truncated, k.short = exe, args, truncated, nil
	m.args += size(args)
}

// chain takes over an ancestry in place of the one that was known.
func (m *memory) chain(of *[]wire.Node, nodes []wire.Node) {
	m.nodes += len(nodes) - len(*of)
	*of = nodes
}

func (m *memory) turn() {
	if len(m.young) < generation && m.args < generationArgs && m.nodes < generationNodes {
		return
	}
	m.old, m.young, m.args, m.nodes = m.young, map[wire.Key]*known{}, 0, 0
	m.epoch++
	m.forget(m.epoch)
}
