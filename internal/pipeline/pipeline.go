// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/sigtrace/sigtrace/internal/cgroup"
	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/fence"
	"github.com/sigtrace/sigtrace/internal/kubefact"
	"github.com/sigtrace/sigtrace/internal/proc"
	"github.com/sigtrace/sigtrace/internal/resolve"
	"github.com/sigtrace/sigtrace/internal/tracer"
)

// Printer is where events go.
type Printer interface {
	Print(event.Event) error
	// Tick lets go of what was held back for folding.
	Tick(now time.Time) error
	// Flush writes out what is buffered.
	Flush() error
}

// Cgroups hears of cgroups as they come and go.
type Cgroups interface {
	CgroupCreated(ctx context.Context, h cgroup.Hierarchy, id uint64, path string)
	CgroupRemoved(h cgroup.Hierarchy, id uint64)
}

// Kernel is the kernel side: *tracer.Probe, or a recording of it.
type Kernel interface {
	Read(ctx context.Context, lane int, hand func(tracer.Batch)) error
	Losses() ([]tracer.Loss, error)
}

// Verdicts joins what it is handed into deaths.
type Verdicts interface {
	Signal(*event.Signal)
	OOM(*event.OOM)
	Exit(*event.Exit)
	Lost(*event.Lost)
	KernelLog(*event.KernelOOM)
	Fact(*kubefact.Fact)
	// Due returns the records that are ripe: everything up to seen
	// (CLOCK_BOOTTIME, ns) has been handed on.
	Due(seen uint64) []event.Event
	// Flush returns those that wait: the stream has ended.
	Flush() []event.Event
}

// Witnesses are asked when something has happened.
type Witnesses interface {
	Signalled(*event.Signal)
	Exited(*event.Exit)
}

// Options say what to let through.
type Options struct {
	Types map[event.Type]bool
	// All lets routine signals through.
	All bool
	// MaxEvents ends the run after so many events; 0 is no limit.
	MaxEvents  int
	SenderPID  int
	SenderComm string
	// Signals has bit n-1 set for each signal n to be shown; 0 is all.
	Signals uint64
	// Causes are the deaths to be shown; none is all.
	Causes map[event.Cause]bool
	// Verdicts may be nil: no deaths are told then.
	Verdicts Verdicts
	// KernelLog brings what the kernel's log says of OOM kills; nil is nothing.
	KernelLog <-chan *event.KernelOOM
	// Witnessed joins an OOM kill with what the kernel's log says of it; nil where
	// nothing is joined.
	Witnessed func(*event.OOM, *event.KernelOOM) *event.OOM
	// Facts brings what Kubernetes says; nil is nothing.
	Facts <-chan *kubefact.Fact
	// Statuses brings what the sources have come to say of themselves; nil is
	// nothing.
	Statuses <-chan *event.Status
	// Absent brings the ends of the time in which nobody watched; nil is none.
	Absent <-chan *event.Exit
	// Recovery goes on where another reader of the same rings has ended; nil
	// where there was none.
	Recovery *Recovery
	// Witnesses hear of what happens to pods, so that they look at once; nil is
	// nobody.
	Witnesses Witnesses
	// Fence catches the panics of one event at a time, and ends the run where
	// they are too many; nil catches none.
	Fence      *fence.Fence
	Log        *slog.Logger
	FetchNames func(ctx context.Context, cgroupPath string)
	// TopCgroup hears that a cgroup of the first level was made; may be nil.
	TopCgroup func()
	// Older brings what the inits of older containers execute; nil is nothing.
	Older <-chan map[proc.Identity]proc.Image
	// Symbols reads the kernel's functions; it runs beside the stream.
	Symbols func() (*proc.Symbols, error)
}

const (
	// undecided is how long a signal waits for the kernel's decision.
	undecided = 100 * time.Millisecond
	// naming is how long an event waits for its container's name.
	naming = 400 * time.Millisecond
	// lossEvery is how often the loss counters are read, lossRest where nothing
	// comes that could be lost.
	lossEvery = 500 * time.Millisecond
	lossRest  = 5 * time.Second
	// routineLag is by how much a routine lane that lags holds records back: it has
	// the stop signals of a container's own choice, and under --all a flood.
	routineLag = uint64(2 * time.Second)
	// heldMax bounds the events that wait; beyond it they go as they are.
	heldMax = 4096
	// wrapUp is how long, once asked to end, routine signals are still told; the
	// rest of them is counted. What decides is told however many there are.
	wrapUp = 2 * time.Second
)

// errDone ends the run after MaxEvents.
var errDone = errors.New("enough events")

