// SPDX-License-Identifier: Apache-2.0

package output

import (
	"errors"
	"sync"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
)

// tee is several printers as one.
type tee []Printer

// Tee prints every event with each of the printers, in their order. One that
// fails keeps the event from no other; the errors are joined.
func Tee(printers ...Printer) Printer { return tee(printers) }

func (t tee) each(do func(Printer) error) error {
	var errs []error
	for _, p := range t {
		errs = append(errs, do(p))
	}
	return errors.Join(errs...)
}

func (t tee) Print(e event.Event) error {
	return t.each(func(p Printer) error { return p.Print(e) })
}

func (t tee) Tick(now time.Time) error {
	return t.each(func(p Printer) error { return p.Tick(now) })
}

func (t tee) Flush() error { return t.each(Printer.Flush) }

// Close closes all at once: each may take its time to hand on what waits.
func (t tee) Close() error {
	errs := make([]error, len(t))
	var g sync.WaitGroup
	for i, p := range t {
		g.Go(func() { errs[i] = p.Close() })
	}
	g.Wait()
	return errors.Join(errs...)
}
