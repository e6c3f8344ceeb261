// SPDX-License-Identifier: Apache-2.0

package output

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/safetext"
)

// columns are the table's widths; the last is open-ended.
func (t *tablePrinter) columns() (where, target, from int) {
	switch {
	case t.o.Width == 0 || t.o.Width >= 140:
		return 32, 26, 26
	case t.o.Width >= 100:
		return 24, 20, 20
	}
	return 16, 16, 16
}

func (t *tablePrinter) signalLines(f *fold) []string {
	s := f.first
	lines := t.header()
	where, target, from := t.columns()
	row := fmt.Sprintf("%s  %s  %s  %s  %s  %s", t.time(s.Time),
		pad(t.cut(placeOf(s.Target), where), where),
		pad(t.cut(named(s.Target)+f.and(), target), target),
		pad(s.Signal, 8), pad(t.cut(sender(s), from), from), t.how(s))
	switch {
	case isTrue(s.Fatal):
		row = t.colour.bad(row)
	case s.Result == event.ResultIgnored:
		row = t.colour.dim(row)
	}
	lines = append(lines, row)
	if t.wide {
		lines = append(lines, t.wideLines(s)...)
	}
	return append(lines, t.ancestry(s)...)
}

func (t *tablePrinter) header() []string {
	if t.head || !t.o.Headers {
		return nil
	}
	t.head = true
	where, target, from := t.columns()
	return []string{t.colour.bold(fmt.Sprintf("%s  %s  %s  %s  %s  %s", pad("TIME", len(t.time(zero))),
		pad("WHERE", where), pad("TARGET", target), pad("SIGNAL", 8), pad("FROM", from), "HOW"))}
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

// cut shortens in the middle: both ends of a name tell.
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