// Pipeline is one run of the stream.
type Pipeline struct {
	kernel   Kernel
	resolver *resolve.Resolver
	cgroups  Cgroups
	cache    *cgroup.Cache
	printer  Printer
	o        Options

	batches chan tracer.Batch
	// waiting counts the batches of each lane that wait and hold events.
	waiting [tracer.LaneCount]atomic.Int64
	symbols chan *proc.Symbols
	held    []*held
	names   nameQueue
	ooms    []unwitnessed
	logs    []early
	printed int
	// until is the time up to which each lane has been looked at.
	until  [tracer.LaneCount]uint64
	lossAt time.Time
	since  time.Time
	// cut is when routine signals are told no more, zero until the end is asked
	// for; untold counts them.
	cut    time.Time
	untold uint64
}

// New wires a pipeline. cgroups and cache may be nil.
func New(kernel Kernel, resolver *resolve.Resolver, cache *cgroup.Cache, cgroups Cgroups, printer Printer, o Options) *Pipeline {
	return &Pipeline{
		kernel: kernel, resolver: resolver, cache: cache, cgroups: cgroups, printer: printer, o: o,
		batches: make(chan tracer.Batch, 16), symbols: make(chan *proc.Symbols, 1),
		names: newNaming(o.FetchNames, o.Fence),
	}
}

// Run reads until ctx ends, drains what is in the rings, and prints it.
func (p *Pipeline) Run(ctx context.Context) error {
	reading, stop := context.WithCancel(ctx)
	defer stop()
	p.since = time.Now()
	if p.o.Recovery != nil {
		if err := p.recover(); err != nil {
			return err
		}
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
					p.waiting[lane].Add(1)
				}
				p.batches <- b
			}
			if err := p.kernel.Read(ctx, lane, hand); err != nil {
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
			p.o.Log.Warn("mechanisms are told by flags only", "error", err)
		}
		p.symbols <- s
	}()
}

func (p *Pipeline) consume(ctx context.Context, failed <-chan error) error {
	ticker := newPace()
	defer ticker.Stop()
	// What the stack tells waits for the symbols, a few hundredths of a second.
	if p.o.Symbols != nil {
		p.resolver.SetSymbols(<-p.symbols)
	}
	defer p.discard()
	ending := ctx.Done()
	for {
		if err := p.o.Fence.Err(); err != nil {
			return err
		}
		select {
		case <-ending:
			p.cut, ending = time.Now().Add(wrapUp), nil
		case err := <-failed:
			return err
		case b, open := <-p.batches:
			if !open {
				return p.finish(ctx)
			}
			if len(b.Ends) > 0 {
				ticker.busy(time.Now())
			}
			if err := p.batch(ctx, b); err != nil {
				return err
			}
		case now := <-ticker.C:
			ticker.rest(now)
			if err := p.tick(ctx, now, ticker.resting); err != nil {
				return err
			}
		case k := <-p.o.KernelLog:
			if err := p.kernelLog(k); err != nil {
				return err
			}
		case f := <-p.o.Facts:
			p.fact(f)
		case older := <-p.o.Older:
			p.resolver.SetOlder(older)
		case s := <-p.o.Statuses:
			if err := p.Status(s); err != nil {
				return err
			}
		case x := <-p.o.Absent:
			p.judge(x)
		case path := <-p.names.answered:
			p.names.done(path)
			p.resolver.Names().Learned()
			if err := p.release(time.Now()); err != nil {
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

// finish prints what waits: nothing in flight is lost.
func (p *Pipeline) finish(ctx context.Context) error {
	if err := p.resume(ctx, time.Now().Add(time.Hour)); err != nil {
		return err
	}
	if err := p.release(time.Now().Add(time.Hour)); err != nil {
		return err
	}
	if err := p.unwitnessed(time.Now().Add(time.Hour)); err != nil {
		return err
	}
	if err := p.losses(time.Now()); err != nil {
		return err
	}
	if err := p.tellUntold(); err != nil {
		return err
	}
	if p.o.Verdicts == nil {
		return nil
	}
	if err := p.printAll(p.flushed()); err != nil {
		return err
	}
	return p.o.Fence.Err()
}

func (p *Pipeline) batch(ctx context.Context, b tracer.Batch) error {
	if b.Drained {
		defer p.o.Recovery.drained(b.Lane)
	}
	if len(b.Ends) > 0 {
		p.waiting[b.Lane].Add(-1)
	}
	p.until[b.Lane] = max(p.until[b.Lane], b.Until)
	from := 0
	for _, end := range b.Ends {
		data := b.Data[from:end]
		from = end
		if err := p.fencedTake(ctx, b.Lane, data); err != nil {
			return err
		}
	}
	return nil
}

func (p *Pipeline) tick(ctx context.Context, now time.Time, resting bool) error {
	if err := p.resume(ctx, now); err != nil {
		return err
	}
	if err := p.release(now); err != nil {
		return err
	}
	if err := p.unwitnessed(now); err != nil {
		return err
	}
	every := lossEvery
	if resting {
		every = lossRest
	}
	if now.Sub(p.lossAt) >= every {
		p.lossAt = now
		if err := p.losses(now); err != nil {
			return err
		}
	}
	if err := p.verdicts(); err != nil {
		return err
	}
	return p.tickPrinter(now)
}
