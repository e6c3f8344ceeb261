// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
)

// streamHangs is how long a stream that ticks fifty times a second may be silent.
const streamHangs = 10 * time.Second

// pulse is a printer that notes when the stream ticked: whether it moves.
type pulse struct {
	last  atomic.Int64 // nanoseconds of time since began; 0 before the first
	began time.Time
	ready atomic.Bool
}

func newPulse() *pulse { return &pulse{began: time.Now()} }

func (p *pulse) Print(event.Event) error { return nil }
func (p *pulse) Flush() error            { return nil }
func (p *pulse) Close() error            { return nil }

func (p *pulse) Tick(time.Time) error {
	p.last.Store(int64(time.Since(p.began)))
	return nil
}

// alive is an error if the stream does not move; before its first tick it is starting.
func (p *pulse) alive() error {
	last := p.last.Load()
	if silent := time.Since(p.began) - time.Duration(last); last > 0 && silent > streamHangs {
		return fmt.Errorf("the stream has not moved for %v", silent.Round(time.Second))
	}
	return nil
}

// isReady is an error unless every hook is attached and the stream moves.
func (p *pulse) isReady() error {
	if !p.ready.Load() {
		return errors.New("starting")
	}
	return p.alive()
}
