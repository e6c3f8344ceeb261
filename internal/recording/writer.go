// SPDX-License-Identifier: Apache-2.0

package recording

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/kubefact"
	"github.com/sigtrace/sigtrace/internal/safetext"
	"github.com/sigtrace/sigtrace/internal/verdict"
)

// Writer writes a recording of what it hands on to an engine. The first error
// ends the recording and nothing else: Close returns it.
type Writer struct {
	engine *verdict.Engine
	out    io.WriteCloser
	w      *bufio.Writer
	enc    *json.Encoder
	mask   bool
	news   bool // something has been written since the last "seen"
	err    error
}

// New begins a recording on out and makes the engine whose answers and events
// it records. Secrets in arguments are hidden if the options say so.
func New(out io.WriteCloser, o verdict.Options) *Writer {
	w := &Writer{out: out, w: bufio.NewWriter(out), mask: o.MaskArgs}
	w.enc = json.NewEncoder(w.w)
	w.enc.SetEscapeHTML(false)
	w.write(Header{Record: Format, BootID: o.BootID, Node: o.Node, All: o.All, TargetPID: o.TargetPID, KernelLog: o.KernelLog})
	w.tape(&o)
	w.engine = verdict.New(o)
	return w
}

// tape records the answers of those whom the engine asks.
func (w *Writer) tape(o *verdict.Options) {
	if ask := o.Alive; ask != nil {
		o.Alive = func(pid int, start uint64) *bool {
			there := ask(pid, start)
			w.write(line{Alive: &alive{pid, start, there}})
			return there
		}
	}
	if ask := o.Task; ask != nil {
		o.Task = func(pid int, start uint64) (verdict.Task, bool) {
			t, there := ask(pid, start)
			w.write(line{Task: &task{pid, start, there, &t}})
			return t, there
		}
	}
	if ask := o.Memory; ask != nil {
		o.Memory = func(p *event.Process) *event.Memory {
			m := ask(p)
			reported := m
			if reported == nil {
				reported = &event.Memory{}
			}
			w.write(line{Memory: reported})
			return m
		}
	}
}

func (w *Writer) write(v any) {
	if w.err != nil {
		return
	}
	w.news = true
	if err := w.enc.Encode(v); err != nil {
		w.err = fmt.Errorf("write the recording: %w", err)
	}
}

func (w *Writer) masked(e event.Event) event.Event {
	if w.mask {
		return safetext.MaskEvent(e)
	}
	return e
}

// Status records what sigtrace sees with.
func (w *Writer) Status(s *event.Status) { w.write(line{Status: s}) }

// Signal records a signal and hands it on.
func (w *Writer) Signal(s *event.Signal) {
	w.engine.Signal(s)
	w.write(line{Signal: w.masked(s).(*event.Signal)})
}

// OOM records an OOM kill and hands it on.
func (w *Writer) OOM(o *event.OOM) {
	w.engine.OOM(o)
	w.write(line{OOM: w.masked(o).(*event.OOM)})
}

// Exit records an end and hands it on.
func (w *Writer) Exit(x *event.Exit) {
	w.engine.Exit(x) // its question comes before it on the tape
	w.write(line{Exit: w.masked(x).(*event.Exit)})
}

// Lost records a loss and hands it on.
func (w *Writer) Lost(l *event.Lost) {
	w.engine.Lost(l)
	w.write(line{Lost: l})
}

// KernelLog records what the kernel's log says and hands it on.
func (w *Writer) KernelLog(k *event.KernelOOM) {
	w.engine.KernelLog(k)
	w.write(line{KernelLog: k})
}

// Fact records what Kubernetes says and hands it on.
func (w *Writer) Fact(f *kubefact.Fact) {
	w.engine.Fact(f)
	w.write(line{Kube: f})
}

// Due hands on how far the stream has been seen; recorded where it matters.
func (w *Writer) Due(seen uint64) []event.Event {
	due := w.engine.Due(seen)
	if w.news || len(due) > 0 {
		w.write(line{Seen: seen})
		w.news = false
	}
	if w.err == nil {
		w.err = w.w.Flush()
	}
	return due
}

// Flush hands on that the stream has ended.
func (w *Writer) Flush() []event.Event { return w.engine.Flush() }

// Close ends the recording; the error is the first that befell it.
func (w *Writer) Close() error {
	if w.err == nil {
		w.err = w.w.Flush()
	}
	return errors.Join(w.err, w.out.Close())
}
