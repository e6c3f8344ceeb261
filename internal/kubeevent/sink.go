// SPDX-License-Identifier: Apache-2.0

package kubeevent

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"k8s.io/client-go/tools/record"
	"k8s.io/utils/clock"

	"github.com/sigtrace/sigtrace/internal/event"
)

// Options of a Sink.
type Options struct {
	// Node is what this node is called in the API; it is where a system OOM is
	// reported. Empty: on the pods alone.
	Node string
	// Room is how many deaths may wait for the API; 0 is 1024.
	Room int
	// Patience is how long Close goes on telling; 0 is 3 s.
	Patience time.Duration
	// Backoff is the first wait after an error, doubled up to 32 times; 0 is
	// half a second.
	Backoff time.Duration
	Log     *slog.Logger
	// Clock is of the rate limits; nil is the real one.
	Clock clock.PassiveClock
}

// Counts are what has become of the Events, since the start.
type Counts struct {
	// Sent were created or updated. Limited are those that the rate limit of
	// their pod kept back. Dropped found no room, or the end came first. Failed
	// were refused by the API server. Retries are tries that did not reach it.
	Sent, Limited, Dropped, Failed, Retries uint64
}

// Sink is a printer (Print, Tick, Flush, Close) that shows deaths as Events. Its
// methods are for one goroutine, Counts for any.
type Sink struct {
	o     Options
	api   API
	queue chan *event.Death
	ended chan struct{}
	stop  context.CancelFunc

	correlator *record.EventCorrelator
	reported   *reported
	failing    bool

	sent, limited, dropped, failed, retries atomic.Uint64
}

// New starts a sink. Nothing is asked of the API before there is something to
// report.
func New(api API, o Options) *Sink {
	if o.Room == 0 {
		o.Room = 1024
	}
	if o.Patience == 0 {
		o.Patience = 3 * time.Second
	}
	if o.Backoff == 0 {
		o.Backoff = 500 * time.Millisecond
	}
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &Sink{
		o: o, api: api, stop: stop,
		queue: make(chan *event.Death, o.Room), ended: make(chan struct{}),
		correlator: record.NewEventCorrelatorWithOptions(record.CorrelatorOptions{Clock: o.Clock}),
		reported:   newTold(),
	}
	go s.run(ctx)
	return s
}

// Print queues a death that is to be reported; everything else passes by.
func (s *Sink) Print(e event.Event) error {
	d, ok := e.(*event.Death)
	if !ok || len(s.objects(d)) == 0 {
		return nil
	}
	select {
	case s.queue <- d:
	default:
		s.dropped.Add(1)
	}
	return nil
}

// Tick has nothing to do.
func (s *Sink) Tick(time.Time) error { return nil }

// Flush has nothing to do: what is queued is on its way.
func (s *Sink) Flush() error { return nil }

// Close says what is queued, for as long as patience lasts. What is left is
// counted and said.
func (s *Sink) Close() error {
	close(s.queue)
	defer s.stop()
	select {
	case <-s.ended:
		return nil
	case <-time.After(s.o.Patience):
	}
	s.stop()
	<-s.ended
	left := uint64(len(s.queue)) + 1 // and the one that it was busy with
	s.dropped.Add(left)
	s.o.Log.Warn("deaths were not reported as Kubernetes Events: the API does not answer", "count", left)
	return nil
}

// Counts may be called at any time.
func (s *Sink) Counts() Counts {
	return Counts{
		Sent: s.sent.Load(), Limited: s.limited.Load(), Dropped: s.dropped.Load(),
		Failed: s.failed.Load(), Retries: s.retries.Load(),
	}
}

func (s *Sink) run(ctx context.Context) {
	defer close(s.ended)
	for d := range s.queue {
		for _, object := range s.objects(d) {
			if err := s.record(ctx, d, object); err != nil {
				return // the end came first
			}
		}
	}
}

// note logs the first error of a spell, and its end.
func (s *Sink) note(err error) {
	switch {
	case err != nil && !s.failing:
		s.o.Log.Warn("Kubernetes Events cannot be written", "error", err)
	case err == nil && s.failing:
		s.o.Log.Info(fmt.Sprintf("Kubernetes Events are written again, %d tries later", s.retries.Load()))
	}
	s.failing = err != nil
}
