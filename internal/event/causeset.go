// SPDX-License-Identifier: Apache-2.0

package event

import (
	"fmt"
	"slices"
	"strings"
)

// CauseSet chooses deaths by their cause; an empty one chooses all. It has an entry
// for each cause of the table that it decides about, and under "" what becomes of
// causes that this version does not know, as records of a later one may have.
type CauseSet map[Cause]bool

// Has reports whether deaths of this cause are chosen.
func (s CauseSet) Has(c Cause) bool {
	chosen, known := s[c]
	if !known {
		chosen = s[""]
	}
	return chosen || len(s) == 0
}

// ParseCauses reads what --cause takes: causes (cgroup_oom), groups of them (oom),
// and either with ! before it, which leaves it out. Where all words leave something
// out, the rest is chosen. An error names the word that is neither, and what there
// is to choose from.
func ParseCauses(words []string) (CauseSet, error) {
	if len(words) == 0 {
		return nil, nil
	}
	s := CauseSet{}
	if !slices.ContainsFunc(words, func(w string) bool { return !strings.HasPrefix(w, "!") }) {
		s[""] = true
		for _, r := range causeTable {
			s[r.Cause] = true
		}
	}
	for _, excluding := range []bool{false, true} { // what is left out goes last, wherever it stands
		for _, w := range words {
			name, not := strings.CutPrefix(w, "!")
			if not != excluding {
				continue
			}
			causes := causesNamed(name)
			if len(causes) == 0 {
				return nil, fmt.Errorf("no cause or group %q: choose from the groups %s or the causes %s", name, joinWords(causeGroups()), joinWords(Causes()))
			}
			for _, c := range causes {
				s[c] = !not
			}
		}
	}
	return s, nil
}

// causesNamed are the causes that a word names: one, or those of a group.
func causesNamed(word string) []Cause {
	var list []Cause
	for _, r := range causeTable {
		if string(r.Cause) == word || string(r.Group) == word {
			list = append(list, r.Cause)
		}
	}
	return list
}

// CauseWords lists the words that --cause accepts, groups first; each may have a !
// before it.
func CauseWords() []string {
	var words []string
	for _, g := range causeGroups() {
		words = append(words, string(g))
	}
	for _, c := range Causes() {
		words = append(words, string(c))
	}
	return words
}

// causeGroups are the groups in the order of the table, without that of the one
// unknown cause, which has the same name.
func causeGroups() []CauseGroup {
	var list []CauseGroup
	for _, r := range causeTable {
		if r.Group != GroupUnknown && !slices.Contains(list, r.Group) {
			list = append(list, r.Group)
		}
	}
	return list
}

func joinWords[T ~string](list []T) string {
	words := make([]string, len(list))
	for i, w := range list {
		words[i] = string(w)
	}
	return strings.Join(words, ", ")
}
