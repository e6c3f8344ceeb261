// SPDX-License-Identifier: Apache-2.0

package safetext

import (
	"regexp"
	"slices"
	"strings"
	"sync"
)

const masked = "***"

// secretWord matches the names of options and variables that hold secrets.
// What is short stands alone or behind a separator: PWD is a directory, bypass none.
const secretWord = `(?:[a-z0-9_.-]*(?:password|passwd|passphrase|secret|token)|(?:[a-z0-9_.-]*[_.-])?(?:pass|api[_-]?key|access[_-]?key|secret[_-]?key|private[_-]?key)|[a-z0-9_.-]*[_.-]pwd)`

// pattern finds secrets in arguments that may hold them: under a build script an
// event has kilobytes of arguments, and matching each cost more than all else that
// was done for a death.
type pattern struct {
	// words: what matches has one of them in it, in lower case.
	words []string
	match *regexp.Regexp
}

var patterns = sync.OnceValue(func() []pattern {
	return []pattern{
		// --password=x y: all of an option's argument. PASSWORD=x,y: up to a blank, for
		// a script may begin so.
		{secretStems(), regexp.MustCompile(`(?is)^(--?` + secretWord + `=)(.+)$`)},
		{secretStems(), regexp.MustCompile(`(?i)^(` + secretWord + `=)(\S+)`)},
		// "password": "x y"
		{secretStems(), regexp.MustCompile(`(?i)(` + secretWord + `["']?\s*[=:]\s*")([^"]+)(")`)},
		{secretStems(), regexp.MustCompile(`(?i)(` + secretWord + `["']?\s*[=:]\s*')([^']+)(')`)},
		// --password=x, TOKEN=x, -e DB_PASSWORD=x inside a longer argument.
		{secretStems(), regexp.MustCompile(`(?i)((?:^|[\s"'&?;,{-])` + secretWord + `["']?\s*[=:]\s*["']?)([^\s"'&;,}]+)`)},
		// Authorization: Bearer x
		{[]string{"bearer", "basic"}, regexp.MustCompile(`(?i)((?:bearer|basic)\s+)([a-z0-9._~+/=-]{6,})`)},
		// scheme://user:password@host
		{[]string{"://"}, regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://[^\s/:@]*:)([^\s/]+)(@)`)},
		// AWS access keys
		{[]string{"akia", "asia"}, regexp.MustCompile(`()(\b(?:AKIA|ASIA)[A-Z0-9]{16}\b)`)},
	}
})

var option = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?i)^--?` + secretWord + `$`) })

// secretStems: each secretWord has one of these in it.
func secretStems() []string { return []string{"pass", "pwd", "secret", "token", "key"} }

func holdsAny(low string, words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(low, w) })
}

// lower is for the patterns' words. Letters outside ASCII that fold to one inside
// (the long s) are taken for what they fold to.
func lower(s string) string {
	return strings.ReplaceAll(strings.ToLower(s), "\u017f", "s")
}

// Mask replaces the values of well-known secret patterns in arguments.
func Mask(args []string) []string {
	var out []string
	next := false
	for i, a := range args {
		low := lower(a)
		m := maskOne(a, low)
		if next && !strings.HasPrefix(a, "-") {
			m = masked
		}
		next = holdsAny(low, secretStems()) && option().MatchString(a)
		if m != a && out == nil {
			out = append(make([]string, 0, len(args)), args[:i]...)
		}
		if out != nil {
			out = append(out, m)
		}
	}
	if out == nil {
		return args
	}
	return out
}

func maskOne(a, low string) string {
	for _, p := range patterns() {
		if holdsAny(low, p.words) && p.match.MatchString(a) {
			a = p.match.ReplaceAllString(a, "${1}"+masked+"${3}")
		}
	}
	return a
}
