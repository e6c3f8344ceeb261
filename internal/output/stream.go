// SPDX-License-Identifier: Apache-2.0

package output

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
)

// stream is JSON lines for a reader that may fail and come back: what a write
// loses is reported once one succeeds, on a line of its own.
type stream struct {
	w     io.Writer
	json  *jsonPrinter
	buf   bytes.Buffer
	lanes map[string]uint64 // of what is in buf
	last  event.Header
	torn  bool
	lost  map[string]uint64
	since time.Time
	// err is the last write's.
	err error
}

// streamMax is how many bytes wait for a Flush at most: a burst of deaths makes
// tens of megabytes of lines between two ticks.
const streamMax = 256 << 10

// NewStream returns a printer of JSON lines that goes on after failed writes;
// New's stays with the first error.
func NewStream(w io.Writer, o Options) Printer {
	s := &stream{w: w, lanes: map[string]uint64{}, lost: map[string]uint64{}}
	s.json = newJSON(bufio.NewWriter(&s.buf), o, "")
	return s
}

func (s *stream) Print(e event.Event) error {
	s.last = *e.Common()
	s.lanes[Lane(e)]++
	if err := s.json.Print(e); err != nil || s.buf.Len() < streamMax {
		return err
	}
	return s.Flush()
}

func (s *stream) Tick(time.Time) error { return nil }
func (s *stream) Close() error         { return s.Flush() }

func (s *stream) Flush() error {
	if err := s.json.Flush(); err != nil {
		return err
	}
	if s.buf.Len() == 0 {
		return s.err // as it was
	}
	defer func() {
		s.buf.Reset()
		clear(s.lanes)
	}()
	if s.err = s.write(s.buf.Bytes()); s.err != nil {
		s.lose()
		return s.err
	}
	return s.tellLost()
}

func (s *stream) write(lines []byte) error {
	if s.torn {
		lines = append([]byte{'\n'}, lines...)
	}
	n, err := s.w.Write(lines)
	if n > 0 {
		s.torn = lines[n-1] != '\n'
	}
	if err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

func (s *stream) lose() {
	if len(s.lost) == 0 {
		s.since = s.last.Time
	}
	for lane, n := range s.lanes {
		s.lost[lane] += n
	}
}

func (s *stream) tellLost() error {
	for lane, n := range s.lost {
		e := &event.Lost{Header: s.last, Count: n, Lane: lane, Reason: "stdout_write", Since: s.since}
		e.Type = event.TypeLost
		s.buf.Reset()
		if err := s.json.Print(e); err != nil {
			return err
		}
		if err := s.json.Flush(); err != nil {
			return err
		}
		if err := s.write(s.buf.Bytes()); err != nil {
			return err
		}
		delete(s.lost, lane)
	}
	return nil
}
