// SPDX-License-Identifier: Apache-2.0

package output

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/safetext"
)

func (t *tablePrinter) signalLines(f *fold) []string {
	s := f.first
	if t.isParagraph() {
		text := fmt.Sprintf("%s %s to %s%s from %s: %s", t.time(s.Time), s.Signal, named(s.Target), f.and(), sender(s), t.how(s))
		return wrapped(text, t.o.Width)
	}
	lines := t.header()
	_, _, from := t.columns()
	row := t.cutEnd(t.row(t.time(s.Time), s.Target, f.and(), s.Signal, t.cutSender(s, from), t.how(s)))
	switch {
	case isTrue(s.Fatal):
		row = t.colour.bad(row)
	case s.Result == event.ResultIgnored, s.Result == event.ResultTooLate:
		row = t.colour.dim(row)
	}
	lines = append(lines, row)
	if t.wide {
		return append(append(lines, t.wideLines(s)...), t.ancestry(s)...)
	}
	if p := s.Sender; p != nil && s.Matters && !t.wasDrawn(p) {
		lines = append(lines, t.lineage(p))
	}
	return lines
}

// cutSender names who sent a signal, with the user where there is room.
func (t *tablePrinter) cutSender(s *event.Signal, width int) string {
	if s.Sender == nil {
		return "kernel"
	}
	if full := sender(s); t.o.Width == 0 || t.wide || utf8.RuneCountInString(full) <= width {
		return full
	}
	return t.cutNamed(s.Sender, width)
}

func (t *tablePrinter) header() []string {
	if t.head || !t.o.Headers || t.isParagraph() {
		return nil
	}
	t.head = true
	where, target, from := t.columns()
	cells := []string{pad("TIME", len(t.time(zero)))}
	if where > 0 {
		cells = append(cells, pad("WHERE", where))
	}
	cells = append(cells, pad("TARGET", target), pad("SIGNAL", 8), pad("FROM", from), "HOW")
	return []string{t.colour.bold(strings.Join(cells, "  "))}
}

// how says by what mechanism, and what came of it.
func (t *tablePrinter) how(s *event.Signal) string {
	how := string(s.Via)
	if s.Trigger != nil {
		how += ", triggered by " + named(s.Trigger)
	}
	switch {
	case isTrue(s.Fatal):
		how += ", fatal"
	case s.Handled:
		how += ", handled"
	case s.Result != event.ResultDelivered && s.Result != "":
		how += ", " + strings.ReplaceAll(string(s.Result), "_", " ")
	}
	return how
}

func sender(s *event.Signal) string {
	if s.Sender == nil {
		return "kernel"
	}
	who := named(s.Sender)
	if s.Sender.UID != nil {
		who += fmt.Sprintf(" uid %d", *s.Sender.UID)
	}
	return who
}

// named is comm(pid), with the pid inside its container where it has another.
func named(p *event.Process) string {
	if p == nil {
		return "?"
	}
	if !p.PIDKnown() {
		return "its init"
	}
	if p.NSPID != 0 && p.NSPID != p.PID {
		return fmt.Sprintf("%s(%d, %d inside)", safetext.Quote(p.Comm), p.PID, p.NSPID)
	}
	return fmt.Sprintf("%s(%d)", safetext.Quote(p.Comm), p.PID)
}

// placeOf is where a process runs, as its operator would call it.
func placeOf(p *event.Process) string {
	switch {
	case p == nil:
		return "?"
	case p.Pod != nil && p.Pod.Name != "":
		place := p.Pod.Namespace + "/" + p.Pod.Name
		if p.Container != nil && p.Container.Name != "" {
			place += "/" + p.Container.Name
		}
		return safetext.Quote(place)
	case p.Container != nil && p.Container.Name != "":
		return safetext.Quote(p.Container.Name)
	case p.Container != nil:
		return safetext.Quote(shortID(p.Container.ID))
	case p.Unit != "":
		return safetext.Quote(p.Unit)
	}
	return "host"
}

func shortID(id string) string {
	if len(id) > 12 {
		return id[:12]
	}
	return id
}

func pad(s string, width int) string {
	if n := utf8.RuneCountInString(s); n < width {
		return s + strings.Repeat(" ", width-n)
	}
	return s
}

// cut shortens in the middle: both ends of a name report.
func (t *tablePrinter) cut(s string, width int) string {
	if t.o.Width == 0 || t.wide || utf8.RuneCountInString(s) <= width {
		return s
	}
	r := []rune(s)
	tail := (width - 1) / 2
	return string(r[:width-1-tail]) + "…" + string(r[len(r)-tail:])
}

// cutEnd shortens a line to the terminal.
func (t *tablePrinter) cutEnd(s string) string {
	if r := []rune(s); t.o.Width > 0 && !t.wide && len(r) > t.o.Width {
		return string(r[:t.o.Width-1]) + "…"
	}
	return s
}

// Named is comm(pid) of a process, fit to be shown.
func Named(p *event.Process) string { return named(p) }

// Place is where a process runs, as its operator would call it.
func Place(p *event.Process) string { return placeOf(p) }
