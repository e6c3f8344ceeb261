// SPDX-License-Identifier: Apache-2.0

package safetext

import "strings"

// script reads a text as a shell does and masks each of its commands.
func (m *masker) script(t *text) {
	r := scriptReader{m: m, t: t, words: m.words[m.depth][:0]}
	m.words[m.depth] = nil
	for r.i < len(t.s) {
		r.step()
	}
	r.endCommand()
	clear(r.words[:cap(r.words)])
	m.words[m.depth] = r.words
}

// scriptReader parts a script into commands of words.
type scriptReader struct {
	m     *masker
	t     *text
	i     int
	words []text
	word  wordReader
}

// wordReader gathers the bytes of a word: as a range of the script as long as
// they are contiguous, else with each byte's place.
type wordReader struct {
	from, n       int
	bytes         []byte
	at            []int
	begun, quoted bool
	scattered     bool
}

// plainBytes are the bytes that are nothing special in a script.
var plainBytes = func() (is [256]bool) {
	for c := range is {
		is[c] = strings.IndexByte("'\"\\ \t\r<>\n;|&()$`", byte(c)) < 0
	}
	return is
}()

func (r *scriptReader) step() {
	s := r.t.s
	if w := &r.word; !w.scattered && (w.n == 0 || r.i == w.from+w.n) {
		from := r.i
		for r.i < len(s) && plainBytes[s[r.i]] {
			r.i++
		}
		if r.i > from {
			if w.n == 0 {
				w.from = from
			}
			w.n += r.i - from
			w.begun = true
			return
		}
	}
	switch c := s[r.i]; c {
	case '\'':
		r.singleQuoted()
	case '"':
		r.doubleQuoted()
	case '\\':
		r.i++
		if r.i < len(s) && s[r.i] != '\n' {
			r.keep()
		} else {
			r.i++
		}
	case ' ', '\t', '\r', '<', '>':
		r.endWord()
		r.i++
	case '\n', ';', '|', '&', '(', ')':
		r.endCommand()
		r.i++
	case '$', '`':
		if !r.substitution() {
			r.keep()
		}
	default:
		r.keep()
	}
}

// keep adds the byte at hand to the word.
func (r *scriptReader) keep() {
	w := &r.word
	w.begun = true
	switch {
	case w.n == 0:
		w.from = r.i
	case !w.scattered && r.i != w.from+w.n:
		w.scattered = true
		w.bytes = append([]byte(nil), r.t.s[w.from:w.from+w.n]...)
		w.at = make([]int, 0, 2*w.n)
		for i := range w.n {
			w.at = append(w.at, r.t.source(w.from+i))
		}
	}
	if w.scattered {
		w.bytes = append(w.bytes, r.t.s[r.i])
		w.at = append(w.at, r.t.source(r.i))
	}
	w.n++
	r.i++
}

func (r *scriptReader) singleQuoted() {
	r.word.begun, r.word.quoted = true, true
	for r.i++; r.i < len(r.t.s) && r.t.s[r.i] != '\''; {
		r.keep()
	}
	r.i++
}

func (r *scriptReader) doubleQuoted() {
	s := r.t.s
	r.word.begun, r.word.quoted = true, true
	for r.i++; r.i < len(s) && s[r.i] != '"'; {
		if s[r.i] == '\\' && r.i+1 < len(s) && strings.IndexByte("\"\\$`", s[r.i+1]) >= 0 {
			r.i++
			r.keep()
			continue
		}
		if (s[r.i] == '$' || s[r.i] == '`') && r.substitution() {
			continue
		}
		r.keep()
	}
	r.i++
}

// substitution reads $(…) or `…`: a script of its own, and part of the word.
func (r *scriptReader) substitution() bool {
	s := r.t.s
	from, end := r.i+1, 0
	switch {
	case s[r.i] == '`':
		end = len(s)
		if n := strings.IndexByte(s[from:], '`'); n >= 0 {
			end = from + n
		}
	case strings.HasPrefix(s[r.i:], "$("):
		from++
		end = closing(s, from)
	default:
		return false
	}
	if r.m.depth < depthMax {
		r.m.depth++
		inner := r.t.sub(from, end)
		r.m.script(&inner)
		r.m.depth--
	}
	for to := min(end+1, len(s)); r.i < to; {
		r.keep()
	}
	return true
}

// closing finds the parenthesis that closes one opened before from.
func closing(s string, from int) int {
	open := 1
	for i := from; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '\'':
			n := strings.IndexByte(s[i+1:], '\'')
			if n < 0 {
				return len(s)
			}
			i += n + 1
		case '(':
			open++
		case ')':
			if open--; open == 0 {
				return i
			}
		}
	}
	return len(s)
}

func (r *scriptReader) endWord() {
	if !r.word.begun {
		return
	}
	w := r.word
	r.word = wordReader{}
	word := r.t.sub(w.from, w.from+w.n)
	if w.scattered {
		word.s, word.at = string(w.bytes), w.at
	}
	word.nested, word.quoted = true, w.quoted || w.scattered
	r.words = append(r.words, word)
}

func (r *scriptReader) endCommand() {
	r.endWord()
	if len(r.words) > 0 {
		r.m.command(r.words)
		r.words = r.words[:0]
	}
}
