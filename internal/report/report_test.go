// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/output"
	"github.com/sigtrace/sigtrace/internal/postmortem"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

func past(n int, text string, cause event.Cause) postmortem.Past {
	p := &event.Process{
		PID: n, Comm: text, Args: []string{"app", "--token=hunter2", text}, Cgroup: text, Unit: text,
		Pod: &event.Pod{Namespace: text, Name: text, UID: text}, Container: &event.Container{ID: text, Name: text, Image: text},
	}
	killer := &event.Process{PID: n + 1000, Comm: text, Ancestors: []*event.Process{{PID: 1, Comm: text}}}
	d := &event.Death{
		Header: event.Header{Type: event.TypeDeath, Time: noon.Add(-time.Duration(n) * time.Minute), Node: text},
		ID:     text, Process: p, Cause: cause, Confidence: event.Proven, Summary: text, Actor: killer,
		Chain: []event.Hop{{Process: killer, What: text}}, Signals: []event.Sent{{Signal: text, Sender: killer}},
		Evidence: []event.Evidence{{Source: text, Text: text}},
	}
	return postmortem.Past{Death: d, Before: []output.Moment{{BoottimeNS: 5, Text: "SIGHUP to worker"}}}
}

func written(t *testing.T, h *postmortem.History) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, h, Options{Version: "1", Made: noon, UTC: true, MaskArgs: true}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPageTellsAll(t *testing.T) {
	h := &postmortem.History{
		Deaths: []postmortem.Past{past(1, "web", event.CauseCgroupOOM), past(90, "db", event.CauseForeignProcess), past(200, "db", event.CauseForeignProcess)},
		More:   7, BadLines: 2, Nodes: []string{"n1"}, From: noon.Add(-time.Hour), Until: noon,
		Gaps: []postmortem.Gap{{Node: "n1", Since: noon.Add(-time.Minute), Until: noon, Reason: postmortem.GapNotRunning}},
	}
	out := written(t, h)
	for _, part := range []string{
		"<strong>3</strong> deaths on node n1", "7 older ones", "2 lines of the files could not be read",
		"no agent was running on n1 from 2026-11-25 11:59:00 UTC", "cgroup_oom", "foreign_process", "By namespace",
		"--token=***", "└─ web", "SIGHUP to worker", `<rect class="k-memory"`, "a column is",
	} {
		if !strings.Contains(out, part) {
			t.Errorf("no %q", part)
		}
	}
	if strings.Count(out, `<details class="death"`) != 3 {
		t.Error("not each death is there")
	}
}

// Nothing comes from outside, and nothing that others wrote is markup.
func TestPageIsSelfContainedAndEscaped(t *testing.T) {
	for _, evil := range []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `'--></style><b>`, "javascript:alert(1)", "\u202egnp", "{{.}}",
	} {
		out := written(t, &postmortem.History{
			Deaths: []postmortem.Past{past(1, evil, event.Cause(evil)), past(2, evil, event.CauseUnknown)}, Nodes: []string{evil},
			Gaps: []postmortem.Gap{{Node: evil, Reason: postmortem.GapLost, Lane: evil}},
		})
		for _, bad := range []string{"<script>alert", "<img", "</style><b>", "\u202e", `href="javascript`} {
			if strings.Contains(out, bad) {
				t.Errorf("%q is markup: %s", evil, bad)
			}
		}
		if n := strings.Count(out, "<script"); n != 1 {
			t.Errorf("%q: %d scripts", evil, n)
		}
	}
	out := written(t, &postmortem.History{Deaths: []postmortem.Past{past(1, "web", event.CauseUnknown), past(2, "web", event.CauseUnknown)}})
	if m := regexp.MustCompile(`(?i)https?://|src=|<link|@import|url\(`).FindAllString(out, -1); m != nil {
		t.Errorf("from outside: %v", m)
	}
	if !strings.Contains(out, `content="default-src &#39;none&#39;`) && !strings.Contains(out, `content="default-src 'none'`) {
		t.Error("no policy")
	}
}

// The policy names the script as it stands in the page.
func TestScriptIsThePages(t *testing.T) {
	if out := written(t, &postmortem.History{}); !strings.Contains(out, "<script>"+script+"</script>") {
		t.Error("the script was changed: the policy forbids it")
	}
}

func TestEmptyRecord(t *testing.T) {
	if out := written(t, &postmortem.History{}); !strings.Contains(out, "No death that fits is in the record") || strings.Contains(out, "<svg") {
		t.Error(out)
	}
}

func TestChart(t *testing.T) {
	at := func(t time.Time) string { return t.Format(time.RFC3339) }
	for _, span := range []time.Duration{time.Second, time.Minute, 7 * time.Hour, 30 * 24 * time.Hour, 20 * 365 * 24 * time.Hour} {
		var deaths []postmortem.Past
		for n := range 100 {
			p := past(1, "web", []event.Cause{event.CauseCgroupOOM, event.CauseUnknown}[n%2])
			p.Death.Time = noon.Add(-span / 99 * time.Duration(n))
			deaths = append(deaths, p)
		}
		c := newChart(deaths, at)
		if len(c.Columns) > columnsMax+1 {
			t.Errorf("%v: %d columns", span, len(c.Columns))
		}
		for _, col := range c.Columns {
			sum := 0
			for _, p := range col.Parts {
				if p.Y < 0 || p.Y+p.Height > c.Height {
					t.Errorf("%v: %+v is outside", span, p)
				}
				sum += p.Height
			}
			if col.X+col.Width > c.Width || sum > c.Height {
				t.Errorf("%v: column at %d+%d, %d high", span, col.X, col.Width, sum)
			}
		}
	}
	if newChart(nil, at) != nil {
		t.Error("a chart of nothing")
	}
}

func TestBarsAreLimited(t *testing.T) {
	var deaths []postmortem.Past
	for n := range 30 {
		deaths = append(deaths, past(n, fmt.Sprint("ns-", n), event.CauseUnknown))
	}
	all := places(deaths)
	sum := 0
	for _, b := range all {
		sum += b.Count
	}
	if len(all) != barsMax || sum != 30 || all[barsMax-1].Name != "19 others" {
		t.Errorf("%+v", all)
	}
}

// Every cause of the contract has a kind of its own choosing.
func TestEveryCauseHasAKind(t *testing.T) {
	for _, c := range event.Causes() {
		if kindOf(c) == "unknown" && c != event.CauseUnknown {
			t.Errorf("%s has none", c)
		}
	}
}
