// SPDX-License-Identifier: Apache-2.0

package output

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/phrase"
	"github.com/sigtrace/sigtrace/internal/safetext"
)

// timelineMax is how many moments a brief account shows: it fits a terminal of 24
// lines in the common case.
const timelineMax = 9

// briefAdvice is how many pieces of advice a brief account has.
const briefAdvice = 2

// With are records that only go with a death: processes of its container, its pod's
// sandbox.
type With []*event.Death

// text is "3 processes of its container, its pod's sandbox".
func (w With) text() string {
	var parts []string
	processes, sandboxes := 0, 0
	for _, d := range w {
		if isSandbox(d) {
			sandboxes++
		} else {
			processes++
		}
	}
	if processes > 0 {
		parts = append(parts, phrase.Count(processes, "other process")+" of its container or pod")
	}
	if sandboxes > 0 {
		parts = append(parts, "its pod's sandbox")
	}
	return strings.ReplaceAll(strings.Join(parts, ", "), "processs", "processes")
}

func isSandbox(d *event.Death) bool {
	return d.Process.Container != nil && d.Process.Container.Name == "" && d.Process.Pod != nil
}

// IsBystander reports whether a death only goes with another: a pod's sandbox, or
// what its namespace's init took along.
func IsBystander(d *event.Death) bool { return isBystander(d) }

// WriteBrief writes what is asked first about a death: what ended, how and why, then
// the minutes before and after by time, and where the rest is. with are the records
// that are folded into it.
func WriteBrief(w io.Writer, d *event.Death, before []Moment, with With, o Options) error {
	a, colour := briefOf(d, o), newPalette(o.Color)
	width := o.Width
	if width == 0 {
		width = proseWidth
	}
	var b strings.Builder
	for _, line := range wrapped(a.Summary, width) {
		b.WriteString(colour.loud(line) + "\n")
	}
	b.WriteByte('\n')
	if text := with.text(); text != "" {
		a.fact("with it", text)
	}
	for _, f := range a.Facts {
		for i, line := range wrapped(f.Value, max(width-14, 20)) {
			name := f.Name
			if i > 0 {
				name = ""
			}
			fmt.Fprintf(&b, "%-13s %s\n", name, line)
		}
	}
	b.WriteString("\n")
	for _, line := range timelineOf(d, before, a.t) {
		b.WriteString(colour.dim(cutTo(line, o.Width)) + "\n")
	}
	b.WriteString("\n" + colour.dim("more: sigtrace why "+safetext.Quote(d.ID)+" --full; sigtrace explain "+safetext.Quote(string(d.Cause))) + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// briefOf has the summary and the facts that are asked for first.
func briefOf(d *event.Death, o Options) *account {
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Width, o.Color = 0, false
	a := &account{t: newTable(nil, o, false), d: d}
	a.Summary = safetext.Show(d.Summary)
	cause := safetext.Quote(string(d.Cause)) + " (" + safetext.Quote(string(d.Confidence)) + ")"
	if row := d.Cause.Row(); row.Meaning != "" {
		cause += ": " + strings.ReplaceAll(row.Meaning, "`", "")
	}
	a.fact("cause", cause)
	a.fact("when", a.t.stampSeconds(d.Time)+onNode(d)+lifetime(d))
	if k := d.KubernetesSays; k != nil {
		a.fact("Kubernetes", kubernetesText(k))
	}
	if d.OOM != nil {
		a.fact("OOM kill", phrase.OOM(d.OOM))
	}
	a.advice(briefAdvice)
	if len(d.Evidence) > 0 {
		a.fact("evidence", evidenceText(d))
	}
	if d.EventsLost > 0 {
		a.fact("dropped", phrase.Count(int(d.EventsLost), "event")+" in the time that this rests on: something may be missing here")
	}
	return a
}

// evidenceText names the sources; what each showed stands in the full account.
func evidenceText(d *event.Death) string {
	var sources []string
	for _, e := range d.Evidence {
		if source := safetext.Quote(e.Source); !slices.Contains(sources, source) {
			sources = append(sources, source)
		}
	}
	return strings.Join(sources, ", ")
}

func onNode(d *event.Death) string {
	if d.Node == "" {
		return ""
	}
	return " on " + safetext.Quote(d.Node)
}

func lifetime(d *event.Death) string {
	if d.Process.StartTime == nil {
		return ""
	}
	ran := d.Time.Sub(*d.Process.StartTime)
	if ran <= 0 {
		return ""
	}
	return ", after it had run for " + ran.Round(ranRounding(ran)).String()
}

func ranRounding(d time.Duration) time.Duration {
	if d > time.Minute {
		return time.Second
	}
	return time.Millisecond
}

func (t *tablePrinter) stampSeconds(at time.Time) string {
	if t.o.UTC {
		return at.UTC().Format("2006-01-02 15:04:05 UTC")
	}
	return at.Local().Format("2006-01-02 15:04:05 -0700")
}

// timelineOf are the last moments before a death, with the death in its place.
func timelineOf(d *event.Death, before []Moment, t *tablePrinter) []string {
	moments := slices.Clone(before)
	if len(moments) == 0 {
		for _, s := range d.Signals {
			moments = append(moments, Moment{s.Time, s.BoottimeNS, sentText(d.Process, s)})
		}
	}
	if n := len(moments); n > timelineMax {
		moments = moments[n-timelineMax:]
	}
	var lines []string
	for _, m := range moments {
		lines = append(lines, pad(m.before(d.BoottimeNS), 11)+"  "+m.Text)
	}
	return append(lines, pad("0:00.000", 11)+"  "+named(d.Process)+" "+phrase.Ended(d.Exit))
}

// cutTo shortens a line to a terminal; 0 is none.
func cutTo(s string, width int) string {
	if r := []rune(s); width > 0 && len(r) > width {
		return string(r[:width-1]) + "…"
	}
	return s
}

// WriteMarkdown writes an account to be pasted into an incident.
func WriteMarkdown(w io.Writer, d *event.Death, before []Moment, with With, o Options) error {
	a := briefOf(d, o)
	if text := with.text(); text != "" {
		a.fact("with it", text)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "**%s**\n\n", markdown(a.Summary))
	for _, f := range a.Facts {
		fmt.Fprintf(&b, "- %s: %s\n", f.Name, markdown(f.Value))
	}
	b.WriteString("\n```\n" + strings.ReplaceAll(strings.Join(timelineOf(d, before, a.t), "\n"), "```", "'''") + "\n```\n\n")
	fmt.Fprintf(&b, "sigtrace record `%s`\n", safetext.Quote(d.ID))
	_, err := io.WriteString(w, b.String())
	return err
}

// markdown escapes what would be markup.
func markdown(s string) string {
	return strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "<", "&lt;", "[", `\[`).Replace(s)
}
