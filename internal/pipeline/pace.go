// SPDX-License-Identifier: Apache-2.0

package pipeline

import "time"

const (
	// tick is how often what waits is looked at, restTick where nothing has
	// come for restAfter: longer than a verdict waits for evidence. An idle
	// node shall hardly notice.
	tick      = 20 * time.Millisecond
	restTick  = time.Second
	restAfter = 3 * time.Second
)

// pace is the pipeline's ticker: quick while events come, slow at rest.
type pace struct {
	*time.Ticker
	last    time.Time
	resting bool
}

func newPace() *pace { return &pace{Ticker: time.NewTicker(tick), last: time.Now()} }

// busy: something has come.
func (p *pace) busy(now time.Time) {
	p.last = now
	if p.resting {
		p.resting = false
		p.Reset(tick)
	}
}

// rest slows down once nothing has come for long enough.
func (p *pace) rest(now time.Time) {
	if !p.resting && now.Sub(p.last) > restAfter {
		p.resting = true
		p.Reset(restTick)
	}
}
