// SPDX-License-Identifier: Apache-2.0

package output

import (
	"fmt"
	"strings"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/phrase"
	"github.com/sigtrace/sigtrace/internal/safetext"
)

// deathLines show a death so that it stands out: the verdict on the line, the
// sentence below it, then who, from where, and what it rests on.
func (t *tablePrinter) deathLines(d *event.Death) []string {
	lines := t.header()
	where, target, from := t.columns()
	who := ""
	if d.Actor != nil {
		who = named(d.Actor)
	} else if d.RequestedBy != "" {
		who = safetext.Quote(d.RequestedBy)
	}
	lines = append(lines,
		t.colour.loud(fmt.Sprintf("%s  %s  %s  %s  %s  %s", t.time(d.Time),
			pad(t.cut(placeOf(d.Process), where), where), pad(t.cut(named(d.Process), target), target),
			pad("DEATH", 8), pad(t.cut(who, from), from), verdictText(d))))
	lines = append(lines, t.wrap(d.Summary)...)
	lines = append(lines, t.chainLines(d)...)
	if d.Actor != nil {
		lines = append(lines, t.origin(d.Actor, d.Process)...)
	}
	lines = append(lines, t.gaps(d)...)
	return append(lines, t.evidence(d)...)
}

func verdictText(d *event.Death) string {
	text := string(d.Cause) + " (" + string(d.Confidence) + ")"
	if d.Revision > 1 {
		text += fmt.Sprintf(", revision %d", d.Revision)
	}
	if d.EventsLost > 0 {
		text += fmt.Sprintf(", %d events lost", d.EventsLost)
	}
	return text
}

// wrap breaks a sentence at the terminal's width.
func (t *tablePrinter) wrap(text string) []string {
	text = safetext.Show(text)
	width := t.o.Width - len(treeIndent)
	if t.o.Width == 0 || t.wide || width < 20 {
		return []string{treeIndent + text}
	}
	var lines []string
	for _, line := range wrapped(text, width) {
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
		lines = append(lines, t.colour.dim(t.cutEnd(treeIndent+text)))
	}
	return lines
}

// gaps tell the stop signals before the end, each with the time since the one
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
	return []string{t.colour.dim(t.cutEnd(treeIndent + "signals: " + strings.Join(parts, ", ")))}
}

func (t *tablePrinter) evidence(d *event.Death) []string {
	var lines []string
	for _, e := range d.Evidence {
		lines = append(lines, t.colour.dim(t.cutEnd(fmt.Sprintf("%sevidence: %s %s: %s", treeIndent, t.time(e.Time), e.Source, safetext.Quote(e.Text)))))
	}
	return lines
}

func (t *tablePrinter) stuckLines(s *event.Stuck) []string {
	lines := t.header()
	where, target, from := t.columns()
	return append(lines, t.colour.loud(fmt.Sprintf("%s  %s  %s  %s  %s  %s", t.time(s.Time),
		pad(t.cut(placeOf(s.Target), where), where), pad(t.cut(named(s.Target), target), target),
		pad("STUCK", 8), pad("", from), safetext.Quote(phrase.Stuck(s)))))
}
