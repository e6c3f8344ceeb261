// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"context"
	"errors"
	"time"

	"github.com/sigtrace/sigtrace/internal/tracer"
)

const (
	// lossEvery is how often the loss counters are read, lossRest where nothing
	// comes that could be lost.
	lossEvery = 500 * time.Millisecond
	lossRest  = 5 * time.Second
	// wrapUp is how long, once asked to end, routine signals are still printed; the
	// rest of them is counted. What decides is printed however many there are.
	wrapUp = 2 * time.Second
)

// Run reads until ctx ends, drains what is in the rings, and prints it.
func (p *Pipeline) Run(ctx context.Context) error {
	reading, stop := context.WithCancel(ctx)
	defer stop()
	p.since = time.Now()
	if err := p.beginRecovery(); err != nil {
		return err
	}
	p.loadSymbols()
	readers := p.startReaders(reading)
	err := p.consume(ctx, readers)
	stop()
	if errors.Is(err, errDone) {
		err = nil
	}
	return errors.Join(err, p.printer.Flush())
}

// startReaders closes batches once both lanes are drained.
func (p *Pipeline) startReaders(ctx context.Context) <-chan error {
	failed := make(chan error, 2)
	left := make(chan struct{}, 2)
	for lane := range tracer.LaneCount {
		go func() {
			hand := func(b tracer.Batch) {
				if len(b.Ends) > 0 {
					p.queued[lane].Add(1)
				}
				p.batches <- b
			}
			if err := p.source.Read(ctx, lane, hand); err != nil {
				failed <- err
			}
			left <- struct{}{}
		}()
	}
	go func() {
		<-left
		<-left
		close(p.batches)
	}()
	return failed
}

func (p *Pipeline) loadSymbols() {
	if p.o.Symbols == nil {
		return
	}
	go func() {
		s, err := p.o.Symbols()
		if err != nil {
			p.o.Log.Warn("no kernel symbols: mechanisms are inferred from flags", "error", err)
		}
		p.symbols <- s
	}()
}

func (p *Pipeline) consume(ctx context.Context, failed <-chan error) error {
	ticker := newPace()
	defer ticker.Stop()
	// Stacks can be read once the symbols are there, after a few hundredths of a second.
	if p.o.Symbols != nil {
		p.resolver.SetSymbols(<-p.symbols)
	}
	defer p.discard()
	ending := ctx.Done()
	for {
		if err := p.fence.Err(); err != nil {
			return err
		}
		select {
		case <-ending:
			p.cut, ending = time.Now().Add(wrapUp), nil
		case err := <-failed:
			return err
		case b, open := <-p.batches:
			if !open {
				return p.end(ctx)
			}
			if len(b.Ends) > 0 {
				ticker.busy(time.Now())
			}
			if err := p.takeBatch(ctx, b); err != nil {
				return err
			}
		case now := <-ticker.C:
			ticker.rest(now)
			if err := p.tick(ctx, now, ticker.resting); err != nil {
				return err
			}
		case k := <-p.o.Feeds.KernelLog:
			if err := p.kernelLog(k); err != nil {
				return err
			}
		case f := <-p.o.Feeds.Facts:
			p.fact(f)
		case older := <-p.o.Feeds.Older:
			p.resolver.SetOlder(older)
		case s := <-p.o.Feeds.Statuses:
			if err := p.Status(s); err != nil {
				return err
			}
		case x := <-p.o.Feeds.Absent:
			p.judge(x)
		case path := <-p.waiting.names.answered:
			p.waiting.names.done(path)
			p.resolver.Names().Learned()
			if err := p.emitHeld(p.waiting.release(time.Now())); err != nil {
				return err
			}
		}
	}
}

// discard lets the readers end when the stream is not read to its end.
func (p *Pipeline) discard() {
	go func() {
		for range p.batches {
		}
	}()
}

// end prints what waits: the stream has ended, and nothing in flight is lost.
func (p *Pipeline) end(ctx context.Context) error {
	if err := p.endRecovery(ctx); err != nil {
		return err
	}
	if err := p.emitHeld(p.waiting.drain()); err != nil {
		return err
	}
	if err := p.printAll(p.ooms.drain()); err != nil {
		return err
	}
	if err := p.emitLosses(time.Now()); err != nil {
		return err
	}
	if err := p.emitDropped(); err != nil {
		return err
	}
	return p.flush()
}

func (p *Pipeline) tick(ctx context.Context, now time.Time, resting bool) error {
	if err := p.resume(ctx, now); err != nil {
		return err
	}
	if err := p.emitHeld(p.waiting.release(now)); err != nil {
		return err
	}
	if err := p.printAll(p.ooms.expired(now)); err != nil {
		return err
	}
	every := lossEvery
	if resting {
		every = lossRest
	}
	if now.Sub(p.lossAt) >= every {
		p.lossAt = now
		if err := p.emitLosses(now); err != nil {
			return err
		}
	}
	if err := p.emitDue(); err != nil {
		return err
	}
	return p.tickPrinter(now)
}

// emitDue prints the records that are ripe. Verdicts wait until what was kept has been
// handed on.
func (p *Pipeline) emitDue() error {
	if p.recovery.running() {
		return nil
	}
	return p.due(p.seenUntil())
}
