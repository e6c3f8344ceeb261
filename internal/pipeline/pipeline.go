// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"context"
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

// Source is a stream of the kernel side's raw events: *tracer.Tracer, or a fake of it.
type Source interface {
	// Read hands on the batches of a lane until ctx ends and what happened before
	// has been read.
	Read(ctx context.Context, lane int, hand func(tracer.Batch)) error
	// Losses are what has been lost since the last call.
	Losses() ([]tracer.Loss, error)
}

// Cgroups learns of cgroups as they come and go.
type Cgroups interface {
	CgroupCreated(ctx context.Context, h cgroup.Hierarchy, id uint64, path string)
	CgroupRemoved(h cgroup.Hierarchy, id uint64)
}

// Feeds bring what is known besides the source's events; each may be nil.
type Feeds struct {
	// KernelLog brings what the kernel's log has on OOM kills.
	KernelLog <-chan *event.KernelOOM
	// Facts brings what Kubernetes reports.
	Facts <-chan *kubefact.Fact
	// Statuses brings the status after the states of the sources have changed.
	Statuses <-chan *event.Status
	// Absent brings the ends of the time in which nobody watched.
	Absent <-chan *event.Exit
	// Older brings what the inits of older containers execute.
	Older <-chan map[proc.Identity]proc.Image
}

// Options say what happens to the events. All but the filter may be left out.
type Options struct {
	Filter Filter
	// Verdicts decide deaths; nil decides none.
	Verdicts Verdicts
	// JoinLog puts on an OOM kill what the kernel's log has on it; nil joins nothing.
	JoinLog  func(*event.OOM, *event.KernelOOM) *event.OOM
	Observer Observer
	Feeds    Feeds
	// Recovery goes on where another reader of the same rings has ended; nil
	// where there was none.
	Recovery *Recovery
	// FetchNames asks for the names of a cgroup's container, beside the stream.
	FetchNames func(ctx context.Context, cgroupPath string)
	// TopCgroup hears that a cgroup of the first level was made; may be nil.
	TopCgroup func()
	// Symbols reads the kernel's functions, beside the stream.
	Symbols func() (*proc.Symbols, error)
	// Fence catches the panics of one event at a time, and ends the run where
	// they are too many; nil catches none.
	Fence *fence.Fence
	Log   *slog.Logger
}

// Pipeline is one run of the stream.
type Pipeline struct {
	emitter
	source   Source
	resolver *resolve.Resolver
	cgroups  Cgroups
	cache    *cgroup.Cache
	o        Options

	batches chan tracer.Batch
	// queued counts the batches of each lane that hold events and have not been
	// taken yet.
	queued  [tracer.LaneCount]atomic.Int64
	symbols chan *proc.Symbols
	waiting waitList
	// until is the time up to which each lane has been looked at.
	until  [tracer.LaneCount]uint64
	lossAt time.Time
	since  time.Time
	// cut is when routine signals are printed no more, zero until the end is asked
	// for; dropped counts them.
	cut     time.Time
	dropped uint64
}

// New wires a pipeline. cgroups and cache may be nil.
func New(source Source, resolver *resolve.Resolver, cache *cgroup.Cache, cgroups Cgroups, printer Printer, o Options) *Pipeline {
	return &Pipeline{
		emitter: newEmitter(printer, o),
		source:  source, resolver: resolver, cache: cache, cgroups: cgroups, o: o,
		batches: make(chan tracer.Batch, 16), symbols: make(chan *proc.Symbols, 1),
		waiting: waitList{names: newNaming(o.FetchNames, o.Fence)},
	}
}

// routineLag is by how much, in nanoseconds, a routine lane that lags holds records
// back: it has the stop signals of a container's own choice, and under --all a flood.
const routineLag = uint64(2 * time.Second)

// seenUntil is the time up to which everything has been handed on: a lane that
// lags and what waits hold it back. The batches of a lane come in order.
func (p *Pipeline) seenUntil() uint64 {
	seen := p.until[0]
	if p.queued[1].Load() > 0 {
		seen = max(min(seen, p.until[1]), seen-min(seen, routineLag))
	}
	return p.waiting.heldBack(seen)
}
