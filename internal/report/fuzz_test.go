// SPDX-License-Identifier: Apache-2.0

package report_test

import (
	"bytes"
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
		if accounts := explain(t, dir, fuzzing.AlterLine(text, n, how)); accounts != "" {
			fuzzing.Outcome(f.Name(), accounts)
		}
	})
}

// The same, for each key that the files of the golden recordings have and each
// way to alter its value.
func TestAlteredHistory(t *testing.T) {
	dir, tried, explained := t.TempDir(), map[string]bool{}, 0
	for _, text := range journals(t) {
		lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
		for i, line := range lines {
			for n, path := range fuzzing.Paths(line) {
				if tried[path] {
					continue
				}
				tried[path] = true
				for how := range uint8(fuzzing.Alterations) {
					altered := slices.Clone(lines)
					altered[i] = fuzzing.Alter(line, uint32(n), how)
					if explain(t, dir, bytes.Join(altered, []byte("\n"))) != "" {
						explained++
					}
				}
			}
		}
	}
	t.Logf("%d keys, %d histories with deaths", len(tried), explained)
	if len(tried) < 150 || explained < len(tried) {
		t.Errorf("too little was tried: %d keys, %d histories with deaths", len(tried), explained)
	}
}

// explain does with an agent's file what sigtrace why and sigtrace report do, and
// returns the accounts of its deaths.
func explain(t testing.TB, dir string, text []byte) string {
	if err := os.WriteFile(filepath.Join(dir, "events.jsonl"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)
	h, err := postmortem.Read([]string{dir}, postmortem.Query{}, now)
	if err != nil {
		t.Fatalf("the files could not be read: %v", err)
	}
	var accounts strings.Builder
	for _, past := range h.Deaths {
		if err := output.WriteAccount(&accounts, past.Death, past.Before, output.Options{UTC: true, MaskArgs: true, Width: 80}); err != nil {
			t.Fatal(err)
		}
		_ = output.EncodeLine(io.Discard, past.Death) // a time may be beyond what JSON takes
	}
	if err := report.Write(io.Discard, h, report.Options{Made: now, UTC: true, MaskArgs: true}); err != nil {
		t.Fatal(err)
	}
	return accounts.String()
}

// journalMax is the size in bytes up to which a journal is worth fuzzing.
const journalMax = 16 << 10

// journals are an agent's files, as it would have written them where the golden
// recordings were made.
func journals(t testing.TB) [][]byte {
	recordings, err := replayed.Excerpts("../../testdata/replay")
	if err != nil {
		t.Fatal(err)
	}
	var all [][]byte
	for name, text := range recordings {
		if !strings.HasPrefix(name, "Test") && !strings.HasSuffix(name, "5") {
			continue // a tenth of the large ones is enough
		}
		written, err := replayed.Replay(t.Context(), text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(written) < journalMax {
			all = append(all, []byte(written))
		}
	}
	slices.SortFunc(all, func(a, b []byte) int { return len(a) - len(b) })
	return all
}
