// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// judge reads what came of the guests; false if anything failed.
func (c *config) judge(guests []*guest) bool {
	ok := true
	for _, g := range guests {
		list, err := results(g)
		if err != nil {
			list = []*result{{problems: []string{err.Error()}}}
		}
		g.results = list
		for _, r := range list {
			c.judgeGroup(g, r)
			ok = ok && !r.failed()
		}
	}
	return ok
}

func (c *config) judgeGroup(g *guest, r *result) {
	switch {
	case !r.begun && r.group != "":
		r.problem("never begun; %s", or(g.ended, "the guest ended before"))
	case r.code < 0:
		r.problem("did not end; %s", or(g.ended, "the guest ended in the middle, as after a panic"))
	case r.code > 0:
		r.problem("exit code %d", r.code)
	case r.pass == 0 && r.skip == 0 && !r.report():
		r.problem("no test was run")
	}
	if r.fail > 0 {
		r.problem("%d tests failed", r.fail)
	}
	c.judgeSkips(g, r)
	if r.report() && r.code == 0 {
		c.judgeCheck(g, r)
	}
}

// report: the group is no test, but sigtrace check.
func (r *result) report() bool { return strings.HasPrefix(r.group, "check") }

func (r *result) problem(format string, args ...any) {
	r.problems = append(r.problems, fmt.Sprintf(format, args...))
}

// judgeSkips: a skip that no line of the table expects is a failure, and one
// that is expected and does not happen is noted.
func (c *config) judgeSkips(g *guest, r *result) {
	happened := map[int]bool{}
	for _, s := range r.skipped {
		expected := false
		for i, line := range c.skips {
			if line.here(g, r.group) && line.covers(s.name) {
				expected, happened[i] = true, true
			}
		}
		if !expected {
			r.problem("%s is skipped, which nothing expects here: %s", s.name, s.why)
		}
	}
	for i, line := range c.skips {
		if r.code == 0 && line.here(g, r.group) && !happened[i] {
			r.notes = append(r.notes, fmt.Sprintf("%s was expected to be skipped (%s) and was not", line.test, line.why))
		}
	}
}

// judgeCheck compares what sigtrace check said with its golden file.
func (c *config) judgeCheck(g *guest, r *result) {
	text := withoutRelease(strings.Join(r.console, "\n") + "\n")
	golden := filepath.Join(c.here, "check", g.name()+".golden")
	if c.update {
		if err := os.WriteFile(golden, []byte(text), 0o644); err != nil {
			r.problem("%v", err)
		}
		r.pass++
		return
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		r.problem("%v (UPDATE=1 writes it)", err)
		return
	}
	if string(want) == text {
		r.pass++
	} else {
		r.problem("sigtrace check says otherwise than %s (UPDATE=1 writes it anew):\n%s", golden, difference(string(want), text))
	}
}

var releaseInCheck = regexp.MustCompile(`(?m)^kernel( +)\S+$`)

// withoutRelease: Debian's point releases come and go.
func withoutRelease(report string) string {
	return releaseInCheck.ReplaceAllString(report, "kernel${1}RELEASE")
}

// difference is the lines that are in one text only.
func difference(want, got string) string {
	var b strings.Builder
	one := func(mark, a, other string) {
		has := map[string]bool{}
		for line := range strings.Lines(other) {
			has[line] = true
		}
		for line := range strings.Lines(a) {
			if !has[line] {
				fmt.Fprintf(&b, "    %s %s", mark, line)
			}
		}
	}
	one("-", want, got)
	one("+", got, want)
	return strings.TrimRight(b.String(), "\n")
}
