// SPDX-License-Identifier: Apache-2.0

package output

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/phrase"
	"github.com/sigtrace/sigtrace/internal/proctree"
	"github.com/sigtrace/sigtrace/internal/safetext"
)

const (
	// paragraphBelow is the width below which a record is a paragraph and no row.
	paragraphBelow = 60
	// placeFrom is the width from which a row says apart where its target runs.
	placeFrom = 100
	// wideFrom is the width from which nothing has to be cut.
	wideFrom = 140
)

// columns are the table's widths; the last is open-ended. Without a column of its
// own (where is 0) the place stands with the target.
func (t *tablePrinter) columns() (where, target, from int) {
	switch w := t.o.Width; {
	case w == 0 || w >= wideFrom || t.wide:
		return 32, 26, 26
	case w >= placeFrom:
		return 20, 18, 18
	case w >= 80:
		return 0, 22, 17
	}
	spare := max(t.o.Width-paragraphBelow, 0)
	return 0, 12 + spare/2, 9 + spare/3
}

// isParagraph reports whether there is no room for rows.
func (t *tablePrinter) isParagraph() bool {
	return t.o.Width > 0 && t.o.Width < paragraphBelow && !t.wide
}

// row joins what the columns hold; target is shown with its place where that has
// no column.
func (t *tablePrinter) row(when string, target *event.Process, more, what, who, how string) string {
	where, width, from := t.columns()
	cells := []string{when}
	if where > 0 {
		cells = append(cells, pad(t.cut(placeOf(target), where), where), pad(t.cutNamed(target, width-utf8.RuneCountInString(more))+more, width))
	} else {
		cells = append(cells, pad(t.whatDied(target, width-utf8.RuneCountInString(more))+more, width))
	}
	cells = append(cells, pad(what, 8), pad(who, from))
	if how != "" {
		cells = append(cells, how)
	}
	return strings.TrimRight(strings.Join(cells, "  "), " ")
}

// whatDied names a process by what an operator calls it: its container where it is
// that container's init, else its comm and pid.
func (t *tablePrinter) whatDied(p *event.Process, width int) string {
	if p != nil && p.Container != nil && (proctree.IsInit(p) || !p.PIDKnown()) {
		return t.cut(placeOf(p), width)
	}
	name := t.cutNamed(p, width)
	if p == nil || p.Container == nil && p.Pod == nil {
		return name
	}
	if rest := width - utf8.RuneCountInString(name) - 4; rest >= 8 {
		return name + " in " + t.cut(placeOf(p), rest)
	}
	return name
}

// cutNamed is comm(pid), shortened within the comm: the pid is what other tools
// are asked for.
func (t *tablePrinter) cutNamed(p *event.Process, width int) string {
	full := named(p)
	if t.o.Width == 0 || t.wide || utf8.RuneCountInString(full) <= width || p == nil || !p.PIDKnown() {
		return full
	}
	pid := fmt.Sprintf("(%d)", p.PID)
	comm := []rune(safetext.Quote(p.Comm))
	room := width - len(pid)
	if len(comm) <= room {
		return string(comm) + pid
	}
	return string(comm[:max(room-1, 1)]) + "…" + pid
}

// lineage is the ancestry of a process on one line, as far as it fits: the nearest
// say most.
func (t *tablePrinter) lineage(p *event.Process) string {
	text := named(p)
	width := t.o.Width - len(treeIndent) - len("from ") - len("… → ")
	if t.o.Width == 0 {
		width = 200
	}
	for _, a := range proctree.Lineage(p) {
		if a.PID <= 1 {
			break
		}
		longer := safetext.Quote(a.Comm) + " → " + text
		if utf8.RuneCountInString(longer) > width {
			text = "… → " + text
			break
		}
		text = longer
	}
	return t.colour.dim(treeIndent + "from " + text)
}

// isWanted reports whether a death is of a kind that nobody need act on: Kubernetes
// stopped it because that was asked for.
func isWanted(d *event.Death) bool {
	r := d.Cause.Row()
	return r.Group == event.GroupKubernetes && r.Report != nil && !r.Report.Warning
}

// isBystander reports whether a death only goes with another that is shown.
func isBystander(d *event.Death) bool {
	return isSandbox(d) && d.Cause.Row().Group != event.GroupForeign || d.Cause == event.CausePIDNamespaceEnded
}

func verdictText(d *event.Death) string {
	text := string(d.Cause) + " (" + string(d.Confidence) + ")"
	if d.Revision > 1 {
		text += fmt.Sprintf(", revision %d", d.Revision)
	}
	if d.EventsLost > 0 {
		text += fmt.Sprintf(", %d events dropped", d.EventsLost)
	}
	return text
}

// deathRow leads with when, what died and the cause, which is never cut.
func (t *tablePrinter) deathRow(d *event.Death) string {
	when, verdict := t.time(d.Time), verdictText(d)
	width := 200
	if t.o.Width > 0 && !t.wide {
		width = max(t.o.Width-utf8.RuneCountInString(when+verdict)-len("  DEATH    "), 12)
	}
	what := placeOf(d.Process)
	if d.Process.Container == nil && d.Process.Pod == nil || !proctree.IsInit(d.Process) && d.Process.PIDKnown() {
		what = t.whatDied(d.Process, width)
		if d.Process.Unit != "" && utf8.RuneCountInString(what)+len(d.Process.Unit)+4 <= width {
			what += " of " + safetext.Quote(d.Process.Unit)
		}
	}
	return fmt.Sprintf("%s  DEATH  %s  %s", when, t.cut(what, width), verdict)
}

// summary counts what was shown, for the end of a watch.
type summary struct {
	deaths  map[event.Cause]int
	dropped uint64
}

func (s *summary) note(e event.Event) {
	switch e := e.(type) {
	case *event.Death:
		if e.Revision <= 1 {
			s.deaths[e.Cause]++
		}
	case *event.Lost:
		s.dropped += e.Count
	}
}

// text is "12 deaths: 7 pod_deleted, 5 cgroup_oom".
func (s *summary) text() string {
	total := 0
	var parts []string
	for _, row := range event.CauseRows() {
		if n := s.deaths[row.Cause]; n > 0 {
			total += n
			parts = append(parts, fmt.Sprintf("%d %s", n, row.Cause))
		}
	}
	text := phrase.Count(total, "death")
	if total > 0 {
		text += ": " + strings.Join(parts, ", ")
	}
	if s.dropped > 0 {
		text += fmt.Sprintf("; %s dropped", phrase.Count(int(s.dropped), "event"))
	}
	return text
}
