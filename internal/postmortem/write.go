// SPDX-License-Identifier: Apache-2.0

package postmortem

import (
	"errors"
	"fmt"

	"github.com/sigtrace/sigtrace/internal/event"
)

// lostReason is why lost events of the files' own were lost.
const lostReason = "log_write"

// write brings everything that waits to the disk.
func (w *Writer) write() error {
	if err := w.reopen(); err != nil {
		return err
	}
	last := w.wait.entries[len(w.wait.entries)-1].at
	for !w.wait.empty() {
		if err := w.writeBatch(); err != nil {
			return err
		}
		if w.wait.empty() {
			w.tellLost(last)
		}
	}
	return nil
}

// reopen makes the directory or the file anew where somebody removed it.
func (w *Writer) reopen() error {
	if w.dir != nil && w.dir.lives() && w.journal.lives() {
		return nil
	}
	if w.dir != nil {
		w.o.Log.Warn("the files were removed or replaced: they are made anew", "dir", w.o.Dir)
		_ = w.journal.close()
		_ = w.dir.close()
		w.dir = nil
	}
	if err := w.open(); err != nil {
		return fmt.Errorf("make %s anew: %w", w.o.Dir, err)
	}
	return nil
}

func (w *Writer) writeBatch() error {
	l := w.getLimits()
	lines := w.wait.batch(l.Size)
	grown := w.journal.makeRoom(len(lines), limits{l.Size, l.Files}, w.o.Now())
	n, err := w.journal.append(lines)
	gone := w.wait.written(n)
	return errors.Join(grown, err, w.keep(gone))
}

// keep makes the deaths among the lines just written durable.
func (w *Writer) keep(gone []entry) error {
	var deaths []*event.Death
	for _, e := range gone {
		if e.death != nil {
			deaths = append(deaths, e.death)
		}
	}
	if len(deaths) == 0 {
		return nil
	}
	if err := w.journal.sync(); err != nil {
		return err
	}
	for _, d := range deaths {
		if w.o.Synced != nil {
			w.o.Synced(d)
		}
	}
	return nil
}

// tellLost writes into the files what is missing from them.
func (w *Writer) tellLost(last *event.Header) {
	lost, since := w.wait.takeLost()
	for lane, n := range lost {
		e := &event.Lost{Header: *last, Count: n, Lane: lane, Reason: lostReason, Since: since}
		e.Type = event.TypeLost
		if line, err := w.encode(e); err == nil {
			w.wait.add(entry{line: line, lane: "critical", at: last})
		}
	}
}
