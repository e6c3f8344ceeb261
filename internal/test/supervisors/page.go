// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

const pageHead = `<!-- Written by make supervisors from internal/test/supervisors/results.json: do not edit. -->
# Supervisors and servers, really run

What supervisors, servers and runtimes do when they are stopped, when one of their
processes crashes, and when they are reloaded, and what sigtrace reports about each
process that ends. ` + "`make supervisors`" + ` runs them, each in a cgroup of its own, and holds
the death records of a ` + "`sigtrace`" + ` with its default settings against the scenario's own
log; what the software does is what a second one, with ` + "`--all`" + `, saw. "script" is the
shell that sends the first signal; delays are since that signal. Where children are told
through a pipe or a socket (nginx, celery's warm shutdown), no signal ends them: they have
no record by default, or one that says ` + "`exited`" + `. A row is **stale** where the product has changed since its run.

`

func writePage(rs *results, here machine) error {
	return os.WriteFile(pageFile, []byte(page(rs, here)), 0o644)
}

func page(rs *results, here machine) string {
	var b strings.Builder
	b.WriteString(pageHead)
	fmt.Fprintf(&b, "Product's last change: `%s`.\n\n", here.Commit)
	b.WriteString("## Stop, crash, reload\n\n| software | version | act | what it does | verdicts | run |\n| --- | --- | --- | --- | --- | --- |\n")
	for _, s := range scenarios() {
		for _, a := range s.acts {
			fmt.Fprintln(&b, row(s, a, rs.get(s.name, a.name), here))
		}
	}
	for _, l := range notRun {
		fmt.Fprintf(&b, "| %s | | | not run: %s | | |\n", l[0], l[1])
	}
	b.WriteString(casesHead)
	writeCases(&b, rs, here)
	writeCalibration(&b, rs)
	return b.String()
}

func row(s scenario, a act, r *result, here machine) string {
	const line = "| %s | %s | %s | %s | %s | %s |"
	if r == nil {
		return fmt.Sprintf(line, s.name, "", a.name, "", "**stale**: never run", "")
	}
	what := cell(r.Does)
	switch {
	case r.NotInstalled != "":
		what = "could not be installed: `" + r.NotInstalled + "` (" + r.Packages + ")"
	case r.Error != "":
		what = "**failed**: " + cell(r.Error) + " " + what
	}
	return fmt.Sprintf(line, s.name, cell(r.Version), a.name, what, verdictsText(r.Verdicts), madeWith(r, here))
}

func madeWith(r *result, here machine) string {
	text := fmt.Sprintf("%s, %s, `%s`", r.Date, r.Kernel, r.Commit)
	if r.Commit != here.Commit {
		text = "**stale**: " + text
	}
	return text
}

// cell makes a text fit into a table.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;").Replace(s)
}

func verdictsText(all []verdict) string {
	if len(all) == 0 {
		return "nobody ends"
	}
	var out []string
	for _, v := range all {
		text := v.Role
		if v.Count > 1 {
			text += fmt.Sprintf(" (%d×)", v.Count)
		}
		if v.Cause == "" {
			text += ": none"
		} else {
			text += fmt.Sprintf(": `%s`, %s", v.Cause, v.Confidence)
		}
		if v.Actor != "" {
			text += ", actor " + v.Actor
		}
		mark := "right"
		if v.Outcome != right {
			mark = "**" + string(v.Outcome) + "** (truth: " + v.Truth + ")"
		}
		out = append(out, cell(text+": "+mark))
	}
	slices.Sort(out)
	return strings.Join(out, "<br>")
}

const casesHead = `
## The forwarder rule: false merges and misses

Each case is run for real, again and again. A *false merge* names somebody whose request
had nothing to do with the end; a *miss* does not name the one who asked first. Goals: at
most 1 % false merges over the negative cases, at most 2 % misses over the positive ones.
"revised" counts records whose first revision was not right and whose last one is.

| case | kind | runs | records | right | false merges | misses | otherwise wrong or none | unknown | revised | run |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
`

// tally counts records by their outcome.
type tally struct{ records, right, merged, missed, wrong, unknown, revised int }

func (t *tally) add(all []verdict) {
	for _, v := range all {
		t.records += v.Count
		t.revised += v.Revised
		switch v.Outcome {
		case right:
			t.right += v.Count
		case falseMerge:
			t.merged += v.Count
		case miss:
			t.missed += v.Count
		case unknown:
			t.unknown += v.Count
		default:
			t.wrong += v.Count
		}
	}
}

func writeCases(b *strings.Builder, rs *results, here machine) {
	var sums [2]tally
	for _, c := range cases() {
		kind := 0
		if c.negative {
			kind = 1
		}
		names := []string{"positive", "negative"}
		r := rs.get("case", c.name)
		if r == nil {
			fmt.Fprintf(b, "| %s | %s | | | | | | | | | **stale**: never run |\n", c.what, names[kind])
			continue
		}
		if r.NotInstalled != "" {
			fmt.Fprintf(b, "| %s | %s | | | | | | | | | could not be installed: %s |\n", c.what, names[kind], r.NotInstalled)
			continue
		}
		var t tally
		t.add(r.Verdicts)
		sums[kind].add(r.Verdicts)
		made := madeWith(r, here)
		if r.Error != "" {
			made = "**failed**: " + cell(r.Error) + ", " + made
		}
		fmt.Fprintf(b, "| %s | %s | %d | %d | %d | %d | %d | %d | %d | %d | %s |\n", c.what, names[kind], r.Runs, t.records, t.right, t.merged, t.missed, t.wrong, t.unknown, t.revised, made)
	}
	for kind, name := range []string{"**all positive**", "**all negative**"} {
		t := sums[kind]
		fmt.Fprintf(b, "| %s | | | %d | %d | %s | %s | %d | %d | %d | |\n", name, t.records, t.right, share(t.merged, t.records), share(t.missed, t.records), t.wrong, t.unknown, t.revised)
	}
}

func share(n, of int) string {
	if of == 0 {
		return "–"
	}
	return fmt.Sprintf("%d (%.1f %%)", n, 100*float64(n)/float64(of))
}

// writeCalibration counts all verdicts of both tables by their confidence.
func writeCalibration(b *strings.Builder, rs *results) {
	b.WriteString(`
## Confidence

All records of both tables. Goals: ` + "`proven`" + ` wrong 0 times, ` + "`likely`" + ` right at least 95 %;
` + "`unknown`" + ` is counted, so that saying it is no way out. A kind is a software's act and a role
in it, or a case and a role in it.

| confidence | records | kinds | right | wrong | right, % |
| --- | --- | --- | --- | --- | --- |
`)
	kinds := map[string]map[string]bool{}
	good, bad := map[string]int{}, map[string]int{}
	for _, r := range rs.All {
		for _, v := range r.Verdicts {
			c := v.Confidence
			switch {
			case v.Outcome == missing:
				c = "no record"
			case c == "":
				continue // rightly without a record
			}
			if kinds[c] == nil {
				kinds[c] = map[string]bool{}
			}
			kinds[c][r.Name+"/"+r.Act+"/"+v.Role] = true
			if v.Outcome == right {
				good[c] += v.Count
			} else {
				bad[c] += v.Count
			}
		}
	}
	for _, c := range []string{"proven", "likely", "unknown", "no record"} {
		n := good[c] + bad[c]
		percent := "–"
		if n > 0 {
			percent = fmt.Sprintf("%.1f", 100*float64(good[c])/float64(n))
		}
		fmt.Fprintf(b, "| `%s` | %d | %d | %d | %d | %s |\n", c, n, len(kinds[c]), good[c], bad[c], percent)
	}
}
