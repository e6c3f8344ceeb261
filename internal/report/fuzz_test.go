// SPDX-License-Identifier: Apache-2.0

package report_test

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sigtrace/sigtrace/internal/fuzzing"
	"github.com/sigtrace/sigtrace/internal/fuzzing/replayed"
	"github.com/sigtrace/sigtrace/internal/output"
	"github.com/sigtrace/sigtrace/internal/postmortem"
	"github.com/sigtrace/sigtrace/internal/report"
)

// Whatever an agent's files hold, sigtrace why and sigtrace report end. Besides
// the bytes, one value of one line is altered: n and how say which.
func FuzzHistory(f *testing.F) {
	for _, text := range journals(f) {
		f.Add(text, uint32(0), uint8(1))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte, n uint32, how uint8) {
		if err := os.WriteFile(filepath.Join(dir, "events.jsonl"), fuzzing.AlterLine(text, n, how), 0o600); err != nil {
			t.Fatal(err)
		}
		now := time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)
		h, err := postmortem.Read([]string{dir}, postmortem.Query{}, now)
		if err != nil {
			t.Fatalf("the files could not be read: %v", err)
		}
		var account strings.Builder
		for _, past := range h.Deaths {
			if err := output.WriteAccount(&account, past.Death, past.Before, output.Options{UTC: true, MaskArgs: true, Width: 80}); err != nil {
				t.Fatal(err)
			}
			_ = output.EncodeLine(io.Discard, past.Death) // a time may be beyond what JSON takes
		}
		if err := report.Write(io.Discard, h, report.Options{Made: now, UTC: true, MaskArgs: true}); err != nil {
			t.Fatal(err)
		}
		if len(h.Deaths) > 0 {
			fuzzing.Outcome(f.Name(), account.String())
		}
	})
}

// journals are an agent's files, as it would have written them where the golden
// recordings were made.
func journals(t testing.TB) [][]byte {
	recordings, err := replayed.Excerpts("../../testdata/replay")
	if err != nil {
		t.Fatal(err)
	}
	var all [][]byte
	for name, text := range recordings {
		if !strings.HasPrefix(name, "TestDocker") && !strings.HasPrefix(name, "TestContainer") && !strings.HasPrefix(name, "TestPod") && !strings.HasSuffix(name, "3") {
			continue
		}
		written, err := replayed.Replay(t.Context(), text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all = append(all, []byte(written))
	}
	slices.SortFunc(all, func(a, b []byte) int { return len(a) - len(b) })
	return all
}
