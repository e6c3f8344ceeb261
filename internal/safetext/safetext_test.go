// SPDX-License-Identifier: Apache-2.0

package safetext

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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

// The words that are looked for first hide nothing that the patterns find.
func FuzzMaskWords(f *testing.F) {
	for _, seed := range []string{
		"--password=hunter2", "X_API-KEY: abc", "SECRET='x'", "PA\u017f\u017fWORD=x", "to\u212aen=abc", "authorization: BASIC abcdefgh",
		"HTTP://a:b@c", "AKIAABCDEFGHIJKLMNOP", "client.passphrase=1",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, p := range patterns() {
			if p.match.MatchString(s) && !holdsAny(lower(s), p.words) {
				t.Errorf("%q matches %s, and holds none of %q", s, p.match, p.words)
			}
		}
		if option().MatchString(s) && !holdsAny(lower(s), secretStems()) {
			t.Errorf("%q is an option for a secret", s)
		}
	})
}

func BenchmarkMask(b *testing.B) {
	args := []string{"go", "test", "-race", "./...", strings.Repeat("/some/path/to/a/package ", 40)}
	for b.Loop() {
		Mask(args)
	}
}
