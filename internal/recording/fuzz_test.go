// SPDX-License-Identifier: Apache-2.0

package recording_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/sigtrace/sigtrace/internal/fuzzing"
	"github.com/sigtrace/sigtrace/internal/fuzzing/replayed"
)

// Whatever a recording holds, its replay through the verdicts and all printers
// ends, and what it prints is JSON, line by line. Besides the bytes, one value of
// one line is altered: n and how say which.
func FuzzReplay(f *testing.F) {
	recordings, err := replayed.Excerpts("../../testdata/replay")
	if err != nil {
		f.Fatal(err)
	}
	for name, text := range recordings {
		if strings.HasPrefix(name, "Test") && !strings.HasPrefix(name, "TestZoo") || strings.HasSuffix(name, "7") {
			f.Add(text, uint32(0), uint8(1))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte, n uint32, how uint8) {
		out, _ := replayed.Replay(t.Context(), fuzzing.AlterLine(text, n, how))
		for line := range strings.Lines(out) {
			if !json.Valid([]byte(line)) {
				t.Fatalf("not JSON: %q", line)
			}
		}
		fuzzing.Outcome(f.Name(), out)
	})
}
