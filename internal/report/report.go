// SPDX-License-Identifier: Apache-2.0

// Package report makes one HTML page of past deaths. It needs nothing from
// outside and works without JavaScript; what others wrote is text in it, never
// markup.
package report

import (
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/output"
	"github.com/sigtrace/sigtrace/internal/postmortem"
	"github.com/sigtrace/sigtrace/internal/safetext"
)

//go:embed page.html
var page string

//go:embed page.css
var css string

//go:embed page.js
var script string

// Options are how to report.
type Options struct {
	Version  string
	Made     time.Time
	UTC      bool
	MaskArgs bool
}

// data is what the page shows.
type data struct {
	Title, Version, Made string
	Policy               string
	CSS                  template.CSS
	Script               template.JS
	Span, Nodes          string
	Total, More          int
	BadLines             int
	Causes, Places       []bar
	Actors, ByNode       []bar
	Chart                *chart
	Kinds                []kind
	Gaps                 []string
	Deaths               []death
}

// bar is one line of a count.
type bar struct {
	Name  string
	Count int
	// Percent is of the longest.
	Percent int
	Kind    string
}

// death is one death on the page.
type death struct {
	Anchor, Time, Where, What string
	Cause, Confidence, Kind   string
	output.Account
}

// Write writes the page.
func Write(w io.Writer, h *postmortem.History, o Options) error {
	t, err := template.New("page").Parse(page)
	if err != nil {
		return fmt.Errorf("read the page's template: %w", err)
	}
	if err := t.Execute(w, build(h, o)); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	return nil
}

func build(h *postmortem.History, o Options) data {
	at := stamp(o.UTC)
	d := data{
		Title: "sigtrace: why did it die?", Version: o.Version, Made: at(o.Made),
		Policy: policy(), CSS: template.CSS(css), Script: template.JS(script),
		Total: len(h.Deaths), More: h.More, BadLines: h.BadLines,
		Nodes: nodes(h.Nodes), Chart: newChart(h.Deaths, at), Kinds: kindsOf(h.Deaths),
		Causes: causes(h.Deaths), Places: places(h.Deaths), Actors: actors(h.Deaths), ByNode: byNode(h.Deaths),
	}
	if !h.From.IsZero() {
		d.Span = at(h.From) + " to " + at(h.Until)
	}
	for _, g := range h.Gaps {
		d.Gaps = append(d.Gaps, g.Text(at))
	}
	for i, p := range h.Deaths {
		d.Deaths = append(d.Deaths, one(i, p, o, at))
	}
	return d
}

func one(i int, p postmortem.Past, o Options, at func(time.Time) string) death {
	d := p.Death
	return death{
		Anchor: fmt.Sprintf("d%d", i), Time: at(d.Time),
		Where: output.Place(d.Process), What: output.Named(d.Process),
		Cause: safetext.Quote(string(d.Cause)), Confidence: safetext.Quote(string(d.Confidence)),
		Kind:    kindOf(d.Cause),
		Account: output.AccountOf(d, p.Before, output.Options{UTC: o.UTC, MaskArgs: o.MaskArgs}),
	}
}

// policy lets nothing in from outside, and no script run but the page's own.
func policy() string {
	sum := sha256.Sum256([]byte(script))
	return "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"
}

func stamp(utc bool) func(time.Time) string {
	return func(t time.Time) string {
		if utc {
			return t.UTC().Format("2006-01-02 15:04:05 UTC")
		}
		return t.Local().Format("2006-01-02 15:04:05 -0700")
	}
}

func nodes(names []string) string {
	switch len(names) {
	case 0:
		return ""
	case 1:
		return "node " + safetext.Quote(names[0])
	}
	return fmt.Sprintf("%d nodes", len(names))
}

// barsMax is how many lines a count has; the rest are one.
const barsMax = 12

// bars counts by name, the most first.
func bars(deaths []postmortem.Past, name func(*event.Death) string, kind func(string) string) []bar {
	counts := map[string]int{}
	for _, p := range deaths {
		if n := name(p.Death); n != "" {
			counts[n]++
		}
	}
	all := []bar{}
	for _, n := range slices.Sorted(maps.Keys(counts)) {
		all = append(all, bar{Name: n, Count: counts[n], Kind: kind(n)})
	}
	slices.SortStableFunc(all, func(a, b bar) int { return cmp.Compare(b.Count, a.Count) })
	if len(all) > barsMax {
		rest := bar{Name: fmt.Sprintf("%d others", len(all)-barsMax+1), Kind: "rest"}
		for _, b := range all[barsMax-1:] {
			rest.Count += b.Count
		}
		all = append(all[:barsMax-1:barsMax-1], rest)
	}
	longest := 1
	for _, b := range all {
		longest = max(longest, b.Count)
	}
	for i := range all {
		all[i].Percent = max(1, 100*all[i].Count/longest)
	}
	return all
}

func plain(string) string { return "plain" }

func causes(deaths []postmortem.Past) []bar {
	return bars(deaths, func(d *event.Death) string { return safetext.Quote(string(d.Cause)) },
		func(n string) string { return kindOf(event.Cause(n)) })
}

// places counts by namespace; what is in none, by what it is in.
func places(deaths []postmortem.Past) []bar {
	return bars(deaths, func(d *event.Death) string {
		switch p := d.Process; {
		case p.Pod != nil && p.Pod.Namespace != "":
			return safetext.Quote(p.Pod.Namespace)
		case p.Container != nil:
			return "(containers without a pod)"
		}
		return "(host)"
	}, plain)
}

func actors(deaths []postmortem.Past) []bar {
	return bars(deaths, func(d *event.Death) string {
		if d.Actor == nil {
			return ""
		}
		if d.RequestedBy != "" {
			return safetext.Quote(d.RequestedBy)
		}
		return safetext.Quote(d.Actor.Comm)
	}, plain)
}

func byNode(deaths []postmortem.Past) []bar {
	all := bars(deaths, func(d *event.Death) string { return safetext.Quote(d.Node) }, plain)
	if len(all) < 2 {
		return nil
	}
	return all
}

// counted is a count with its title.
type counted struct {
	Title string
	Bars  []bar
}

// Section joins a count with its title, for the template.
func (data) Section(title string, bars []bar) counted { return counted{title, bars} }
