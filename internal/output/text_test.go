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
)

func TestQuote(t *testing.T) {
	for in, want := range map[string]string{
		"server":            "server",
		"größe":             "größe",
		"a\x1b[31mred":      `a\x1b[31mred`,
		"two\nlines":        `two\nlines`,
		"c1 \u009b2J":       `c1 \u009b2J`,
		"bidi \u202egpj":    `bidi \u202egpj`,
		"\xffbad":           `\xffbad`,
		`back\slash`:        `back\\slash`,
		"\x7f":              `\x7f`,
		"zero\u200bwidth":   `zero\u200bwidth`,
		"tag \U000e0041end": `tag \U000e0041end`,
	} {
		if got := Quote(in); got != want {
			t.Errorf("Quote(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestQuoteArgs(t *testing.T) {
	got := QuoteArgs([]string{"sh", "-c", "kill -9 $$; echo 'x'", "", "plain"})
	if want := `sh -c 'kill -9 $$; echo '\''x'\''' '' plain`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestMask(t *testing.T) {
	for _, c := range []struct{ in, want []string }{
		{[]string{"app", "--password=hunter2"}, []string{"app", "--password=***"}},
		{[]string{"app", "--db-password", "hunter2", "x"}, []string{"app", "--db-password", "***", "x"}},
		{[]string{"env", "GITHUB_TOKEN=abc", "make"}, []string{"env", "GITHUB_TOKEN=***", "make"}},
		{[]string{"sh", "-c", "API_KEY=abc run"}, []string{"sh", "-c", "API_KEY=*** run"}},
		{[]string{"curl", "-H", "Authorization: Bearer abcdefgh.ij"}, []string{"curl", "-H", "Authorization: Bearer ***"}},
		{[]string{"psql", "postgres://me:pw@db/x"}, []string{"psql", "postgres://me:***@db/x"}},
		{[]string{"kill", "-9", "1"}, []string{"kill", "-9", "1"}},
		{[]string{"tokenize", "--tokens", "5"}, []string{"tokenize", "--tokens", "5"}},
		{[]string{"app", "--password-file=/etc/pw"}, []string{"app", "--password-file=/etc/pw"}},
	} {
		if diff := cmp.Diff(c.want, Mask(c.in)); diff != "" {
			t.Errorf("Mask(%q): %s", c.in, diff)
		}
	}
}

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
		Fatal: &fatal, Sender: sender, Target: p(4), Matters: true,
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
			out := printed(t, format, signalOf(text))
			for _, r := range strings.ReplaceAll(out, "\n", "") {
				if unsafe(r) {
					t.Fatalf("%s lets %q out: %q", format, r, out)
				}
			}
			if format == "json" && (!json.Valid([]byte(out)) || strings.Count(out, "\n") != 1) {
				t.Fatalf("not one JSON object on one line: %q", out)
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
