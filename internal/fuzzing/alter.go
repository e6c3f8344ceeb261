// SPDX-License-Identifier: Apache-2.0

// Package fuzzing holds what the fuzz targets of several packages share. Only
// tests import it.
package fuzzing

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Alterations is how many ways there are to alter one value of a JSON document.
const Alterations = 7

// site is one value of a document, with what replaces or removes it.
type site struct {
	// path is its keys, with * for an element of a list.
	path   string
	value  any
	set    func(any)
	remove func()
}

// Paths lists the key paths of all values of a JSON document, outermost first;
// nil for what is not JSON. The n-th of them is what Alter calls n.
func Paths(doc []byte) []string {
	v, ok := decode(doc)
	if !ok {
		return nil
	}
	var paths []string
	for _, s := range sites(v) {
		paths = append(paths, s.path)
	}
	return paths
}

// Alter returns a JSON document with its n-th value altered in one of the
// Alterations: removed, null, emptied, of another type, or extreme. Bytes that a
// fuzzer flips seldom leave valid JSON; this always does. Both numbers wrap
// around; what is not a JSON object or list comes back as it is.
func Alter(doc []byte, n uint32, how uint8) []byte {
	v, ok := decode(doc)
	if !ok {
		return doc
	}
	all := sites(v)
	if len(all) == 0 {
		return doc
	}
	s := all[n%uint32(len(all))]
	if how %= Alterations; how == 0 {
		s.remove()
	} else {
		s.set(altered(s.value, how))
	}
	return encode(v, doc)
}

// AlterLine alters one of many JSON lines, as Alter does.
func AlterLine(text []byte, n uint32, how uint8) []byte {
	lines := bytes.SplitAfter(text, []byte("\n"))
	count := uint32(len(lines))
	at := n % count
	line := bytes.TrimSuffix(lines[at], []byte("\n"))
	rest := lines[at][len(line):]
	lines[at] = append(bytes.Clone(Alter(line, n/count, how)), rest...)
	return bytes.Join(lines, nil)
}

func decode(doc []byte) (any, bool) {
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	var v any
	err := d.Decode(&v)
	return v, err == nil
}

func encode(v any, doc []byte) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		return doc
	}
	return b
}

// sites finds all values below the document itself.
func sites(v any) []site {
	var all []site
	below(v, "", func(any) {}, &all)
	return all
}

func below(v any, path string, set func(any), all *[]site) {
	add := func(s site) {
		*all = append(*all, s)
		below(s.value, s.path, s.set, all)
	}
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			add(site{path + "." + key, v[key], func(to any) { v[key] = to }, func() { delete(v, key) }})
		}
	case []any:
		for i := range v {
			without := func() { set(slices.Delete(slices.Clone(v), i, i+1)) }
			add(site{path + ".*", v[i], func(to any) { v[i] = to }, without})
		}
	}
}

// altered is another value in the place of v.
func altered(v any, how uint8) any {
	if how == 1 {
		return nil
	}
	others := alternatives(v)
	return others[int(how-2)%len(others)]
}

// alternatives are the values that take the place of one of v's type: an empty
// one, one of another type, and extreme ones.
func alternatives(v any) []any {
	switch v := v.(type) {
	case string:
		return []any{"", json.Number("1"), strings.Repeat("x", 300) + "\x1b\u202e", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"}
	case json.Number:
		return []any{json.Number("0"), "x", json.Number("-1"), json.Number("9223372036854775807"), json.Number("65")}
	case bool:
		return []any{!v, []any{}, json.Number("1"), "x", map[string]any{}}
	case []any:
		return []any{[]any{}, map[string]any{}, []any{nil}, slices.Concat(v, v), "x"}
	case map[string]any:
		return []any{map[string]any{}, []any{}, map[string]any{"": nil}, "x", []any{v}}
	}
	return []any{map[string]any{}, []any{}, "x", json.Number("1"), true}
}
