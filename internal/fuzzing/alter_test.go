// SPDX-License-Identifier: Apache-2.0

package fuzzing

import (
	"encoding/json"
	"slices"
	"testing"
)

const document = `{"a":[{"b":1},"x"],"c":true}`

func TestPaths(t *testing.T) {
	if got, want := Paths([]byte(document)), []string{".a", ".a.*", ".a.*.b", ".a.*", ".c"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestAlter(t *testing.T) {
	for _, c := range []struct {
		n    uint32
		how  uint8
		want string
	}{
		{0, 0, `{"c":true}`},
		{1, 0, `{"a":["x"],"c":true}`},
		{2, 0, `{"a":[{},"x"],"c":true}`},
		{2, 1, `{"a":[{"b":null},"x"],"c":true}`},
		{2, 3, `{"a":[{"b":"x"},"x"],"c":true}`},
		{0, 4, `{"a":[null],"c":true}`},
		{4, 2, `{"a":[{"b":1},"x"],"c":false}`},
	} {
		if got := string(Alter([]byte(document), c.n, c.how)); got != c.want {
			t.Errorf("Alter(%d, %d) = %s, want %s", c.n, c.how, got, c.want)
		}
	}
}

// Whatever is altered, it is JSON again, and another document.
func TestAlterLeavesJSON(t *testing.T) {
	for n := range uint32(len(Paths([]byte(document)))) {
		for how := range uint8(Alterations) {
			if got := Alter([]byte(document), n, how); !json.Valid(got) || string(got) == document {
				t.Errorf("Alter(%d, %d) = %s", n, how, got)
			}
		}
	}
}

func TestAlterLine(t *testing.T) {
	text := "{\"a\":1}\n{\"b\":2}\n"
	if got, want := string(AlterLine([]byte(text), 1, 0)), "{\"a\":1}\n{}\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := string(AlterLine([]byte("no JSON"), 7, 3)); got != "no JSON" {
		t.Errorf("%q", got)
	}
}
