// SPDX-License-Identifier: Apache-2.0

package record

import (
	"compress/gzip"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/verdict"
)

var update = flag.Bool("update", false, "write the golden verdicts anew")

// What the zoo did in a guest was recorded there (internal/test/guest, group
// record); the whole table of verdicts is drawn again from it, without root.
func TestGoldenReplays(t *testing.T) {
	files, err := filepath.Glob("../../testdata/replay/*.jsonl.gz")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			got := strings.Join(replayed(t, file), "\n") + "\n"
			golden := strings.TrimSuffix(file, ".jsonl.gz") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// replayed is a line for each death in a recording.
func replayed(t *testing.T, file string) []string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewReader(z)
	if err != nil {
		t.Fatal(err)
	}
	engine := verdict.New(r.Options())
	r.HandLog(engine.KernelLog)
	r.HandFacts(engine.Fact)
	var lines []string
	for {
		e, seen, err := r.Next()
		if errors.Is(err, io.EOF) {
			return append(lines, deaths(engine.Flush())...)
		}
		if err != nil {
			t.Fatal(err)
		}
		switch e := e.(type) {
		case *event.Signal:
			engine.Signal(e)
		case *event.OOM:
			engine.OOM(e)
		case *event.Exit:
			engine.Exit(e)
		case *event.Lost:
			engine.Lost(e)
		case nil:
			lines = append(lines, deaths(engine.Due(seen))...)
		}
	}
}

func deaths(events []event.Event) []string {
	var lines []string
	for _, e := range events {
		if d, ok := e.(*event.Death); ok && d.Cause != event.CauseExited {
			lines = append(lines, fmt.Sprintf("%s %s %s %s: %s", d.ID, d.Cause, d.Confidence, d.Relation, d.Summary))
		}
	}
	return lines
}
