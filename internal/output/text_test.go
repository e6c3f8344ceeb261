// SPDX-License-Identifier: Apache-2.0

package output

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/fuzzing"
	"github.com/sigtrace/sigtrace/internal/safetext"
)

// signalOf is a kill with everything that comes from outside set to text.
func signalOf(text string) *event.Signal {
	fatal := true
	uid := uint32(0)
	p := func(pid int) *event.Process {
		return &event.Process{
			PID: pid, Comm: text, Exe: text, Args: []string{"sh", text}, UID: &uid, EUID: &uid, Cgroup: text, StartBoottimeNS: uint64(pid),
			Container: &event.Container{ID: text, Name: text, Image: text},
			Pod:       &event.Pod{Namespace: text, Name: text, Labels: map[string]string{text: text}},
		}
	}
	sender := p(3)
	sender.Ancestors = []*event.Process{p(2), p(1), {Comm: "swapper/0"}}
	sender.PresentAncestors = sender.Ancestors
	return &event.Signal{
		Header: event.Header{Schema: event.Schema, Type: event.TypeSignal, Time: time.Unix(0, 0).UTC()},
		Signal: "SIGKILL", SignalNumber: 9, Via: event.ViaKill, Result: event.ResultDelivered,
		Fatal: &fatal, Sender: sender, Target: p(4), SignalDetail: event.SignalDetail{Matters: true},
	}
}

// deathOf is a death with everything that comes from outside set to text.
func deathOf(text string) *event.Death {
	s := signalOf(text)
	gap := 1.5
	h := s.Header
	h.Type = event.TypeDeath
	return &event.Death{
		Header: h, ID: "1", Revision: 1, Process: s.Target, Actor: s.Sender, Cause: event.CauseForeignProcess,
		Confidence: event.Proven, Summary: text, Exit: event.ExitStatus{Code: 137, Signal: "SIGKILL"},
		Chain:    []event.Hop{{Process: s.Sender, What: text}, {Process: s.Target, What: text}},
		Signals:  []event.Sent{{Signal: "SIGTERM", Sender: s.Sender}, {Signal: "SIGKILL", Sender: s.Sender, GapSeconds: &gap}},
		Evidence: []event.Evidence{{Source: "signal_generate", Text: text}},
	}
}

func TestDeathStandsOut(t *testing.T) {
	d := deathOf("app")
	d.Summary = "app was killed."
	for format, parts := range map[string][]string{
		"table": {"DEATH", "foreign_process (proven)", "app was killed.", "1. app(3) app", "+1.5 s SIGKILL from app(3)", "from app → app(3)"},
		"wide":  {"DEATH", "foreign_process (proven)", "app was killed.", "1. app(3) app", "+1.5 s SIGKILL from app(3)", "evidence: ", "└─ app(3)"},
	} {
		out := printed(t, format, d)
		for _, part := range parts {
			if !strings.Contains(out, part) {
				t.Errorf("%s: no %q in\n%s", format, part, out)
			}
		}
	}
}

func printed(t testing.TB, format string, e ...event.Event) string {
	t.Helper()
	var b bytes.Buffer
	p, err := New(format, &b, Options{UTC: true, Headers: true, MaskArgs: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range e {
		if err := p.Print(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Whatever a process calls itself, no control character of its gets out.
func FuzzPrint(f *testing.F) {
	for _, seed := range []string{"server", "\x1b]0;x\a", "a\nb", "\u009b2J", "\u202e", "\xff\xfe", "\U000e0041", "\x7f"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, format := range Formats() {
			out := printed(t, format, signalOf(text), deathOf(text))
			fuzzing.Outcome(f.Name(), format, out)
			for _, r := range strings.ReplaceAll(out, "\n", "") {
				if safetext.Unsafe(r) {
					t.Fatalf("%s lets %q out: %q", format, r, out)
				}
			}
			if format != "json" {
				continue
			}
			for line := range strings.Lines(out) {
				if !json.Valid([]byte(line)) {
					t.Fatalf("not one JSON object on one line: %q", line)
				}
			}
		}
	})
}

func TestStap(t *testing.T) {
	s := signalOf("x")
	s.Sender = &event.Process{PID: 23549, Comm: "pkill", StartBoottimeNS: 33475*60e9 + 5202486630}
	s.Sender.PresentAncestors = []*event.Process{
		{PID: 23495, Comm: "bash", StartBoottimeNS: 33473*60e9 + 38077072025},
		{PID: 1, Comm: "systemd", StartBoottimeNS: 80e6},
		{Comm: "swapper/0"},
	}
	s.Target = &event.Process{PID: 7942, Comm: "server"}
	want := `pkill(23549) send SIGKILL to server(7942)
parent of sender: bash(23495)
task_ancestry:swapper/0(0m0.000000000s)=>systemd(0m0.080000000s)=>bash(33473m38.077072025s)=>pkill(33475m5.202486630s)
`
	if diff := cmp.Diff(want, printed(t, "stap", s)); diff != "" {
		t.Error(diff)
	}
}

func TestTableFoldsOneAct(t *testing.T) {
	a, b := signalOf("app"), signalOf("app")
	b.Sender = a.Sender
	other := *b.Target
	other.PID, other.StartBoottimeNS = 5, 5
	b.Target = &other
	out := printed(t, "table", a, b)
	if strings.Count(out, "SIGKILL") != 1 || !strings.Contains(out, "app(4) and 1 other") {
		t.Errorf("not folded:\n%s", out)
	}
	if json := printed(t, "json", a, b); strings.Count(json, "\n") != 2 {
		t.Errorf("JSON folds:\n%s", json)
	}
}

func BenchmarkJSONSignal(b *testing.B) {
	p, _ := New("json", &bytes.Buffer{}, Options{MaskArgs: true})
	s := signalOf("server")
	b.ReportAllocs()
	for b.Loop() {
		if err := p.Print(s); err != nil {
			b.Fatal(err)
		}
	}
}
