// SPDX-License-Identifier: Apache-2.0

package safetext

import "strings"

// pairs masks the values of names wherever they stand in a text: TOKEN=x,
// "password": "x", X-Api-Key: x, ?access_token=x&, Password=x;Server=y, and the
// passwords in URLs.
func (m *masker) pairs(t *text) {
	r := pairReader{masker: m, t: t}
	s := t.s
	for i := 1; i < len(s); i++ {
		c := s[i]
		if c != '=' && c != ':' {
			continue
		}
		if c == ':' && strings.HasPrefix(s[i:], "://") {
			r.url(i)
			continue
		}
		from, to := nameBefore(s, i)
		k := nameKind(strings.TrimLeft(s[from:to], "-"))
		if k == kindNone {
			if c == ':' {
				r.userinfo(from, i)
			}
			continue
		}
		if c == ':' && from > 0 && s[from-1] == '/' {
			continue // an image's tag: registry/token:v1
		}
		if end := r.pairValue(k, from, i); end > i {
			i = end - 1
		}
	}
}

// pairReader remembers how far what it has last looked at reaches, so that a text
// made of separators alone is not read to its end from each of them.
type pairReader struct {
	*masker
	t *text
	// value and blank are where the last unquoted value and the last run without
	// blanks and quotes end; both hold from where they were looked for.
	value, blank int
}

// nameBefore finds the name before a separator, past blanks and a quote.
func nameBefore(s string, i int) (from, to int) {
	to = i
	for to > 0 && to > i-4 && s[to-1] == ' ' {
		to--
	}
	if to > 0 && (s[to-1] == '"' || s[to-1] == '\'') {
		to--
		if to > 0 && s[to-1] == '\\' {
			to--
		}
	}
	from = to
	for from > 0 && to-from <= nameMax && isNameByte(s[from-1]) {
		from--
	}
	return from, to
}

// pairValue masks the value after the separator at i and returns its end.
func (r *pairReader) pairValue(k kind, name, i int) int {
	s := r.t.s
	from := i + 1
	if s[i] == '=' && from < len(s) && s[from] == '>' {
		from++ // Ruby's and PHP's
	}
	// PASSWORD= x is an empty assignment in a shell; PASSWORD = x is none.
	if s[i] == ':' || s[i-1] == ' ' {
		for from < len(s) && (s[from] == ' ' || s[from] == '\t') {
			from++
		}
	}
	if from == len(s) || s[from] == '{' || s[from] == '[' || s[from] == '(' {
		return i
	}
	from, to := r.valueAt(from)
	switch {
	case k == kindHeader && s[i] == ':':
		from, to = headerValue(s, from, name == 0)
	case k == kindHeader:
		k = kindWeak
	case k == kindWebhook:
		if at := strings.Index(s[from:to], "://"); at >= 0 {
			if slash := strings.IndexByte(s[from+at+3:to], '/'); slash >= 0 {
				r.mask(r.t, from+at+3+slash+1, to)
			}
		}
		return i
	case k == kindWeak && name > 0 && (s[name-1] == '?' || s[name-1] == '&'):
		k = kindKey // a query's sig=
	}
	if !isSecret(k, s[from:to]) || isReference(s[from:to]) {
		return i
	}
	r.mask(r.t, from, to)
	return to
}

// valueAt finds the value that begins at from: to its closing quote, or as far as
// an unquoted one reaches.
func (r *pairReader) valueAt(from int) (int, int) {
	s := r.t.s
	quote := ""
	for _, q := range []string{`\"`, `"`, `'`} {
		if strings.HasPrefix(s[from:], q) {
			quote = q
			break
		}
	}
	if quote == "" {
		if from >= r.value {
			r.value = from
			for r.value < len(s) && !endsValue(s, r.value) {
				r.value++
			}
		}
		return from, r.value
	}
	from += len(quote)
	for to := from; to < len(s); to++ {
		if strings.HasPrefix(s[to:], quote) {
			return from, to
		}
		if s[to] == '\\' {
			to++
		}
	}
	return from, len(s)
}

