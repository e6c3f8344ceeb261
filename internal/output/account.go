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

// proseWidth is where a sentence is broken that goes to a file.
const proseWidth = 100

// Account is the whole story of one death, for a person to read. All text in it
// is fit to be shown.
type Account struct {
	Summary  string
	Facts    []Fact
	Sections []Section
	// Foot names the record.
	Foot string
}

// Fact is one thing that is known, with its name; "" goes on with the one above.
type Fact struct{ Name, Value string }

// Section is a part of several lines.
type Section struct {
	Title string
	Lines []string
}

type account struct {
	Account
	// t draws what the table draws too; nothing is cut.
	t *tablePrinter
	d *event.Death
}

// AccountOf shows one death with all that is known of it. before is what
// happened around the process in the minutes before, oldest first.
func AccountOf(d *event.Death, before []Moment, o Options) Account {
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Width, o.Color = 0, false
	a := &account{t: newTable(nil, o, false), d: d}
	a.Summary = safetext.Show(d.Summary)
	a.facts()
	a.origin()
	a.chain()
	a.signals()
	a.evidence()
	a.timeline(before)
	a.Foot = fmt.Sprintf("id %s, revision %d; about the cause: sigtrace explain %s", safetext.Quote(d.ID), d.Revision, safetext.Quote(string(d.Cause)))
	return a.Account
}

