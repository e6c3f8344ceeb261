// SPDX-License-Identifier: Apache-2.0

package postmortem

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/sigtrace/sigtrace/internal/absence"
)

// WrittenSince returns the deaths that a directory's files have from a time on.
// A directory that is not there has none.
func WrittenSince(dir string, since time.Time) ([]absence.Written, error) {
	names, err := filepath.Glob(filepath.Join(dir, "events*.jsonl"))
	if err != nil {
		return nil, fmt.Errorf("look for files in %s: %w", dir, err)
	}
	slices.Sort(names)
	var written []absence.Written
	var errs []error
	for _, name := range names {
		if info, err := os.Stat(name); err == nil && info.ModTime().Before(since) {
			continue
		}
		err := eachDeath(name, func(w absence.Written) {
			if !w.Time.Before(since) {
				written = append(written, w)
			}
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return written, errors.Join(errs...)
}

func eachDeath(name string, emit func(absence.Written)) error {
	f, err := openRegular(name)
	if err != nil {
		return fmt.Errorf("read the deaths that were written: %w", err)
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, 1<<20)
	for {
		line, err := r.ReadBytes('\n')
		if _, is := deathID(line); is {
			if w, ok := writtenOf(line); ok {
				emit(w)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the deaths that were written: %w", err)
		}
	}
}

func writtenOf(line []byte) (absence.Written, bool) {
	var d struct {
		ID      string    `json:"id"`
		Time    time.Time `json:"time"`
		Process struct {
			PID       int `json:"pid"`
			Container *struct {
				ID   string `json:"id"`
				Init bool   `json:"init"`
			} `json:"container"`
		} `json:"process"`
	}
	if json.Unmarshal(bytes.TrimSpace(line), &d) != nil {
		return absence.Written{}, false // torn
	}
	w := absence.Written{ID: d.ID, Time: d.Time, PID: d.Process.PID}
	if c := d.Process.Container; c != nil {
		w.Container, w.Init = c.ID, c.Init
	}
	return w, true
}
