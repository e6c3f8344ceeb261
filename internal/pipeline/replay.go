// SPDX-License-Identifier: Apache-2.0

package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/sigtrace/sigtrace/internal/event"
)

// Recording is a stream that was recorded.
type Recording interface {
	// Next returns the next event, or how far the stream had been seen
	// (CLOCK_BOOTTIME, ns), or io.EOF.
	Next() (e event.Event, seen uint64, err error)
}

// Replay runs a recording through the verdicts and prints it, as Run did when
// it was recorded.
func Replay(ctx context.Context, r Recording, printer Printer, o Options) error {
	p := newEmitter(printer, o)
	err := p.replay(ctx, r)
	if errors.Is(err, errDone) {
		err = nil
	}
	return errors.Join(err, printer.Flush())
}

func (p *emitter) replay(ctx context.Context, r Recording) error {
	for ctx.Err() == nil {
		e, seen, err := r.Next()
		if errors.Is(err, io.EOF) {
			return p.flush()
		}
		if err != nil {
			return fmt.Errorf("replay: %w", err)
		}
		if e == nil {
			err = p.due(seen)
		} else {
			p.judge(e)
			err = p.print(e)
		}
		if err = cmp.Or(err, p.fence.Err()); err != nil {
			return err
		}
	}
	return nil
}
