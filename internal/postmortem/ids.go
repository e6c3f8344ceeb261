// SPDX-License-Identifier: Apache-2.0

package postmortem

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
)

// idsMax bounds how many deaths are remembered; the newest are.
const idsMax = 50_000

// DeathIDs returns the ids of the deaths that a directory's files have, the
// newest first as far as there are too many. A directory that is not there has
// none.
func DeathIDs(dir string) (map[string]bool, error) {
	names, err := filepath.Glob(filepath.Join(dir, "events*.jsonl"))
	if err != nil {
		return nil, fmt.Errorf("look for files in %s: %w", dir, err)
	}
	slices.Sort(names) // events-TIME.jsonl sorts before events.jsonl
	slices.Reverse(names)
	ids := map[string]bool{}
	var errs []error
	for _, name := range names {
		if len(ids) >= idsMax {
			break
		}
		if err := addIDs(ids, name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return ids, errors.Join(errs...)
}

func addIDs(ids map[string]bool, name string) error {
	f, err := openRegular(name)
	if err != nil {
		return fmt.Errorf("read the deaths that were written: %w", err)
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, 1<<20)
	for {
		line, err := wholeLine(r)
		if id, ok := deathID(line); ok {
			ids[id] = true
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the deaths that were written: %w", err)
		}
	}
}

// wholeLine returns the beginning of the next line: what follows the buffer's
// size is skipped, for a death's id comes first.
func wholeLine(r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		return line, err
	}
	begin := bytes.Clone(line[:4096])
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = r.ReadSlice('\n')
	}
	return begin, err
}

// deathID finds the id in a line that is a death's, as this package writes it.
func deathID(line []byte) (string, bool) {
	const mark, field = `"type":"death"`, `"id":"`
	at := bytes.Index(line, []byte(mark))
	if at < 0 || bytes.IndexByte(line[:at], '{') != 0 || bytes.Count(line[:at], []byte("{")) != 1 {
		return "", false
	}
	_, rest, ok := bytes.Cut(line[at:], []byte(field))
	if !ok {
		return "", false
	}
	id, _, ok := bytes.Cut(rest, []byte(`"`))
	return string(id), ok && len(id) > 0
}
