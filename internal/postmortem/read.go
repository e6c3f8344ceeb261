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
	"strings"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/safetext"
)

// lineMax bounds a line: a longer one is none of ours.
const lineMax = 4 << 20

// depthMax is how far below a directory of many nodes' files theirs may lie.
const depthMax = 2

// logDirs finds the directories that hold events*.jsonl: the one that is named,
// or those below it, where the files of many nodes were put side by side.
func logDirs(path string) ([]string, error) {
	dirs, err := logDirsBelow(path, depthMax)
	if err != nil {
		return nil, err
	}
	if len(dirs) == 0 {
		return nil, fmt.Errorf("no events.jsonl in %s or below: is it the agent's --log-dir?", path)
	}
	return dirs, nil
}

func logDirsBelow(path string, depth int) ([]string, error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return isJournal(e.Name()) }) {
		return []string{path}, nil
	}
	var dirs []string
	for _, e := range entries {
		if !e.IsDir() || depth == 0 {
			continue
		}
		below, err := logDirsBelow(filepath.Join(path, e.Name()), depth-1)
		if err != nil {
			return nil, err
		}
		dirs = append(dirs, below...)
	}
	return dirs, nil
}

func isJournal(name string) bool {
	return name == journalName || strings.HasPrefix(name, rotatedPrefix) && strings.HasSuffix(name, rotatedSuffix)
}

// openJournals opens a directory's files, oldest first. The current one is
// opened before the others are listed, so that a rotation meanwhile hides
// nothing.
func openJournals(dir string) ([]*os.File, error) {
	current, err := openRegular(filepath.Join(dir, journalName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	names, err := rotated(os.DirFS(dir))
	if err != nil {
		return nil, err
	}
	var files []*os.File
	for _, name := range names {
		f, err := openRegular(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue // it was the oldest, and went
		}
		if err != nil {
			closeAll(append(files, current))
			return nil, err
		}
		if current != nil && same(f, current) {
			_ = current.Close()
			current = nil
		}
		files = append(files, f)
	}
	if current != nil {
		files = append(files, current)
	}
	return files, nil
}

func same(a, b *os.File) bool {
	x, err := a.Stat()
	if err != nil {
		return false
	}
	y, err := b.Stat()
	return err == nil && os.SameFile(x, y)
}

func closeAll(files []*os.File) {
	for _, f := range files {
		if f != nil {
			_ = f.Close()
		}
	}
}

// readEvents hands on the events of one file. Lines that are none, as a crash
// may leave them, are counted.
func readEvents(r io.Reader, hand func(event.Event)) (bad int, err error) {
	lines := bufio.NewReaderSize(r, 256<<10)
	for {
		line, err := readLine(lines)
		if e, known, wrong := decode(line); wrong {
			bad++
		} else if known {
			hand(e)
		}
		if errors.Is(err, io.EOF) {
			return bad, nil
		}
		if err != nil {
			return bad, err
		}
	}
}

// readLine returns a line, or nothing of one that is too long.
func readLine(r *bufio.Reader) ([]byte, error) {
	var whole []byte
	for {
		part, err := r.ReadSlice('\n')
		if len(whole)+len(part) <= lineMax {
			whole = append(whole, part...)
		} else {
			whole = append(whole[:0], '?') // no JSON: it counts as a bad line
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return whole, err
		}
	}
}

// decode reads a line; known is false for a type that is not ours, wrong is true
// for what is no event or lacks what every event of its type has.
func decode(line []byte) (e event.Event, known, wrong bool) {
	if line = bytes.TrimSpace(line); len(line) == 0 {
		return nil, false, false
	}
	var head struct{ Type event.Type }
	if json.Unmarshal(line, &head) != nil {
		return nil, false, true
	}
	switch head.Type {
	case event.TypeSignal:
		e = &event.Signal{}
	case event.TypeOOM:
		e = &event.OOM{}
	case event.TypeDeath:
		e = &event.Death{}
	case event.TypeStuck:
		e = &event.Stuck{}
	case event.TypeLost:
		e = &event.Lost{}
	case event.TypeStatus:
		e = &event.Status{}
	default:
		return nil, false, head.Type == ""
	}
	if json.Unmarshal(line, e) != nil || event.CheckDecoded(e) != nil {
		return nil, false, true
	}
	safetext.Foreign(e)
	return e, true, false
}
