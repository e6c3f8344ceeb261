// SPDX-License-Identifier: Apache-2.0

package kubeevent

// mark is what is remembered of an Event: which revision of its death has been
// reported, and whether it went into one that stands for many, or into none.
type mark struct {
	revision int
	combined bool
}

// toldMax bounds what is remembered. A revision comes within seconds of its
// death; one whose first is forgotten is reported by name all the same.
const toldMax = 4096

// reported forgets the oldest first.
type reported struct {
	marks map[string]mark
	order []string
}

func newTold() *reported { return &reported{marks: map[string]mark{}} }

func (t *reported) get(key string) (mark, bool) {
	m, ok := t.marks[key]
	return m, ok
}

func (t *reported) put(key string, m mark) {
	if _, ok := t.marks[key]; !ok {
		if len(t.order) >= toldMax {
			delete(t.marks, t.order[0])
			t.order = t.order[1:]
		}
		t.order = append(t.order, key)
	}
	t.marks[key] = m
}
