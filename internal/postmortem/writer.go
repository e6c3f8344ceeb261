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

	"golang.org/x/sys/unix"

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
	// Flight is how far back a death's file says what came before it.
	Flight time.Duration
	Log    *slog.Logger
	// Presence is what agent.json says of this agent.
	Presence Presence
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
	deaths  *deaths
	flight  *Recorder
	wait    waiting
	// files are deaths whose lines are written and whose files are not.
	files  []entry
	beaten time.Time
	// previous is what agent.json said of the agent before.
	previous *Presence
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
	w := &Writer{o: o, limits: o.Limits, flight: NewRecorder(o.Flight)}
	enc, err := output.New("json", &w.buf, output.Options{MaskArgs: o.MaskArgs})
	if err != nil {
		return nil, err
	}
	w.enc = enc
	err = w.open()
	switch locked := (*LockedError)(nil); {
	case err == nil:
	case errors.As(err, &locked):
		return nil, err
	case passes(err):
		w.err = err // written once there is room; what happens until then waits
		o.Log.Error("the log directory cannot be written yet", "dir", o.Dir, "error", err)
	default:
		return nil, fmt.Errorf("--log-dir: %w", err)
	}
	return w, nil
}

// passes reports errors that may go away by themselves.
func passes(err error) bool {
	return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) || errors.Is(err, unix.EIO)
}

// Previous is what the agent before left, as the files said at the start; nil
// where there was none.
func (w *Writer) Previous() *Presence { return w.previous }

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
	deaths, err := openDeaths(dir)
	if err != nil {
		return errors.Join(err, journal.close(), dir.close())
	}
	if w.beaten.IsZero() {
		w.previous = readPresence(dir.root.FS())
	}
	w.dir, w.journal, w.deaths = dir, journal, deaths
	w.beaten = time.Time{}
	_ = w.beat(w.o.Now(), false) // tried again at the next tick
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

// kept says what the files hold.
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
	at := entry{line: line, lane: output.Lane(e), at: e.Common()}
	if d, ok := e.(*event.Death); ok {
		at.death = d
		if at.account, err = w.account(d); err != nil {
			return err
		}
	}
	w.flight.Record(e)
	if !w.wait.fits(at) {
		// A burst, as of an agent that comes back to full pins, is written
		// as it comes; it waits only for a disk that does not take it.
		_ = w.Flush()
	}
	w.wait.add(at)
	return nil
}

// account is the text of a death's file.
func (w *Writer) account(d *event.Death) ([]byte, error) {
	w.buf.Reset()
	err := output.WriteAccount(&w.buf, d, w.flight.Before(d), output.Options{UTC: true, MaskArgs: w.o.MaskArgs})
	return bytes.Clone(w.buf.Bytes()), err
}

func (w *Writer) encode(e event.Event) ([]byte, error) {
	w.buf.Reset()
	if err := errors.Join(w.enc.Print(e), w.enc.Flush()); err != nil {
		return nil, err
	}
	return bytes.Clone(w.buf.Bytes()), nil
}

// Tick tries again what could not be written.
func (w *Writer) Tick(now time.Time) error {
	w.err = nil
	if err := w.Flush(); err != nil || now.Sub(w.beaten) < beat {
		return err
	}
	if err := w.reopen(); err != nil {
		return err
	}
	return w.beat(now, false)
}

// Flush writes what waits. After a failure nothing is tried until the next
// Tick, and the error is returned again.
func (w *Writer) Flush() error {
	if w.err != nil || w.wait.empty() && len(w.files) == 0 {
		return w.err
	}
	if w.err = w.write(); w.err != nil {
		w.errors.Add(1)
	}
	return w.err
}

// Close writes what waits and lets go of the directory.
func (w *Writer) Close() error {
	w.err = nil
	err := w.Flush()
	if err != nil {
		err = fmt.Errorf("%s: %w; %d events are not in it", w.o.Dir, err, w.wait.count())
	}
	if w.dir == nil {
		return err
	}
	return errors.Join(err, w.beat(w.o.Now(), true), w.journal.sync(), w.journal.close(), w.dir.close())
}
