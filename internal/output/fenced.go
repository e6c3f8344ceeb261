// SPDX-License-Identifier: Apache-2.0

package output

import (
	"errors"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/fence"
	"github.com/sigtrace/sigtrace/internal/phrase"
)

// errInternal stands for a panic that has been logged.
var errInternal = errors.New("an internal error, see the log")

// fenced is a printer whose panics cost one event.
type fenced struct {
	inner Printer
	f     *fence.Fence
}

// Fenced returns a printer that goes on after a panic of inner. A death that inner
// cannot print is printed in its plainest form; other events are dropped. Each
// printer has its own fence, so that a death is repeated to none that has it.
func Fenced(inner Printer, f *fence.Fence) Printer { return &fenced{inner, f} }

func (p *fenced) Print(e event.Event) error {
	ok, err := p.run(func() string { return event.Name(e) }, func() error { return p.inner.Print(e) })
	d, isDeath := e.(*event.Death)
	if ok || !isDeath {
		return err
	}
	_, err = p.run(func() string { return "the plainest form of " + event.Name(e) }, func() error { return p.inner.Print(phrase.PlainDeath(d, event.UndecidedError)) })
	return err
}

// run does what may fail with an error or a panic; after a panic ok is false and the
// error nil: it has been logged.
func (p *fenced) run(id func() string, do func() error) (ok bool, err error) {
	ok = p.f.Run(id, func() { err = do() })
	return ok, err
}

func (p *fenced) Tick(now time.Time) error {
	_, err := p.run(func() string { return "a printer's tick" }, func() error { return p.inner.Tick(now) })
	return err
}

func (p *fenced) Flush() error {
	_, err := p.run(func() string { return "a printer's flush" }, p.inner.Flush)
	return err
}

// Close is the last: there is no stream left to go on with.
func (p *fenced) Close() error {
	ok, err := p.run(func() string { return "a printer's end" }, p.inner.Close)
	if !ok {
		return errInternal
	}
	return err
}
