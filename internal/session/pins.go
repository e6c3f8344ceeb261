// SPDX-License-Identifier: Apache-2.0

package session

import (
	"log/slog"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/pipeline"
	"github.com/sigtrace/sigtrace/internal/resolve"
	"github.com/sigtrace/sigtrace/internal/tracer"
)

// Recovery prepares to go on where the last reader of the same pins has ended; nil
// without pins. written answers whether the record of a death is on the disk.
func (s *Session) Recovery(written func(pid int, start uint64) bool) *pipeline.Recovery {
	if s.c.Pins == nil {
		return nil
	}
	r := s.c.Pins.Report()
	recovery := &pipeline.Recovery{
		Keeper: s.tracer, Written: written, Lost: lostWithPins(r), Overlap: r.Overlap, Log: s.log,
	}
	if r.Seen != 0 {
		recovery.Since = time.Now().Add(-time.Duration(resolve.Now() - min(r.Seen, resolve.Now())))
	}
	if r.Why != "" {
		s.log.Warn("the pins were not used as they are", "dir", s.c.Pins.Dir(), "state", r.State, "why", r.Why, "deaths_dropped", r.Dropped)
	}
	return recovery
}

// lostWithPins is what the pins could not carry over.
func lostWithPins(r tracer.PinReport) []tracer.Loss {
	var lost []tracer.Loss
	if r.Dropped > 0 {
		lost = append(lost, tracer.Loss{Lane: tracer.Lanes()[0], Reason: "pins_replaced", Count: uint64(r.Dropped)})
	}
	if r.NotKept > 0 {
		lost = append(lost, tracer.Loss{Lane: tracer.Lanes()[0], Reason: "pins_full", Count: r.NotKept})
	}
	return lost
}

// Release has the kernel side forget a death: its record is on the disk, or none is
// made of it.
func (s *Session) Release(p *event.Process) {
	if s == nil || s.c.Pins == nil {
		return
	}
	if err := s.tracer.Release(p.PID, p.StartBoottimeNS); err != nil {
		s.log.Debug("a death stays in the pins", "pid", p.PID, "error", err)
	}
}

func (s *Session) pinStatus() *event.Pins {
	if s.c.Pins == nil {
		return nil
	}
	r := s.c.Pins.Report()
	return &event.Pins{Directory: s.c.Pins.Dir(), State: r.State, Why: r.Why}
}

// OpenPins takes hold of a directory of pins. Where dir is empty there are none, and
// pins that lie idle are reported.
func OpenPins(dir string, log *slog.Logger) (*tracer.Pins, error) {
	if dir == "" {
		if tracer.Pinned(tracer.PinDir) {
			log.Warn("an agent with --pin has left its programs loaded: continue with --pin, or remove them with sigtrace agent --unpin", "dir", tracer.PinDir)
		}
		return nil, nil
	}
	return tracer.OpenPins(dir)
}
