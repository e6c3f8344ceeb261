// SPDX-License-Identifier: Apache-2.0

package output

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/phrase"
	"github.com/sigtrace/sigtrace/internal/safetext"
)

// deathLines show a death so that it stands out: when, what and why on one line, the
// sentences below it, then what led to it. What was wanted, and what only went with
// another, is one dim line.
func (t *tablePrinter) deathLines(d *event.Death) []string {
	lines := []string{t.deathRow(d)}
	if t.isParagraph() || t.o.Width > 0 && !t.wide && utf8.RuneCountInString(lines[0]) > t.o.Width {
		lines = wrapped(t.time(d.Time)+" DEATH of "+t.whatDied(d.Process, t.o.Width)+": "+verdictText(d), t.o.Width)
	}
	switch {
	case t.wide:
	case isWanted(d) || isBystander(d):
		return each(lines, t.colour.dim)
	case t.isMore(d):
		return nil
	}
	lines = each(lines, t.colour.loud)
	lines = append(lines, t.wrap(d.Summary)...)
	lines = append(lines, t.chainLines(d)...)
	if t.isParagraph() {
		return lines
	}
	if d.Actor != nil && !t.wide {
		if !t.wasDrawn(d.Actor) {
			lines = append(lines, t.lineage(d.Actor))
		}
		return append(lines, t.gaps(d)...)
	}
	if d.Actor != nil {
		lines = append(lines, t.origin(d.Actor, d.Process)...)
	}
	lines = append(lines, t.gaps(d)...)
	if t.wide {
		lines = append(lines, t.evidence(d)...)
	}
	return lines
}

func each(lines []string, change func(string) string) []string {
	for i, l := range lines {
		lines[i] = change(l)
	}
	return lines
}

// wrap breaks a sentence at the terminal's width.
func (t *tablePrinter) wrap(text string) []string {
	text = safetext.Show(text)
	width := t.o.Width - len(treeIndent)
	if t.o.Width == 0 || t.wide {
		return []string{treeIndent + text}
	}
	var lines []string
	for _, line := range wrapped(text, max(width, 20)) {
		lines = append(lines, treeIndent+line)
	}
	return lines
}

func (t *tablePrinter) chainLines(d *event.Death) []string {
	var lines []string
	for i, h := range d.Chain {
		text := fmt.Sprintf("%d. %s", i+1, safetext.Show(h.What))
		if h.Process != nil {
			text = fmt.Sprintf("%d. %s %s", i+1, named(h.Process), safetext.Show(h.What))
		}
		for _, l := range t.wrap(text) {
			lines = append(lines, t.colour.dim(l))
		}
	}
	return lines
}

// gaps show the stop signals before the end, each with the time since the one
// before it; a single one is in the sentence already.
func (t *tablePrinter) gaps(d *event.Death) []string {
	if len(d.Signals) < 2 {
		return nil
	}
	var parts []string
	for _, s := range d.Signals {
		text := s.Signal
		if s.Sender != nil {
			text += " from " + nameAndPID(s.Sender)
		}
		if s.Result == event.ResultIgnored {
			text += " (ignored)"
		}
		if s.GapSeconds != nil {
			text = fmt.Sprintf("+%.1f s %s", *s.GapSeconds, text)
		}
		parts = append(parts, text)
	}
	if len(parts) > 6 {
		parts = append(parts[:3], append([]string{fmt.Sprintf("… %d more", len(parts)-5)}, parts[len(parts)-2:]...)...)
	}
	var lines []string
	for _, l := range t.wrap("signals: " + strings.Join(parts, ", ")) {
		lines = append(lines, t.colour.dim(l))
	}
	return lines
}

func (t *tablePrinter) evidence(d *event.Death) []string {
	var lines []string
	for _, e := range d.Evidence {
		lines = append(lines, t.colour.dim(t.cutEnd(fmt.Sprintf("%sevidence: %s %s: %s", treeIndent, t.time(e.Time), e.Source, safetext.Quote(e.Text)))))
	}
	return lines
}

func (t *tablePrinter) stuckLines(s *event.Stuck) []string {
	lines := append(t.header(), t.colour.loud(t.cutEnd(t.row(t.time(s.Time), s.Target, "", "STUCK", "", ""))))
	return append(lines, t.wrap(phrase.Stuck(s))...)
}
