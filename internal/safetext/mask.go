// SPDX-License-Identifier: Apache-2.0

package safetext

import (
	"strings"
	"sync"
)

// Mask replaces the secrets in a command line by ***: the values of options,
// variables, headers and fields whose name says that they are secret, the arguments
// that certain programs take for passwords, passwords in URLs, private keys and
// tokens of a known form. Scripts within an argument (sh -c "…") are read as a shell
// reads them. It returns args itself where there is nothing to hide, and never
// writes to it.
func Mask(args []string) []string {
	m := maskers.Get().(*masker)
	words := m.words[0][:0]
	for i, a := range args {
		words = append(words, text{s: a, arg: i})
	}
	m.command(words)
	out := m.apply(args)
	// What is kept for the next call holds no argument back from the collector.
	clear(words[:cap(words)])
	m.words[0], m.hide = words[:0], m.hide[:0]
	maskers.Put(m)
	return out
}

var maskers = sync.Pool{New: func() any { return new(masker) }}

// inside masks what a word holds apart from its place in a command line.
func (m *masker) inside(t *text, isScript bool) {
	// What is a plain word of a script has been searched with the script, and has
	// no blanks but in substitutions, which are scripts that have been read.
	if t.nested && !t.quoted {
		return
	}
	m.pairs(t)
	m.tokens(t)
	if m.depth < depthMax && (isScript || strings.ContainsAny(t.s, " \t\n")) {
		m.depth++
		m.script(t)
		m.depth--
	}
}
