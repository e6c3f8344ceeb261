// SPDX-License-Identifier: Apache-2.0

package safetext

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Unsafe reports whether a rune could do something to a terminal or deceive its
// reader: control characters (C0, DEL, C1), line and paragraph separators,
// bidi overrides and other invisible formatting.
func Unsafe(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co, unicode.Cs)
}

// Quote makes other people's text fit for a terminal: what could act there is
// shown as an escape (\x1b, \n, \u202e); all else stays as it is.
func Quote(s string) string { return escaped(s, `\`) }

// Show is Quote for a text that has been made of quoted ones already: it leaves
// their backslashes alone.
func Show(s string) string { return escaped(s, "") }

// escaped escapes what is unsafe, and the runes in also.
func escaped(s, also string) string {
	if plain(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			b.WriteString(`\x`)
			b.WriteString(hex2(s[i]))
		case Unsafe(r) || strings.ContainsRune(also, r):
			q := strconv.QuoteRuneToASCII(r)
			b.WriteString(q[1 : len(q)-1])
		default:
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}

func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= 0x7f || c == '\\' {
			return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return Unsafe(r) || r == '\\' })
		}
	}
	return true
}

func hex2(b byte) string {
	const digits = "0123456789abcdef"
	return string([]byte{digits[b>>4], digits[b&15]})
}

// shellSpecial are the characters that a shell would take for its own.
const shellSpecial = " \t\"'`$&|;<>()*?[]{}!#~\\"

// QuoteArgs joins arguments as a person would type them.
func QuoteArgs(args []string) string {
	quoted := make([]string, len(args))
	for i, a := range args {
		q := Quote(a)
		if a == "" || strings.ContainsAny(a, shellSpecial) {
			q = "'" + strings.ReplaceAll(Show(a), "'", `'\''`) + "'"
		}
		quoted[i] = q
	}
	return strings.Join(quoted, " ")
}
