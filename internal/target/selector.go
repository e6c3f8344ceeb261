// SPDX-License-Identifier: Apache-2.0

package target

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// selector is a list of requirements that labels must all meet. It is the
// syntax of k8s.io/apimachinery/pkg/labels without its < and >.
type selector []requirement

// requirement is one of: key in values, key notin values, key exists, !key.
// The forms = == != are sets of one value.
type requirement struct {
	key string
	// values is nil where only the key's presence is asked for.
	values []string
	// negative is set for !=, notin and !key.
	negative bool
}

// matches treats a missing key as Kubernetes does: != and notin are met by it.
func (s selector) matches(labels map[string]string) bool {
	for _, r := range s {
		value, ok := labels[r.key]
		met := ok && (r.values == nil || slices.Contains(r.values, value))
		if met == r.negative {
			return false
		}
	}
	return true
}

// String prints it as it can be parsed again.
func (s selector) String() string {
	parts := make([]string, len(s))
	for i, r := range s {
		parts[i] = r.String()
	}
	return strings.Join(parts, ",")
}

func (r requirement) String() string {
	not := ""
	if r.negative {
		not = "!"
	}
	switch len(r.values) {
	case 0:
		return not + r.key
	case 1:
		return r.key + not + "=" + r.values[0]
	}
	if r.negative {
		not = "not"
	}
	return r.key + " " + not + "in (" + strings.Join(r.values, ",") + ")"
}

// parseSelector reads a selector; an empty text selects everything.
func parseSelector(text string) (selector, error) {
	if text == "" {
		return nil, nil
	}
	parts, err := splitSelector(text)
	if err != nil {
		return nil, err
	}
	var s selector
	for _, part := range parts {
		r, err := parseRequirement(strings.TrimSpace(part))
		if err != nil {
			return nil, err
		}
		s = append(s, r)
	}
	return s, nil
}

// splitSelector cuts at the commas that are not inside of (…).
func splitSelector(text string) ([]string, error) {
	var parts []string
	start, open := 0, false
	for i, c := range text {
		switch {
		case c == '(' && !open:
			open = true
		case c == ')' && open:
			open = false
		case c == '(' || c == ')':
			return nil, errors.New("the parentheses do not match")
		case c == ',' && !open:
			parts = append(parts, text[start:i])
			start = i + 1
		}
	}
	if open {
		return nil, errors.New("the parentheses do not match")
	}
	return append(parts, text[start:]), nil
}

func parseRequirement(part string) (requirement, error) {
	if part == "" {
		return requirement{}, errors.New("there is an empty requirement")
	}
	r, err := readRequirement(part)
	if err != nil {
		return requirement{}, err
	}
	if !isLabelKey(r.key) {
		return requirement{}, fmt.Errorf("%q is not a label key", r.key)
	}
	for _, v := range r.values {
		if v != "" && !isLabelName(v) {
			return requirement{}, fmt.Errorf("%q is not a label value", v)
		}
	}
	return r, nil
}

func readRequirement(part string) (requirement, error) {
	if list, ok := strings.CutSuffix(part, ")"); ok {
		return readSet(list)
	}
	if key, value, ok := strings.Cut(part, "!="); ok {
		return equality(key, value, true), nil
	}
	if key, value, ok := strings.Cut(part, "="); ok {
		return equality(key, strings.TrimPrefix(value, "="), false), nil
	}
	if key, ok := strings.CutPrefix(part, "!"); ok {
		return requirement{key: strings.TrimSpace(key), negative: true}, nil
	}
	return requirement{key: part}, nil
}

func equality(key, value string, negative bool) requirement {
	return requirement{
		key: strings.TrimSpace(key), values: []string{strings.TrimSpace(value)}, negative: negative,
	}
}

// readSet reads "key in (a,b" or "key notin (a,b".
func readSet(part string) (requirement, error) {
	head, list, _ := strings.Cut(part, "(")
	words := strings.Fields(head)
	if len(words) != 2 || (words[1] != "in" && words[1] != "notin") {
		return requirement{}, fmt.Errorf("%q: want KEY in (A,B) or KEY notin (A,B)", part+")")
	}
	r := requirement{key: words[0], negative: words[1] == "notin"}
	for v := range strings.SplitSeq(list, ",") {
		r.values = append(r.values, strings.TrimSpace(v))
	}
	return r, nil
}

// isLabelKey accepts [PREFIX/]NAME, the prefix being a DNS name.
func isLabelKey(s string) bool {
	prefix, name, ok := strings.Cut(s, "/")
	if !ok {
		return isLabelName(s)
	}
	return prefix != "" && isKubeName(prefix) && isLabelName(name)
}

// isLabelName is the form of a key's name and of a value: at most 63 of
// [A-Za-z0-9_.-], a letter or digit at both ends.
func isLabelName(s string) bool {
	if s == "" || len(s) > 63 || !isAlnum(rune(s[0])) || !isAlnum(rune(s[len(s)-1])) {
		return false
	}
	return onlyRunes(s, func(r rune) bool { return isAlnum(r) || strings.ContainsRune("-_.", r) })
}
