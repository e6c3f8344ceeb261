// SPDX-License-Identifier: Apache-2.0

package safetext

import (
	"strings"
	"testing"

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
		{[]string{"env", "PGPASSWORD=hunter2", "MYSQL_PWD=hunter3", "DB_PASS=q1", "pg_dump"}, []string{"env", "PGPASSWORD=***", "MYSQL_PWD=***", "DB_PASS=***", "pg_dump"}},
		{[]string{"app", "--dbpassword=x1", "--pass=q2"}, []string{"app", "--dbpassword=***", "--pass=***"}},
		{[]string{"app", "--password=Pa,ss;w&rd"}, []string{"app", "--password=***"}},
		{[]string{"app", "--password=correct horse"}, []string{"app", "--password=***"}},
		{[]string{"sh", "-c", "DB_PASSWORD=a,b run; kill 1"}, []string{"sh", "-c", "DB_PASSWORD=*** run; kill 1"}},
		{[]string{"curl", "-d", `{"password": "a b", "user": "me"}`}, []string{"curl", "-d", `{"password": "***", "user": "me"}`}},
		{[]string{"git", "clone", "https://u:p@ss@host/x"}, []string{"git", "clone", "https://u:***@host/x"}},
		{[]string{"env", "PWD=/home/x", "app", "--bypass=1", "--monkey=2"}, []string{"env", "PWD=/home/x", "app", "--bypass=1", "--monkey=2"}},
		{[]string{"curl", "http://host:8080/a@b"}, []string{"curl", "http://host:8080/a@b"}},
		{[]string{"kill", "-9", "1"}, []string{"kill", "-9", "1"}},
		{[]string{"tokenize", "--tokens", "5"}, []string{"tokenize", "--tokens", "5"}},
		{[]string{"app", "--password-file=/etc/pw"}, []string{"app", "--password-file=/etc/pw"}},
	} {
		if diff := cmp.Diff(c.want, Mask(c.in)); diff != "" {
			t.Errorf("Mask(%q): %s", c.in, diff)
		}
	}
}

// What was quoted once is shown as it is, and still does nothing to a terminal.
func TestShow(t *testing.T) {
	args := QuoteArgs([]string{"sed", `s,a\.b,c,`, "\x1b[31m"})
	if want := `sed 's,a\.b,c,' '\x1b[31m'`; args != want {
		t.Errorf("%s, want %s", args, want)
	}
	for in, want := range map[string]string{args: args, "\x1b]0;x\a": `\x1b]0;x\a`, "a\u202eb": `a\u202eb`} {
		if got := Show(in); got != want {
			t.Errorf("%q is shown as %q, want %q", in, got, want)
		}
	}
}

// A file from elsewhere has escape sequences where names of signals are expected.
func TestForeign(t *testing.T) {
	const bad = "x\x1b]0;pwned\a"
	d := &event.Death{Cause: bad, Confidence: bad, OOM: &event.OOM{Scope: bad}, Evidence: []event.Evidence{{Source: bad}}, Signals: []event.Sent{{Signal: bad}}}
	d.Exit.Signal = bad
	s := &event.Signal{Signal: bad, Via: bad, Result: bad}
	for _, e := range []event.Event{d, s, &event.Stuck{Signal: &event.Signal{Signal: bad}}, &event.Lost{Lane: bad, Reason: bad}, &event.Stuck{}} {
		Foreign(e)
	}
	for _, text := range []string{string(d.Cause), string(d.Confidence), d.OOM.Scope, d.Evidence[0].Source, d.Signals[0].Signal, d.Exit.Signal, s.Signal, string(s.Via), string(s.Result)} {
		if strings.ContainsFunc(text, Unsafe) || text == "" {
			t.Errorf("%q", text)
		}
	}
}