// WriteAccount writes it as text.
func WriteAccount(w io.Writer, d *event.Death, before []Moment, o Options) error {
	a, colour := AccountOf(d, before, o), newPalette(o.Color)
	width := o.Width
	if width == 0 {
		width = proseWidth
	}
	var b strings.Builder
	for _, line := range wrapped(a.Summary, width) {
		b.WriteString(colour.loud(line) + "\n")
	}
	b.WriteByte('\n')
	for _, f := range a.Facts {
		fmt.Fprintf(&b, "%-13s %s\n", f.Name, f.Value)
	}
	for _, s := range a.Sections {
		b.WriteString("\n" + colour.bold(s.Title) + "\n")
		for _, l := range s.Lines {
			b.WriteString(treeIndent + colour.dim(l) + "\n")
		}
	}
	b.WriteString("\n" + colour.dim(a.Foot) + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// fact adds what is known; an unknown is left out.
func (a *account) fact(name, value string) {
	if value != "" {
		a.Facts = append(a.Facts, Fact{name, value})
	}
}

func (a *account) facts() {
	d := a.d
	a.fact("cause", fmt.Sprintf("%s (%s)", safetext.Quote(string(d.Cause)), safetext.Quote(string(d.Confidence))))
	a.fact("died", a.stamp(d.Time)+", exit code "+exitText(d.Exit))
	a.fact("node", safetext.Quote(d.Node))
	a.process(d.Process)
	if d.Actor != nil {
		a.fact("actor", a.person(d.Actor))
		a.fact("relation", strings.ReplaceAll(safetext.Quote(string(d.Relation)), "_", " "))
	}
	a.fact("requested by", safetext.Quote(d.RequestedBy))
	if r := d.Requester; r != nil {
		a.fact("deleted by", safetext.Quote(strings.Join(strings.Fields(r.Kind+" "+r.Name), " ")+" ("+r.Via+")"))
	}
	if k := d.KubernetesSays; k != nil {
		a.fact("Kubernetes", kubernetesText(k))
	}
	if d.OOM != nil {
		a.fact("OOM kill", phrase.OOM(d.OOM))
	}
	a.fact("memory", MemoryText(d.Memory))
	if c := d.Collateral; c != nil && c.Count > 0 {
		a.fact("with it", fmt.Sprintf("%d other processes: pids %s", c.Count, numbers(c.PIDs, c.Count)))
	}
	a.advice(len(d.Advice))
	if d.EventsLost > 0 {
		a.fact("lost", fmt.Sprintf("%d events in the time that this rests on: something may be missing here", d.EventsLost))
	}
}

// advice adds what to do, at most so many pieces, each with what it rests on.
func (a *account) advice(most int) {
	name := "advice"
	for i, one := range a.d.Advice {
		if i == most {
			return
		}
		a.fact(name, safetext.Show(one.Text+" "+one.Because))
		name = ""
	}
}

func (a *account) process(p *event.Process) {
	if p == nil {
		return
	}
	a.fact("process", a.person(p))
	if p.StartTime != nil {
		text := a.stamp(*p.StartTime)
		if ran := a.d.Time.Sub(*p.StartTime); ran > 0 {
			text += ", ran " + ran.Round(time.Millisecond).String()
		}
		a.fact("started", text)
	}
	if p.Pod != nil {
		a.fact("pod", safetext.Quote(strings.Trim(p.Pod.Namespace+"/"+p.Pod.Name+" "+p.Pod.UID, "/ ")))
	}
	if c := p.Container; c != nil {
		a.fact("container", safetext.Quote(joined(" ", c.Name, c.ID, c.Image, c.Runtime)))
		if s := a.d.ContainerSurvives; isTrue(s) {
			a.fact("", "the container keeps running")
		}
	}
	a.fact("unit", safetext.Quote(p.Unit))
	a.fact("cgroup", safetext.Quote(p.Cgroup))
}

// person is a process with who runs it as what.
func (a *account) person(p *event.Process) string {
	text := named(p)
	if p.UID != nil {
		text += fmt.Sprintf(" uid %d", *p.UID)
	}
	if p.LoginUID != nil {
		text += fmt.Sprintf(", login uid %d", *p.LoginUID)
	}
	text += " " + placeText(p)
	args := p.Args
	if a.t.o.MaskArgs {
		args = safetext.Mask(args)
	}
	if len(args) > 0 {
		text += ": " + safetext.QuoteArgs(args)
	}
	if p.Exe != "" {
		text += " [" + safetext.Quote(p.Exe) + "]"
	}
	return text
}

func placeText(p *event.Process) string {
	if place := placeOf(p); place != "host" {
		return "in " + place
	}
	return "on the host"
}

func (a *account) section(title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	for i, l := range lines {
		lines[i] = strings.TrimPrefix(l, treeIndent)
	}
	a.Sections = append(a.Sections, Section{title, lines})
}

func (a *account) origin() {
	if a.d.Actor != nil {
		a.section("ancestry of "+named(a.d.Actor), a.t.tree(a.d.Actor, a.d.Process))
	}
}

func (a *account) chain() {
	a.section("how it came about", a.t.chainLines(a.d))
}

func (a *account) signals() {
	var lines []string
	for i, s := range a.d.Signals {
		at := a.t.time(s.Time)
		if s.GapSeconds != nil && i > 0 {
			at = fmt.Sprintf("%+.3f s", *s.GapSeconds)
		}
		lines = append(lines, pad(at, 12)+"  "+sentText(a.d.Process, s))
	}
	a.section("signals sent to it", lines)
}

// sentText shows a signal of a death as the timeline shows one.
func sentText(to *event.Process, s event.Sent) string {
	return signalText(&event.Signal{
		Signal: s.Signal, Via: s.Via, Result: s.Result, Fatal: s.Fatal,
		Sender: s.Sender, Trigger: s.Trigger, Target: to,
	})
}

func (a *account) evidence() {
	var lines []string
	for _, e := range a.d.Evidence {
		lines = append(lines, fmt.Sprintf("%s  %s: %s", a.t.time(e.Time), safetext.Quote(e.Source), safetext.Quote(e.Text)))
	}
	a.section("evidence", lines)
}

// timeline says what came before, where that is more than its own signals.
func (a *account) timeline(before []Moment) {
	if !slices.ContainsFunc(before, a.more) {
		return
	}
	var lines []string
	for _, m := range before {
		lines = append(lines, pad(m.before(a.d.BoottimeNS), 10)+"  "+m.Text)
	}
	a.section("what was seen there in the minutes before", lines)
}

func (a *account) more(m Moment) bool {
	return !slices.ContainsFunc(a.d.Signals, func(s event.Sent) bool { return s.BoottimeNS == m.BoottimeNS })
}

func (a *account) stamp(t time.Time) string {
	if a.t.o.UTC {
		return t.UTC().Format("2006-01-02 15:04:05.000000000 UTC")
	}
	return t.Local().Format("2006-01-02 15:04:05.000000000 -0700")
}
