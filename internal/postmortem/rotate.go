// SPDX-License-Identifier: Apache-2.0

package postmortem

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"
)

const (
	rotatedPrefix = "events-"
	rotatedSuffix = ".jsonl"
	// stamp is a UTC time in a file's name.
	stamp = "20060102T150405.000Z"
)

// rotate gives the journal a name with the time, opens a new one, and removes
// the oldest beyond the limit.
func (j *journal) rotate(l limits, now time.Time) error {
	if err := j.sync(); err != nil {
		return err
	}
	old, err := rotated(j.dir.root.FS())
	if err != nil {
		return err
	}
	name := rotatedPrefix + now.UTC().Format(stamp) + rotatedSuffix
	if len(old) > 0 && name <= old[len(old)-1] {
		// The clock was set back: names stay in the order of what they hold.
		name = after(old[len(old)-1])
	}
	if err := j.dir.root.Rename(journalName, name); err != nil {
		return fmt.Errorf("rotate %s: %w", journalName, err)
	}
	next, _, err := openJournal(j.dir)
	if err != nil {
		// Back, so that it goes on being written.
		return errors.Join(fmt.Errorf("rotate %s: %w", journalName, err), j.dir.root.Rename(name, journalName))
	}
	_ = j.file.Close() // synced above
	*j = *next
	j.removeOld(append(old, name), l)
	return j.dir.sync(".")
}

// removeOld keeps the newest of the rotated files. What cannot be removed now
// is tried again at the next rotation.
func (j *journal) removeOld(old []string, l limits) {
	for len(old) > max(0, l.files-1) {
		_ = j.dir.root.Remove(old[0])
		old = old[1:]
	}
}

// rotated lists the rotated files, oldest first.
func rotated(dir fs.FS) ([]string, error) {
	entries, err := fs.ReadDir(dir, ".")
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if n := e.Name(); strings.HasPrefix(n, rotatedPrefix) && strings.HasSuffix(n, rotatedSuffix) {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	return names, nil
}

// after is the next name behind a rotated file's.
func after(name string) string {
	at, err := time.Parse(stamp, strings.TrimSuffix(strings.TrimPrefix(name, rotatedPrefix), rotatedSuffix))
	if err != nil {
		return strings.TrimSuffix(name, rotatedSuffix) + "~" + rotatedSuffix
	}
	return rotatedPrefix + at.Add(time.Millisecond).Format(stamp) + rotatedSuffix
}
