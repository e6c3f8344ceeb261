// SPDX-License-Identifier: Apache-2.0

package output

import (
	"bufio"
	"fmt"
	"strings"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/safetext"
)

// stapPrinter prints the three lines of the SystemTap recipe for each signal:
// who sent it, its parent, and the chain of present parents, root first. What was
// lost is a comment: a gap must not look like silence.
type stapPrinter struct{ w *bufio.Writer }

func (s *stapPrinter) Print(e event.Event) error {
	if l, ok := e.(*event.Lost); ok {
		of := ""
		if l.Cgroup != "" {
			of = " of " + safetext.Quote(l.Cgroup)
		}
		if _, err := fmt.Fprintf(s.w, "# lost %d %s events%s (%s): what follows may have gaps\n", l.Count, l.Lane, of, safetext.Quote(l.Reason)); err != nil {
			return fmt.Errorf("write: %w", err)
		}
		return nil
	}
	sig, ok := e.(*event.Signal)
	if !ok {
		return nil
	}
	from := sig.Sender
	if from == nil {
		from = sig.Trigger
	}
	if from == nil {
		from = &event.Process{Comm: "kernel"}
	}
	var target event.Process
	if sig.Target != nil {
		target = *sig.Target
	}
	parent := "none"
	if len(from.PresentAncestors) > 0 {
		parent = nameAndPID(from.PresentAncestors[0])
	}
	_, err := fmt.Fprintf(s.w, "%s send %s to %s\nparent of sender: %s\ntask_ancestry:%s\n",
		nameAndPID(from), sig.Signal, nameAndPID(&target), parent, taskAncestry(from))
	if err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

func nameAndPID(p *event.Process) string { return fmt.Sprintf("%s(%d)", safetext.Quote(p.Comm), p.PID) }

// taskAncestry is what SystemTap's task_ancestry(task, 1) prints.
func taskAncestry(p *event.Process) string {
	var b strings.Builder
	for i := len(p.PresentAncestors) - 1; i >= 0; i-- {
		b.WriteString(sinceBoot(p.PresentAncestors[i]))
		b.WriteString("=>")
	}
	b.WriteString(sinceBoot(p))
	return b.String()
}

func sinceBoot(p *event.Process) string {
	ns := p.StartBoottimeNS
	const minute = uint64(time.Minute)
	return fmt.Sprintf("%s(%dm%d.%09ds)", safetext.Quote(p.Comm), ns/minute, ns%minute/1e9, ns%1e9)
}

func (s *stapPrinter) Tick(time.Time) error { return nil }

func (s *stapPrinter) Flush() error {
	if err := s.w.Flush(); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

func (s *stapPrinter) Close() error { return s.Flush() }
