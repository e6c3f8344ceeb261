// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
)

const (
	second = uint64(time.Second)
	// settle is how long an exit waits for events that the two lanes, or the
	// OOM killer, bring out of order.
	settle = uint64(100 * time.Millisecond)
	// window is how long signals are remembered for a death to come.
	window = 10 * 60 * second
	// afterlife is how long an ended process is remembered, for causal chains that
	// lead over it.
	afterlife = 60 * second
)

func isTrue(b *bool) bool { return b != nil && *b }

func nanoseconds(n uint64) time.Duration { return time.Duration(n) }

// bare is a process without its ancestry: the actor carries it once.
func bare(p *event.Process) *event.Process {
	if p == nil || len(p.Ancestors) == 0 {
		return p
	}
	c := *p
	c.Ancestors, c.PresentAncestors = nil, nil
	return &c
}

// apartNS is the time between two times, in their unit.
func apartNS(a, b uint64) uint64 { return max(a, b) - min(a, b) }
