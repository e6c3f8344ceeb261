// SPDX-License-Identifier: Apache-2.0

package tracer

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/cilium/ebpf/ringbuf"
)

// LaneCount is how many ring buffers there are.
const LaneCount = int(typedLaneLANES)

// Lanes names the ring buffers, by their number on the wire.
func Lanes() [LaneCount]string {
	return [...]string{typedLaneLANE_CRITICAL: "critical", typedLaneLANE_ROUTINE: "routine"}
}

const (
	// lanePoll is how often a lane is looked at: not every event wakes its
	// reader, which would cost the sender more than the event itself. One that
	// has been empty for a while is looked at less often (rest): an idle node shall
	// not pay for two hundred looks a second.
	lanePoll    = 10 * time.Millisecond
	batchEvents = 512
)

// rest is after how many empty looks a lane rests, and how often it is looked at
// then. The first event in the critical lane wakes its reader, which wakes the
// routine one, so that what belongs together is read together. At rest the critical
// lane is looked at only to report that time goes on (verdicts wait for what
// Kubernetes may never say); an event in the routine lane alone comes that late.
func rest(lane int) (after int, poll time.Duration) {
	if lane == 0 {
		return 20, time.Second
	}
	return 20, 500 * time.Millisecond
}

// Batch is what one lane held when it was read: whole events, one after the
// other in Data, each of the length that its header says.
type Batch struct {
	Lane int
	Data []byte
	// Ends holds the end offset of each event in Data.
	Ends []int
	// Drained: the lane was empty after this batch. The first such batch is handed
	// on even if it holds no event.
	Drained bool
	// Until is the time (CLOCK_BOOTTIME, ns) up to which the lane has been read.
	// A batch of the critical lane that holds nothing reports that time goes on.
	Until uint64
}

// Read reads one lane until ctx ends and hands on batches; the callee owns
// them. It returns nil once ctx has ended and what happened before that has
// been read: under load the lane itself may never be empty.
func (p *Tracer) Read(ctx context.Context, lane int, hand func(Batch)) error {
	r, err := ringbuf.NewReader(p.maps[Lanes()[lane]])
	if err != nil {
		return fmt.Errorf("open the %s lane: %w", Lanes()[lane], err)
	}
	defer r.Close()
	if lane == 1 {
		p.routine.Store(r)
		defer p.routine.Store(nil)
	}
	// A deadline does not wake a reader that waits already; Flush does, and
	// lets what is pending be read first.
	var end atomic.Uint64
	stop := context.AfterFunc(ctx, func() {
		end.Store(boottime())
		_ = r.Flush()
	})
	defer stop()
	poll, empty, drained := lanePoll, 0, false
	restAfter, restPoll := rest(lane)
	for {
		b, err := readBatch(r, lane, poll)
		if empty++; len(b.Ends) > 0 {
			empty = 0
			if lane == 0 && p.routineRests.Load() {
				p.rouse()
			}
		}
		if poll = lanePoll; empty > restAfter {
			poll = restPoll
		}
		if lane == 1 {
			p.routineRests.Store(poll != lanePoll)
		}
		if len(b.Ends) > 0 || lane == 0 || b.Drained && !drained {
			hand(b)
		}
		drained = drained || b.Drained
		switch {
		case end.Load() != 0 && happened(b.Data) > end.Load():
			return nil
		case err == nil, errors.Is(err, os.ErrDeadlineExceeded):
		case errors.Is(err, ringbuf.ErrFlushed):
			if end.Load() != 0 {
				return nil
			}
		default:
			return fmt.Errorf("read the %s lane: %w", Lanes()[lane], err)
		}
	}
}

// rouse has a routine lane that rests read at once.
func (p *Tracer) rouse() {
	if r := p.routine.Load(); r != nil {
		_ = r.Flush() // it may just have ended
	}
}

func readBatch(r *ringbuf.Reader, lane int, poll time.Duration) (Batch, error) {
	b := Batch{Lane: lane, Until: boottime()}
	var record ringbuf.Record
	r.SetDeadline(time.Now().Add(poll))
	for len(b.Ends) < batchEvents {
		err := r.ReadInto(&record)
		if err != nil {
			b.Drained = true
			return b, err
		}
		b.Until = happened(record.RawSample)
		b.Data = append(b.Data, record.RawSample...)
		b.Ends = append(b.Ends, len(b.Data))
		if record.Remaining == 0 {
			b.Drained = true
			return b, nil
		}
	}
	return b, nil
}

// happened is when an event did, in nanoseconds since boot: the second word of
// its header (bpf/event.h). 0 if there is none.
func happened(event []byte) uint64 {
	if len(event) < 16 {
		return 0
	}
	return binary.NativeEndian.Uint64(event[8:])
}
