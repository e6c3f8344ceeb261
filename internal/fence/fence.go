// SPDX-License-Identifier: Apache-2.0

// Package fence catches panics at one place, so that an event that sigtrace
// cannot digest costs its own record and not the watch of a whole node.
//
// A stack overflow and concurrent map access end a Go program whatever it
// recovers: against those only bounds help.
package fence

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// Limit is how many panics within Window end the run: a fault that every
	// event meets must not go on unseen behind a running agent.
	Limit = 10
	// Window is the time in which Limit panics end the run.
	Window = time.Minute
)

// Options say when a fence gives up.
type Options struct {
	// Limit is how many panics within Window end the run; 0 is the constant.
	Limit int
	// Level is the severity at which a panic is logged; 0 (info) is error.
	Level slog.Level
	Log   *slog.Logger
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Fence catches panics, logs and counts them. It is safe for concurrent use. A
// nil Fence catches nothing.
type Fence struct {
	o     Options
	count atomic.Uint64
	full  atomic.Pointer[error]

	mu     sync.Mutex
	recent []time.Time // the panics within Window, oldest first
}

// New returns a fence that has caught nothing.
func New(o Options) *Fence {
	if o.Limit == 0 {
		o.Limit = Limit
	}
	if o.Level == 0 {
		o.Level = slog.LevelError
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Fence{o: o}
}

// Run calls do and reports whether it returned: false means that it panicked,
// which has been logged and counted then. id says what do was about; it is asked
// only after a panic.
func (f *Fence) Run(id func() string, do func()) (ok bool) {
	if f == nil {
		do()
		return true
	}
	defer func() {
		if v := recover(); v != nil {
			f.caught(named(id), v)
			ok = false
		}
	}()
	do()
	return true
}

// named survives an id that cannot be made: what broke do may break it too.
func named(id func() string) (name string) {
	defer func() {
		if recover() != nil {
			name = "an event without a readable id"
		}
	}()
	return id()
}

func (f *Fence) caught(id string, v any) {
	f.count.Add(1)
	f.o.Log.Log(context.Background(), f.o.Level, "internal error: the stream goes on without this", "id", id, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.o.Now()
	for len(f.recent) > 0 && now.Sub(f.recent[0]) >= Window {
		f.recent = f.recent[1:]
	}
	f.recent = append(f.recent, now)
	if len(f.recent) >= f.o.Limit && f.full.Load() == nil {
		err := f.tooMany(id, v)
		f.full.Store(&err)
	}
}

func (f *Fence) tooMany(id string, v any) error {
	if f.o.Limit == 1 {
		return fmt.Errorf("internal error at %s: %q", id, fmt.Sprint(v))
	}
	return fmt.Errorf("%d internal errors within %v, the last at %s: %q", f.o.Limit, Window, id, fmt.Sprint(v))
}

// Count returns how many panics have been caught.
func (f *Fence) Count() uint64 {
	if f == nil {
		return 0
	}
	return f.count.Load()
}

// Err is not nil once the limit has been reached; it names the last id.
func (f *Fence) Err() error {
	if f == nil {
		return nil
	}
	if err := f.full.Load(); err != nil {
		return *err
	}
	return nil
}
