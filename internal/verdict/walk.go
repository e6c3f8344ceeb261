// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"slices"
)

const (
	// hopsMax bounds how many deaths or forwarders one cause is followed through;
	// real causal chains have three or four hops.
	hopsMax = 8
	// chainMax bounds the hops of a record: a death's hops begin with those of
	// the death that set it off, however many there were.
	chainMax = 12
)

// walk is the way from a death to the deaths that set it off. All recursion from
// one death to another goes through enter, so that no stream, however it was
// made, can send it in a circle or deeper than hopsMax.
type walk struct{ path []*story }

// enter takes one step; it answers false where the step would close a circle or
// be one too many. Whoever entered must leave.
func (w *walk) enter(st *story) bool {
	if len(w.path) >= hopsMax || slices.Contains(w.path, st) {
		return false
	}
	w.path = append(w.path, st)
	return true
}

func (w *walk) leave() { w.path = w.path[:len(w.path)-1] }

// begun reports whether a walk is under way.
func (w *walk) begun() bool { return len(w.path) > 0 }
