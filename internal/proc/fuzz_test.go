// SPDX-License-Identifier: Apache-2.0

package proc

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/sigtrace/sigtrace/internal/fuzzing"
)

// Whatever the list of symbols holds, an address lies in a wanted function or in
// none. The seed is an excerpt of a real list.
func FuzzKallsyms(f *testing.F) {
	text, err := os.ReadFile("testdata/kallsyms")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text, uint64(0xffffffff81000000))
	f.Add(text[:len(text)/8], uint64(0xffffffff81ffffff))
	wanted := func(name string) bool { return strings.Contains(name, "sig") || strings.Contains(name, "oom") }
	f.Fuzz(func(t *testing.T, text []byte, address uint64) {
		s, err := ReadSymbols(bytes.NewReader(text), wanted)
		if err != nil {
			return
		}
		for _, at := range append([]uint64{0, address, ^uint64(0)}, s.starts...) {
			if name := s.Find(at); name != "" && !wanted(name) {
				t.Errorf("%#x lies in %q", at, name)
			}
		}
		for i, name := range s.names {
			if s.starts[i] >= s.ends[i] && s.starts[i] != ^uint64(0) {
				t.Errorf("%s from %#x to %#x", name, s.starts[i], s.ends[i])
			}
		}
		fuzzing.Outcome(f.Name(), s.names, s.Find(address))
	})
}
