// SPDX-License-Identifier: Apache-2.0

package output

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/safetext"
)

// jsonPrinter writes one object a line. Processes are shared between events
// and never change, so each is encoded once.
type jsonPrinter struct {
	w      *bufio.Writer
	o      Options
	indent string
	buf    bytes.Buffer
	cache  processCache
}

func newJSON(w *bufio.Writer, o Options, indent string) *jsonPrinter {
	return &jsonPrinter{w: w, o: o, indent: indent}
}

func (j *jsonPrinter) Print(e event.Event) error {
	j.buf.Reset()
	var err error
	if s, ok := e.(*event.Signal); ok {
		err = j.signal(s)
	} else {
		err = j.encode(&j.buf, safetext.PublicEvent(e, j.o.MaskArgs))
	}
	if err != nil {
		return fmt.Errorf("encode a %s event: %w", e.Common().Type, err)
	}
	line := j.buf.Bytes()
	if j.indent != "" {
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, line, "", j.indent); err != nil {
			return fmt.Errorf("indent a %s event: %w", e.Common().Type, err)
		}
		line = pretty.Bytes()
	}
	if _, err := j.w.Write(line); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	if err := j.w.WriteByte('\n'); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

// signal encodes the flat part and splices the processes in.
func (j *jsonPrinter) signal(s *event.Signal) error {
	head := *s
	head.Sender, head.Trigger, head.Target = nil, nil, nil
	head.SignalDetail = event.SignalDetail{}
	if err := j.encode(&j.buf, &head); err != nil {
		return err
	}
	j.buf.Truncate(j.buf.Len() - 1) // its closing brace
	for _, part := range []struct {
		name string
		p    *event.Process
	}{{`,"sender":`, s.Sender}, {`,"trigger":`, s.Trigger}, {`,"target":`, s.Target}} {
		if part.p == nil {
			continue
		}
		b, err := j.process(part.p)
		if err != nil {
			return err
		}
		j.buf.WriteString(part.name)
		j.buf.Write(b)
	}
	j.buf.WriteByte('}')
	return nil
}

func (j *jsonPrinter) process(p *event.Process) ([]byte, error) {
	if b, ok := j.cache.get(p); ok {
		return b, nil
	}
	var b bytes.Buffer
	if err := j.encode(&b, safetext.PublicProcess(p, j.o.MaskArgs)); err != nil {
		return nil, err
	}
	j.cache.put(p, b.Bytes())
	return b.Bytes(), nil
}

// encode appends v without a line end and with every character escaped that
// could act on a terminal; encoding/json escapes C0 only.
func (j *jsonPrinter) encode(to *bytes.Buffer, v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	escapeInto(to, bytes.TrimRight(b.Bytes(), "\n"))
	return nil
}

// EncodeLine writes v as a line of JSON in which nothing can act on a terminal.
func EncodeLine(w io.Writer, v any) error {
	var b bytes.Buffer
	if err := (&jsonPrinter{}).encode(&b, v); err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	b.WriteByte('\n')
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

func escapeInto(to *bytes.Buffer, b []byte) {
	for len(b) > 0 {
		if b[0] < utf8.RuneSelf && b[0] != 0x7f {
			to.WriteByte(b[0])
			b = b[1:]
			continue
		}
		r, n := utf8.DecodeRune(b)
		switch {
		case !safetext.Unsafe(r):
			to.Write(b[:n])
		case r > 0xffff:
			// Beyond the BMP, JSON needs a surrogate pair.
			hi, lo := surrogates(r)
			fmt.Fprintf(to, `\u%04x\u%04x`, hi, lo)
		default:
			fmt.Fprintf(to, `\u%04x`, r)
		}
		b = b[n:]
	}
}

func surrogates(r rune) (hi, lo rune) {
	r -= 0x10000
	return 0xd800 + r>>10, 0xdc00 + r&0x3ff
}

func (j *jsonPrinter) Tick(time.Time) error { return nil }

func (j *jsonPrinter) Flush() error {
	if err := j.w.Flush(); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

func (j *jsonPrinter) Close() error { return j.Flush() }

// processCache keeps encoded processes in two generations, bounded in bytes:
// with its ancestry a process can be a hundred kilobytes long.
type processCache struct {
	young, old map[*event.Process][]byte
	bytes      int // in young
}

const processCacheMax = 1 << 20

func (c *processCache) get(p *event.Process) ([]byte, bool) {
	if b, ok := c.young[p]; ok {
		return b, true
	}
	b, ok := c.old[p]
	return b, ok
}

func (c *processCache) put(p *event.Process, b []byte) {
	if c.young == nil || c.bytes+len(b) > processCacheMax {
		c.old, c.young, c.bytes = c.young, map[*event.Process][]byte{}, 0
	}
	c.young[p] = b
	c.bytes += len(b)
}
