// SPDX-License-Identifier: Apache-2.0

package output

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/fuzzing"
	"github.com/sigtrace/sigtrace/internal/safetext"
)

func accountOf(t testing.TB, d *event.Death, before []Moment) string {
	t.Helper()
	var b bytes.Buffer
	if err := WriteAccount(&b, d, before, Options{UTC: true, MaskArgs: true}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestAccountTellsAll(t *testing.T) {
	d := deathOf("app")
	d.Summary, d.RequestedBy, d.EventsLost, d.BoottimeNS = "app was killed.", "kubelet", 3, uint64(time.Minute)
	code, limit := 137, uint64(64<<20)
	d.KubernetesSays = &event.KubernetesSays{Reason: "OOMKilled", ExitCode: &code}
	d.Memory = &event.Memory{LimitBytes: &limit}
	d.Collateral = &event.Collateral{Count: 3, PIDs: []int{7, 8}}
	d.Process.Args = []string{"app", "--token=hunter2"}
	out := accountOf(t, d, []Moment{{BoottimeNS: uint64(2 * time.Second), Text: "SIGHUP to worker(9)"}})
	for _, part := range []string{
		"app was killed.\n", "cause         foreign_process (proven)", "exit code 137 (SIGKILL)", "requested by  kubelet",
		"says OOMKilled, exit code 137: that is not what was seen", "limit 64.0 MiB", "3 other processes: pids 7, 8, …",
		"lost          3 events", "--token=***", "└─ app(3)", "+1.500 s", "signal_generate: app", "-0:58.000   SIGHUP to worker(9)", "id 1, revision 1",
	} {
		if !strings.Contains(out, part) {
			t.Errorf("no %q in\n%s", part, out)
		}
	}
}

// Advice stands with the figure that it rests on: two pieces in a brief account and
// in Markdown, all in the full one.
func TestAccountHasAdvice(t *testing.T) {
	d := deathOf("app")
	d.Summary = "app was killed."
	for _, n := range []string{"one", "two", "three"} {
		d.Advice = append(d.Advice, event.Advice{Text: "Do " + n + "\x1b[2J.", Because: "It was " + n + "."})
	}
	full := accountOf(t, d, nil)
	var brief, markdown bytes.Buffer
	if err := errors.Join(WriteBrief(&brief, d, nil, nil, Options{UTC: true}), WriteMarkdown(&markdown, d, nil, nil, Options{UTC: true})); err != nil {
		t.Fatal(err)
	}
	for name, out := range map[string]string{"full": full, "brief": brief.String(), "markdown": markdown.String()} {
		for n, want := range map[string]bool{"one": true, "two": true, "three": name == "full"} {
			if got := strings.Contains(out, "Do "+n) && strings.Contains(out, "It was "+n+"."); got != want {
				t.Errorf("%s: advice %s is there: %t, want %t\n%s", name, n, got, want, out)
			}
		}
		if strings.Contains(out, "\x1b") || !strings.Contains(out, "advice") {
			t.Errorf("%s: %q", name, out)
		}
	}
	if !strings.Contains(brief.String(), "sigtrace explain foreign_process") {
		t.Errorf("it does not lead to the page of the cause:\n%s", &brief)
	}
}

func TestAccountLeavesOutWhatIsUnknown(t *testing.T) {
	out := accountOf(t, &event.Death{Process: &event.Process{PID: 1, Comm: "app"}, Cause: event.CauseUnknown}, nil)
	for _, part := range []string{"actor", "memory", "evidence", "Kubernetes", "lost", "unit", "node"} {
		if strings.Contains(out, part) {
			t.Errorf("%q in\n%s", part, out)
		}
	}
}

// Whatever the text of others is, it stays text.
func FuzzAccount(f *testing.F) {
	for _, s := range []string{"app", "\x1b[2J", "\u202egnp", "a\nb", "\xff", "%s"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d := deathOf(s)
		d.Cause, d.RequestedBy, d.ID, d.Node = event.Cause(s), s, s, s
		d.Signals[0].Signal, d.Signals[0].Via, d.Signals[0].Result = s, event.Via(s), event.Result(s)
		d.KubernetesSays = &event.KubernetesSays{Reason: s}
		m, _ := MomentOf(signalOf(s))
		account := accountOf(t, d, []Moment{m})
		fuzzing.Outcome(f.Name(), account)
		for _, r := range account {
			if r != '\n' && safetext.Unsafe(r) {
				t.Fatalf("%q lets %q through", s, r)
			}
		}
	})
}
