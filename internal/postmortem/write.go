// SPDX-License-Identifier: Apache-2.0

package postmortem

import (
	"errors"
	"fmt"
	"slices"

	"github.com/sigtrace/sigtrace/internal/event"
)

// lostReason is the reason in lost events for records that could not be written.
const lostReason = "log_write"

const (
	// filesAtOnce is how many deaths' files are written as one.
	filesAtOnce = 64
	// filesMax is how many may wait; their deaths are in events.jsonl.
	filesMax = 1000
)

// write brings everything that waits to the disk.
func (w *Writer) write() error {
	if err := w.reopen(); err != nil {
		return err
	}
	for !w.wait.empty() {
		last := w.wait.entries[len(w.wait.entries)-1].at
		if err := w.writeBatch(); err != nil {
			return err
		}
		if w.wait.empty() {
			w.tellLost(last)
		}
	}
	return w.writeDeaths()
}

// reopen makes the directory or the file anew where somebody removed it.
func (w *Writer) reopen() error {
	if w.dir != nil && w.dir.lives() && w.journal.lives() && w.deaths.lives() {
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

// keep makes the deaths among the lines just written durable; their files are
// next.
func (w *Writer) keep(gone []entry) error {
	gone = slices.DeleteFunc(gone, func(e entry) bool { return e.death == nil })
	if len(gone) == 0 {
		return nil
	}
	w.files = append(w.files, gone...)
	return w.journal.sync()
}

// writeDeaths writes the files of deaths whose lines are on the disk.
func (w *Writer) writeDeaths() error {
	limit := w.getLimits().Deaths
	for len(w.files) > 0 {
		some := w.files[:min(len(w.files), filesAtOnce)]
		files := accounts(some[max(0, len(some)-limit):])
		w.deaths.makeRoom(files, limit)
		err := w.deaths.write(files)
		if err != nil && len(w.files) <= filesMax {
			return err
		}
		w.files = w.files[len(some):]
		for _, e := range some {
			if w.o.Synced != nil {
				w.o.Synced(e.death)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// accounts are the files of deaths: of one that is there twice, the later.
func accounts(deaths []entry) []account {
	var files []account
	for _, e := range deaths {
		name := deathName(e.death)
		files = slices.DeleteFunc(files, func(a account) bool { return a.name == name })
		files = append(files, account{name, e.account})
	}
	return files
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
