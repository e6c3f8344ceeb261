// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sigtrace/sigtrace/internal/event"
)

// Page is what is to know about a cause, or about a reason that Kubernetes reports
// for the end of a container or pod.
type Page struct {
	Name string `json:"name"`
	// Kind is cause or kubernetes_reason, Group a cause's.
	Kind  string           `json:"kind"`
	Group event.CauseGroup `json:"group,omitempty"`
	// Because completes "it died because …"; of a cause only.
	Because string `json:"because,omitempty"`
	Means   string `json:"means"`
	// Known is how sigtrace knows it, and when it is only likely.
	Known  string   `json:"known"`
	LookAt []string `json:"look_at"`
	Change []string `json:"change"`
	// Related are the reasons that Kubernetes may report for a cause, and the causes
	// that may be behind a reason.
	Related []string `json:"related"`
	// Doc is the same page in the documentation, a path in the repository.
	Doc string `json:"doc,omitempty"`
}

var causeTexts = func() map[event.Cause]text {
	all := map[event.Cause]text{}
	for _, some := range []map[event.Cause]text{oomPages, kubernetesPages, foreignPages, runtimePages, crashPages, ownPages} {
		maps.Copy(all, some)
	}
	return all
}()

// PageOf finds the page of a cause or of a Kubernetes reason; false where there is
// none. Where no name is exactly this one, one with other letters' case will do:
// evicted is a cause, Evicted a reason.
func PageOf(name string) (Page, bool) {
	name = strings.TrimSpace(name)
	for _, same := range []func(a, b string) bool{func(a, b string) bool { return a == b }, strings.EqualFold} {
		for _, row := range event.CauseRows() {
			if same(string(row.Cause), name) {
				return pageOfCause(row), true
			}
		}
		for _, reason := range Reasons() {
			if same(reason, name) {
				return page(reason, kindReason, reasonTexts[reason]), true
			}
		}
	}
	return Page{}, false
}

// Reasons are the reasons of Kubernetes that have a page, in alphabetical order.
func Reasons() []string { return slices.Sorted(maps.Keys(reasonTexts)) }

// Names are those of all pages: causes in the order of their table, then reasons.
func Names() []string {
	var names []string
	for _, row := range event.CauseRows() {
		names = append(names, string(row.Cause))
	}
	return append(names, Reasons()...)
}

func pageOfCause(row event.CauseRow) Page {
	p := page(string(row.Cause), kindCause, causeTexts[row.Cause])
	p.Group, p.Because, p.Doc = row.Group, row.Meaning, row.Cause.Doc()
	return p
}

func page(name, kind string, t text) Page {
	return Page{Name: name, Kind: kind, Means: t.means, Known: t.known, LookAt: t.look, Change: t.change, Related: t.related}
}

// Markdown is the page as docs/causes has it.
func (p Page) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# `%s`\n\n", p.Name)
	if p.Because != "" {
		fmt.Fprintf(&b, "*It died because %s.* Group `%s`.\n\n", strings.TrimSuffix(p.Because, "."), p.Group)
	}
	fmt.Fprintf(&b, "%s\n\n## How sigtrace knows\n\n%s\n", p.Means, p.Known)
	for _, s := range []struct {
		title string
		items []string
	}{{"What to look at", p.LookAt}, {"What to change", p.Change}} {
		fmt.Fprintf(&b, "\n## %s\n\n", s.title)
		for _, item := range s.items {
			fmt.Fprintf(&b, "- %s\n", item)
		}
	}
	fmt.Fprintf(&b, "\n## %s\n\n%s\n", p.relatedTitle(), p.relatedText(true))
	return b.String()
}

func (p Page) relatedTitle() string {
	if p.Kind == kindCause {
		return "What Kubernetes may report"
	}
	return "Causes that may be behind it"
}

// relatedText names what is related, causes as links if that is asked for.
func (p Page) relatedText(links bool) string {
	var names []string
	for _, r := range p.Related {
		if links && p.Kind == kindReason {
			names = append(names, fmt.Sprintf("[`%s`](%s.md)", r, r))
		} else {
			names = append(names, "`"+r+"`")
		}
	}
	return strings.Join(names, ", ")
}

// Plain is the page for a terminal, without Markdown's marks.
func (p Page) Plain() string {
	var b strings.Builder
	b.WriteString(p.Name)
	if p.Group != "" {
		fmt.Fprintf(&b, "  (group %s)", p.Group)
	}
	b.WriteByte('\n')
	for _, section := range []struct {
		title string
		items []string
	}{
		{"", []string{p.Means}}, {"how sigtrace knows", []string{p.Known}}, {"look at", p.LookAt}, {"change", p.Change},
		{strings.ToLower(p.relatedTitle()[:1]) + p.relatedTitle()[1:], []string{p.relatedText(false)}},
	} {
		indent, mark := "  ", ""
		if section.title != "" {
			fmt.Fprintf(&b, "  %s:\n", section.title)
			indent, mark = "    ", "- "
		}
		for _, item := range section.items {
			lines := wrap(strings.ReplaceAll(item, "`", ""), plainWidth-len(indent)-len(mark))
			fmt.Fprintf(&b, "%s%s%s\n", indent, mark, strings.Join(lines, "\n"+indent+strings.Repeat(" ", len(mark))))
		}
	}
	return b.String()
}

// plainWidth is how wide a page is in a terminal.
const plainWidth = 100

// wrap breaks a text into lines at spaces.
func wrap(s string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(s) {
		if line != "" && len([]rune(line))+1+len([]rune(word)) > width {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	return append(lines, line)
}

// Index is docs/causes/README.md: all causes and Kubernetes' reasons.
func Index() string {
	var b strings.Builder
	b.WriteString("# Causes of death\n\nA page for each `cause` of a death record: what it means, how sigtrace knows, what to look at and what to change. `sigtrace explain CAUSE` prints the same. The pages are generated from internal/explain and the table of causes (`go test ./internal/explain -update`).\n\n| cause | group | it died because |\n| --- | --- | --- |\n")
	for _, row := range event.CauseRows() {
		fmt.Fprintf(&b, "| [`%s`](%s.md) | `%s` | %s |\n", row.Cause, row.Cause, row.Group, row.Meaning)
	}
	b.WriteString("\n# What Kubernetes reports\n\nThe reasons that Kubernetes shows for the end of a container or pod, with what may be behind each. `sigtrace explain REASON` prints more.\n\n| reason | meaning | causes that may be behind it |\n| --- | --- | --- |\n")
	for _, reason := range Reasons() {
		p, _ := PageOf(reason)
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", reason, p.Means, cmp.Or(p.relatedText(true), "none"))
	}
	return b.String()
}
