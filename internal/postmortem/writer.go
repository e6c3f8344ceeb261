// SPDX-License-Identifier: Apache-2.0

package postmortem

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/output"
)

// Limits bound what the directory takes.
type Limits struct {
	// Size is the bytes at which events.jsonl is rotated; Files how many there
	// are of it, the current one included; Deaths how many files of deaths.
	Size   int64
	Files  int
	Deaths int
}

// Defaults are the contract's.
func Defaults() Limits { return Limits{Size: 10 << 20, Files: 5, Deaths: 1000} }

// Options are how to write.
type Options struct {
	Dir      string
	Limits   Limits
	MaskArgs bool
	Log      *slog.Logger
	// Synced hears of a death whose line and file are on the disk; may be nil.
	Synced func(*event.Death)
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Writer writes the files. It is an output.Printer that never gives up: what a
// disk does not take waits for the next Tick. It is for one goroutine;
// SetLimits and WriteErrors are for all.
type Writer struct {
	o       Options
	enc     output.Printer
	buf     bytes.Buffer
	dir     *directory
	journal *journal
	wait    waiting
	// err is why writing does not succeed at present.
	err    error
	errors atomic.Uint64

	mu     sync.Mutex
	limits Limits
}

// Open makes and locks the directory and repairs what a crash left. A
// *LockedError says that another instance has it.
func Open(o Options) (*Writer, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	w := &Writer{o: o, limits: o.Limits}
	enc, err := output.New("json", &w.buf, output.Options{MaskArgs: o.MaskArgs})
	if err != nil {
		return nil, err
	}
	w.enc = enc
	if err := w.open(); err != nil {
		if locked := (*LockedError)(nil); errors.As(err, &locked) {
			return nil, err
		}
		return nil, fmt.Errorf("--log-dir: %w", err)
	}
	return w, nil
}

func (w *Writer) open() error {
	dir, err := openDirectory(w.o.Dir)
	if err != nil {
		return err
	}
	journal, cut, err := openJournal(dir)
	if err != nil {
		return errors.Join(err, dir.close())
	}
	if cut > 0 {
		w.o.Log.Warn("a torn line was cut off: the last run ended in the middle of a write", "file", journalName, "bytes", cut)
	}
	w.dir, w.journal = dir, journal
	return nil
}

// SetLimits changes the limits while it runs.
func (w *Writer) SetLimits(l Limits) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.limits = l
}

func (w *Writer) getLimits() Limits {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.limits
}

// WriteErrors counts the attempts to write that failed.
func (w *Writer) WriteErrors() uint64 { return w.errors.Load() }

// kept tells what the files hold.
func kept(e event.Event) bool {
	if s, ok := e.(*event.Signal); ok {
		return s.Matters && !s.Context
	}
	return e.Common().Type != event.TypeExit
}

// Print takes an event in; Flush writes it.
func (w *Writer) Print(e event.Event) error {
	if !kept(e) {
		return nil
	}
	line, err := w.encode(e)
	if err != nil {
		return err
	}
	death, _ := e.(*event.Death)
	w.wait.add(entry{line: line, lane: output.Lane(e), at: e.Common(), death: death})
	return nil
}

func (w *Writer) encode(e event.Event) ([]byte, error) {
	w.buf.Reset()
	if err := errors.Join(w.enc.Print(e), w.enc.Flush()); err != nil {
		return nil, err
	}
	return bytes.Clone(w.buf.Bytes()), nil
}

// Tick tries again what could not be written.
func (w *Writer) Tick(time.Time) error {
	w.err = nil
	return w.Flush()
}

// Flush writes what waits. After a failure nothing is tried until the next
// Tick, and the error is returned again.
func (w *Writer) Flush() error {
	if w.err != nil || w.wait.empty() {
		return w.err
	}
	if w.err = w.write(); w.err != nil {
		w.errors.Add(1)
	}
	return w.err
}

// Close writes what waits and lets go of the directory.
func (w *Writer) Close() error {
	err := w.Tick(w.o.Now())
	if err != nil {
		err = fmt.Errorf("%s: %w; %d events are not in it", w.o.Dir, err, w.wait.count())
	}
	if w.dir == nil {
		return err
	}
	return errors.Join(err, w.journal.close(), w.dir.close())
}
