// SPDX-License-Identifier: Apache-2.0

package safetext

import "strings"

// tokenForm is what a service's tokens look like: a prefix and at least so many more
// letters, digits, hyphens and underscores.
type tokenForm struct {
	prefix string
	min    int
}

// tokenForms, by their first byte. The prefixes are those that the services
// document, so that leaked tokens are found.
var tokenForms = func() (by [256][]tokenForm) {
	for min, prefixes := range map[int]string{
		10: `ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ glpat- gldt- glrt- glcbt- glptt- glsoat- xoxb- xoxp- xoxa- xoxr- xoxs- xoxe- xapp-
			sk_live_ sk_test_ rk_live_ rk_test_ whsec_ shpat_ shpss_ shpca_ shppa_ sq0atp- sq0csp- sk-ant- sk-proj- sk-svcacct- hvs. hvb. hvr.
			dop_v1_ doo_v1_ dor_v1_ dckr_pat_ dckr_oat_ glsa_ glc_ lin_api_ NRAK- PMAK- sntrys_ sntryu_ tskey- figd_ AGE-SECRET-KEY- ATATT3
			pypi-AgEI ya29. sbp_ EAACEdEose0cBA vercel_ rubygems_ pul- nvapi- gsk_ xai-`,
		16: `AKIA ASIA ABIA ACCA LTAI SG. r8_`,
		30: `npm_ hf_ AIza dapi sk- key- FwoGZXIvYXdz`,
	} {
		for _, p := range strings.Fields(prefixes) {
			by[p[0]] = append(by[p[0]], tokenForm{p, min})
		}
	}
	return by
}()

const (
	keyBegin = "-----BEGIN "
	keyEnd   = "-----END "
	// jwtBegin is how {" looks in base64, with which each JSON Web Token begins.
	jwtBegin = "eyJ"
	jwtMin   = 10
)

// tokens masks what is a secret by its form alone.
func (m *masker) tokens(t *text) {
	s := t.s
	inWord, done := false, 0
	for i := range len(s) {
		c := s[i]
		wasInWord := inWord
		inWord = tokenBytes[c] && c != '-' && c != '_'
		if i < done || wasInWord || !tokenBytes[c] {
			continue
		}
		if c == '-' && strings.HasPrefix(s[i:], keyBegin) {
			m.privateKey(t, i)
		}
		for _, f := range tokenForms[c] {
			if strings.HasPrefix(s[i:], f.prefix) {
				if end := tokenEnd(s, i+len(f.prefix), "."); end-i-len(f.prefix) >= f.min && !isWords(s[i+len(f.prefix):end]) {
					m.mask(t, i, end)
					done = end
				}
			}
		}
		if c == 'e' && strings.HasPrefix(s[i:], jwtBegin) {
			if end := tokenEnd(s, i, ".=+/"); end-i >= jwtMin && strings.Contains(s[i:end], ".") {
				m.mask(t, i, end)
				done = end
			}
		}
	}
}

var tokenBytes = func() (is [256]bool) {
	for c := range is {
		b := byte(c)
		is[c] = b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '_' || b == '-'
	}
	return is
}()

func isTokenByte(c byte) bool { return tokenBytes[c] }

func tokenEnd(s string, i int, also string) int {
	for i < len(s) && (isTokenByte(s[i]) || strings.IndexByte(also, s[i]) >= 0) {
		i++
	}
	return i
}

// isWords: glsa_some-service-name is no token; those have digits or capitals.
func isWords(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' })
}

// privateKey masks a key in PEM, to its last line or, cut off, to the end.
func (m *masker) privateKey(t *text, i int) {
	head, _, _ := strings.Cut(t.s[i+len(keyBegin):], "-----")
	if !strings.Contains(head, "PRIVATE KEY") || len(head) > 40 {
		return
	}
	from := min(i+len(keyBegin)+len(head)+len("-----"), len(t.s))
	to := len(t.s)
	if n := strings.Index(t.s[from:], keyEnd); n >= 0 {
		to = from + n
	}
	m.mask(t, from, to)
}
