// SPDX-License-Identifier: Apache-2.0

package postmortem

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"time"
)

// limits bound what the files take.
type limits struct {
	// size is the bytes at which the journal is rotated; files how many there
	// are of it, the current one included.
	size  int64
	files int
}

// journal is events.jsonl.
type journal struct {
	dir  *directory
	file *os.File
	size int64
	// torn is set where a write that failed could not be taken back: the next
	// one begins on a line of its own.
	torn bool
}

// openJournal opens events.jsonl behind its last whole line; cut is how many
// bytes of a torn line, as a crash leaves it, went.
func openJournal(dir *directory) (j *journal, cut int64, err error) {
	file, err := dir.root.OpenFile(journalName, os.O_CREATE|os.O_RDWR|os.O_APPEND, fileMode)
	if err != nil {
		return nil, 0, err
	}
	size, cut, err := repair(file)
	if err != nil {
		return nil, 0, errors.Join(fmt.Errorf("repair the end of %s: %w", journalName, err), file.Close())
	}
	return &journal{dir: dir, file: file, size: size}, cut, nil
}

// lives reports whether the name still leads to the file that is written.
func (j *journal) lives() bool {
	held, err := j.file.Stat()
	if err != nil {
		return false
	}
	there, err := j.dir.root.Stat(journalName)
	return err == nil && os.SameFile(held, there)
}

// makeRoom rotates if the lines would make the file too large. Where that fails
// the file grows: to write matters more.
func (j *journal) makeRoom(lines int, l limits, now time.Time) error {
	if j.size == 0 || j.size+int64(lines) <= l.size {
		return nil
	}
	return j.rotate(l, now)
}

// append writes whole lines and returns how many bytes of them stay: where the
// disk took a part only, the part of a line is taken back.
func (j *journal) append(lines []byte) (int, error) {
	if j.torn {
		if err := j.mend(); err != nil {
			return 0, err
		}
	}
	n, err := j.file.Write(lines)
	if err == nil {
		j.size += int64(n)
		return n, nil
	}
	whole := bytes.LastIndexByte(lines[:n], '\n') + 1
	j.size += int64(whole)
	if whole < n {
		j.torn = true
		_ = j.mend() // if not now, then before the next line
	}
	return whole, fmt.Errorf("write %s: %w", journalName, err)
}

// mend takes a part of a line back.
func (j *journal) mend() error {
	if err := j.file.Truncate(j.size); err != nil {
		return fmt.Errorf("take back a part of a line: %w", err)
	}
	j.torn = false
	return nil
}

func (j *journal) sync() error {
	if err := j.file.Sync(); err != nil {
		return fmt.Errorf("sync %s: %w", journalName, err)
	}
	return nil
}

func (j *journal) close() error { return j.file.Close() }
