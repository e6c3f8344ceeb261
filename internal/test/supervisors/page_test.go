// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"
)

// lineOf returns the page's line that begins so.
func lineOf(t *testing.T, text, begin string) string {
	t.Helper()
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, begin) {
			return strings.TrimSpace(line)
		}
	}
	t.Fatalf("no line begins with %q in\n%s", begin, text)
	return ""
}

// A row says when it was run, and whether the product has changed since; a verdict
// that was not right stands out, whatever its confidence.
func TestPage(t *testing.T) {
	now, before := machine{"new", "6.18", "2026-11-28"}, machine{"old", "6.1", "2026-11-01"}
	rs := &results{All: []*result{
		{Name: "tini", Act: "stop", Version: "1", machine: now, Does: "a|b", Verdicts: []verdict{
			{Role: "worker", Outcome: right, Cause: "foreign_process", Confidence: "proven", Actor: "script", Count: 1},
			{Role: "supervisor", Truth: "asked", Outcome: miss, Cause: "exited", Confidence: "proven", Count: 2},
		}},
		{Name: "tini", Act: "crash", machine: before},
		{Name: "sudo", Act: "stop", Packages: "sudo", machine: now, NotInstalled: "sudo"},
		{Name: "case", Act: "cancelled", machine: now, Runs: 20, Verdicts: []verdict{
			{Role: "worker", Outcome: right, Cause: "foreign_process", Confidence: "likely", Count: 19, Revised: 19},
			{Role: "worker", Outcome: falseMerge, Cause: "foreign_process", Confidence: "likely", Count: 1},
		}},
		{Name: "case", Act: "drain", machine: before, Verdicts: []verdict{{Outcome: missing, Count: 3}}},
	}}
	text := page(rs, now)
	for begin, want := range map[string][]string{
		"| tini | 1 | stop":          {`a\|b`, "worker: `foreign_process`, proven, actor script: right", "supervisor (2×): `exited`, proven: **miss** (truth: asked)", "| 2026-11-28, 6.18, `new` |"},
		"| tini |  | crash":          {"**stale**: 2026-11-01, 6.1, `old`"},
		"| sudo |  | stop":           {"could not be installed: `sudo` (sudo)"},
		"| nginx |  | stop":          {"**stale**: never run"},
		"| a stop is cancelled":      {"| negative | 20 | 20 | 19 | 1 | 0 | 0 | 0 | 19 |"},
		"| **all negative**":         {"| 20 | 19 | 1 (5.0 %) | 0 (0.0 %) | 0 | 0 | 19 |"},
		"| **all positive**":         {"| 3 | 0 | 0 (0.0 %) | 0 (0.0 %) | 3 | 0 | 0 |"},
		"| `proven`":                 {"| 3 | 2 | 1 | 2 | 33.3 |"},
		"| `likely`":                 {"| 20 | 1 | 19 | 1 | 95.0 |"},
		"| `no record`":              {"| 3 | 1 | 0 | 3 | 0.0 |"},
		"| systemd units":            {"not run: needs a machine with systemd"},
		"Product's last change: `ne": {"`new`"},
	} {
		for _, w := range want {
			if line := lineOf(t, text, begin); !strings.Contains(line, w) {
				t.Errorf("%q is not in %s", w, line)
			}
		}
	}
}

// What is held against a record is who did it, not only that somebody did.
func TestJudge(t *testing.T) {
	asker, other := ident{10, 5}, ident{11, 6}
	proc := func(i ident) *process { return &process{PID: i.pid, Start: i.start * (1e9 / ticksPerSecond)} }
	death := func(cause string, actor *process) *event { return &event{Cause: cause, Actor: actor} }
	through := death("foreign_process", proc(asker))
	through.Chain = append(through.Chain, struct {
		Process *process `json:"process"`
		What    string   `json:"what"`
	}{proc(other), ""})
	for name, c := range map[string]struct {
		t    truth
		d    *event
		want outcome
	}{
		"the asker":              {truth{want: asked, by: asker}, death("foreign_process", proc(asker)), right},
		"the asker's pid":        {truth{want: asked, by: asker}, death("foreign_process", proc(ident{10, 6})), miss},
		"another":                {truth{want: asked, by: asker}, death("foreign_process", proc(other)), miss},
		"nobody":                 {truth{want: asked, by: asker}, death("exited", nil), miss},
		"one with no part in it": {truth{want: byParent, by: asker, not: []ident{other}}, death("foreign_process", proc(other)), falseMerge},
		"another mechanism":      {truth{want: fault}, death("self_signal", proc(asker)), wrong},
		"no answer":              {truth{want: asked, by: asker}, death("unknown", nil), unknown},
		"the sibling is named":   {truth{want: afterSibling, by: asker, through: other}, through, right},
		"the sibling is not":     {truth{want: afterSibling, by: asker, through: other}, death("foreign_process", proc(asker)), miss},
	} {
		if got := c.t.judge(c.d); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
