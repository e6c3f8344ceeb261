// SPDX-License-Identifier: Apache-2.0

package safetext

import (
	"regexp"
	"strings"
	"sync"
)

const masked = "***"

// secretWord matches the names of options and variables that hold secrets.
const secretWord = `(?:[a-z0-9_.-]*[_.-])?(?:password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key|secret[_-]?key|private[_-]?key|client[_-]?secret|auth[_-]?token)`

var patterns = sync.OnceValue(func() []*regexp.Regexp {
	return []*regexp.Regexp{
		// --password=x, TOKEN=x, -e DB_PASSWORD=x; also inside a longer argument.
		regexp.MustCompile(`(?i)((?:^|[\s"'&?;,{-])` + secretWord + `["']?\s*[=:]\s*["']?)([^\s"'&;,}]+)`),
		// Authorization: Bearer x
		regexp.MustCompile(`(?i)((?:bearer|basic)\s+)([a-z0-9._~+/=-]{6,})`),
		// scheme://user:password@host
		regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://[^\s/:@]*:)([^\s@/]+)(@)`),
		// AWS access keys
		regexp.MustCompile(`()(\b(?:AKIA|ASIA)[A-Z0-9]{16}\b)`),
	}
})

var option = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?i)^--?` + secretWord + `$`) })

// Mask replaces the values of well-known secret patterns in arguments.
func Mask(args []string) []string {
	var out []string
	next := false
	for i, a := range args {
		m := maskOne(a)
		if next && !strings.HasPrefix(a, "-") {
			m = masked
		}
		next = option().MatchString(a)
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

func maskOne(a string) string {
	for _, p := range patterns() {
		if p.MatchString(a) {
			a = p.ReplaceAllString(a, "${1}"+masked+"${3}")
		}
	}
	return a
}
