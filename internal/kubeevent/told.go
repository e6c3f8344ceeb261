// SPDX-License-Identifier: Apache-2.0

package kubeevent

// mark is what is remembered of an Event: which revision of its death has been
// told, and whether it went into one that stands for many, or into none.
type mark struct {
	revision int
	combined bool
}

// toldMax bounds what is remembered. A revision comes within seconds of its
// death; one whose first is forgotten is told by name all the same.
const toldMax = 4096

// told forgets the oldest first.
type told struct {
	marks map[string]mark
	order []string
}

func newTold() *told { return &told{marks: map[string]mark{}} }

func (t *told) get(key string) (mark, bool) {
	m, ok := t.marks[key]
	return m, ok
}

func (t *told) put(key string, m mark) {
	if _, ok := t.marks[key]; !ok {
		if len(t.order) >= toldMax {
			delete(t.marks, t.order[0])
			t.order = t.order[1:]
		}
		t.order = append(t.order, key)
	}
	t.marks[key] = m
}
