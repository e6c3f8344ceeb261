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

// ErrNotRecording says that a file does not begin as a recording does.
var ErrNotRecording = errors.New("not a recording of sigtrace watch --record")

// lineMax bounds one line: a process with 40 ancestors of 8 KiB of arguments
// each, four times.
const lineMax = 4 << 20

// Reader reads a recording.
type Reader struct {
	Header  Header
	s       *bufio.Scanner
	tasks   []task
	alives  []alive
	memory  []*event.Memory
	number  int
	pending error
	log     func(*event.KernelOOM)
	facts   func(*kubefact.Fact)
}

// NewReader reads the first line.
func NewReader(r io.Reader) (*Reader, error) {
	s := bufio.NewScanner(r)
	s.Buffer(nil, lineMax)
	rd := &Reader{s: s, number: 1}
	if !s.Scan() || json.Unmarshal(s.Bytes(), &rd.Header) != nil || rd.Header.Record == "" {
		return nil, ErrNotRecording
	}
	if rd.Header.Record != Format {
		return nil, fmt.Errorf("%w of this version: it is %q, this sigtrace reads %q", ErrNotRecording, rd.Header.Record, Format)
	}
	return rd, nil
}

// Next returns the next event, or how far the stream had been seen; io.EOF at
// the end. A torn last line, as a crash leaves it, is the end. What it returns
// has passed [event.CheckDecoded].
func (r *Reader) Next() (e event.Event, seen uint64, err error) {
	for r.s.Scan() {
		r.number++
		if r.pending != nil {
			return nil, 0, r.pending
		}
		var l line
		if err := json.Unmarshal(r.s.Bytes(), &l); err != nil {
			r.pending = fmt.Errorf("line %d of the recording: %w", r.number, err)
			continue
		}
		if err := l.check(); err != nil {
			return nil, 0, fmt.Errorf("line %d of the recording: %w", r.number, err)
		}
		if r.answer(l) {
			continue
		}
		e := l.event()
		safetext.Foreign(e)
		return e, l.Seen, nil
	}
	if err := r.s.Err(); err != nil {
		return nil, 0, fmt.Errorf("read the recording: %w", err)
	}
	return nil, 0, io.EOF
}

// HandLog says whom to hand what the kernel's log said.
func (r *Reader) HandLog(to func(*event.KernelOOM)) { r.log = to }

// HandFacts says whom to hand what Kubernetes said.
func (r *Reader) HandFacts(to func(*kubefact.Fact)) { r.facts = to }

// answer keeps what was answered, for the engine to ask again.
func (r *Reader) answer(l line) bool {
	switch {
	case l.Alive != nil:
		r.alives = append(r.alives, *l.Alive)
	case l.Task != nil:
		r.tasks = append(r.tasks, *l.Task)
	case l.Memory != nil:
		r.memory = append(r.memory, l.Memory)
	case l.KernelLog != nil:
		if r.log != nil {
			r.log(l.KernelLog)
		}
	case l.Kube != nil:
		if r.facts != nil {
			r.facts(l.Kube)
		}
	default:
		return false
	}
	return true
}

// Options are those that the recording was made with.
func (r *Reader) Options() verdict.Options {
	return verdict.Options{
		BootID: r.Header.BootID, Node: r.Header.Node, All: r.Header.All,
		TargetPID: r.Header.TargetPID, KernelLog: r.Header.KernelLog, Task: r.task, Alive: r.alive, Memory: r.figures,
	}
}

// alive answers as it was answered then; nil where it was not asked.
func (r *Reader) alive(pid int, start uint64) *bool {
	if len(r.alives) == 0 || r.alives[0].PID != pid || r.alives[0].Start != start {
		return nil
	}
	there := r.alives[0].There
	r.alives = r.alives[1:]
	return there
}

func (r *Reader) task(pid int, start uint64) (verdict.Task, bool) {
	if len(r.tasks) == 0 || r.tasks[0].PID != pid || r.tasks[0].Start != start {
		return verdict.Task{}, true // not asked then: nothing is known of it
	}
	t := r.tasks[0]
	r.tasks = r.tasks[1:]
	if t.Task == nil {
		t.Task = &verdict.Task{}
	}
	return *t.Task, t.There
}

func (r *Reader) figures(*event.Process) *event.Memory {
	if len(r.memory) == 0 {
		return nil
	}
	m := r.memory[0]
	r.memory = r.memory[1:]
	if *m == (event.Memory{}) {
		return nil
	}
	return m
}
