// SPDX-License-Identifier: Apache-2.0

package safetext

import (
	"cmp"
	"slices"
	"strings"
)

const masked = "***"

// depthMax bounds scripts in scripts: sh -c "sh -c '…'". What is nested deeper is
// still searched for pairs of name and value.
const depthMax = 5

// text is part of an argument, as the program that gets it sees it: quotes and
// backslashes are gone.
type text struct {
	s   string
	arg int
	// from is where s begins in the argument; at, where s is not contiguous there,
	// has each byte's place.
	from int
	at   []int
	// nested: it is a word of a script. quoted: it had quotes there.
	nested, quoted bool
}

// source is a byte's place in the argument.
func (t *text) source(i int) int {
	if t.at != nil {
		return t.at[i]
	}
	return t.from + i
}

func (t *text) sub(from, to int) text {
	c := *t
	c.s = t.s[from:to]
	if t.at != nil {
		c.at = t.at[from:to]
	} else {
		c.from += from
	}
	return c
}

// hidden is what is masked of an argument.
type hidden struct{ arg, from, to int }

type masker struct {
	hide  []hidden
	depth int
	// words is room for those of a command, by depth.
	words [depthMax + 1][]text
}

func (m *masker) mask(t *text, from, to int) {
	if from < to {
		m.hide = append(m.hide, hidden{t.arg, t.source(from), t.source(to-1) + 1})
	}
}

// apply makes the masked arguments.
func (m *masker) apply(args []string) []string {
	if len(m.hide) == 0 {
		return args
	}
	slices.SortFunc(m.hide, func(a, b hidden) int {
		return cmp.Or(cmp.Compare(a.arg, b.arg), cmp.Compare(a.from, b.from))
	})
	out := slices.Clone(args)
	for i := 0; i < len(m.hide); {
		arg := m.hide[i].arg
		var b strings.Builder
		done := 0
		for i < len(m.hide) && m.hide[i].arg == arg {
			h := m.hide[i]
			for i++; i < len(m.hide) && m.hide[i].arg == arg && m.hide[i].from <= h.to; i++ {
				h.to = max(h.to, m.hide[i].to)
			}
			b.WriteString(args[arg][done:h.from])
			b.WriteString(masked)
			done = h.to
		}
		b.WriteString(args[arg][done:])
		out[arg] = b.String()
	}
	return out
}