// endsValue reports whether an unquoted value ends at i. Passwords may have commas and
// the like: those end it only before another name, a blank or the end.
func endsValue(s string, i int) bool {
	switch s[i] {
	case ' ', '\t', '\n', '\r', '"', '\'', '`', '|', '<', '>':
		return true
	case ',', ';', '&', '}', ')', ']':
		j := i + 1
		if j == len(s) || strings.IndexByte(" \t\n\"'},;)]", s[j]) >= 0 {
			return true
		}
		for j < len(s) && j-i <= nameMax && (isNameByte(s[j]) || s[j] == ' ') {
			j++
		}
		return j > i+1 && j < len(s) && (s[j] == '=' || s[j] == ':')
	}
	return false
}

// headerValue: a header's value reaches to the end of its line, or of the quotes
// around it; the scheme of an Authorization stays.
func headerValue(s string, from int, whole bool) (int, int) {
	to := len(s)
	end := "\r\n"
	if !whole {
		end = "\r\n\"'"
	}
	if n := strings.IndexAny(s[from:], end); n >= 0 {
		to = from + n
	}
	if blank := strings.IndexByte(s[from:to], ' '); blank > 0 && lettersOnly(s[from:from+blank]) {
		from += blank + 1
	}
	return from, to
}

// webhooks are URLs of which everything that follows is a secret.
var webhooks = []string{"hooks.slack.com/", "discord.com/api/webhooks/", "discordapp.com/api/webhooks/", "api.telegram.org/bot", "outlook.office.com/webhook/"}

// url masks the password in scheme://user:password@host; i is at ://.
func (r *pairReader) url(i int) {
	s := r.t.s
	from := i + len("://")
	end := r.toBlank(from)
	for _, w := range webhooks {
		if strings.HasPrefix(s[from:end], w) {
			r.mask(r.t, from+len(w), end)
			return
		}
	}
	host := from
	for host < end && strings.IndexByte("/?#", s[host]) < 0 {
		host++
	}
	at := strings.LastIndexByte(s[from:host], '@')
	colon := strings.IndexByte(s[from:host], ':')
	if at < 0 && colon >= 0 && !isPort(s[from+colon+1:host]) && s[from] != '[' {
		at = strings.LastIndexByte(s[from:end], '@') // its password has a slash
	}
	switch {
	case at <= 0:
	case colon >= 0 && colon < at:
		if !(r.t.nested && isReference(s[from+colon+1:from+at])) {
			r.mask(r.t, from+colon+1, from+at)
		}
	case strings.HasPrefix(s[max(0, i-5):i], "http") || strings.HasSuffix(s[:i], "http") || strings.HasSuffix(s[:i], "https"):
		if looksRandom(s[from:from+at]) && at >= 10 {
			r.mask(r.t, from, from+at)
		}
	}
}

// toBlank is where what holds no blank or quote ends.
func (r *pairReader) toBlank(from int) int {
	if from >= r.blank {
		r.blank = len(r.t.s)
		if n := strings.IndexAny(r.t.s[from:], " \t\r\n\"'`<>|"); n >= 0 {
			r.blank = from + n
		}
	}
	return r.blank
}

func isPort(s string) bool {
	return strings.Trim(s, "0123456789") == ""
}

// userinfo masks the password in user:password@host without a scheme, and in
// user:password@tcp(host:1). An image with a digest (app:v1@sha256:…) looks alike.
func (r *pairReader) userinfo(from, colon int) {
	s := r.t.s
	if from == colon || from > 0 && strings.IndexByte(" \t\n\"'=", s[from-1]) < 0 {
		return
	}
	end := r.toBlank(colon + 1)
	at := strings.LastIndexByte(s[colon+1:end], '@')
	if at < 3 {
		return
	}
	password, host := s[colon+1:colon+1+at], s[colon+1+at+1:end]
	if strings.HasPrefix(host, "sha256:") || host == "" || !lettersOnly(host[:1]) || strings.ContainsAny(password, "/:") {
		return
	}
	if strings.ContainsAny(host, ".:(") || strings.HasPrefix(host, "localhost") {
		r.mask(r.t, colon+1, colon+1+at)
	}
}
