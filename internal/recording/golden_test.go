// SPDX-License-Identifier: Apache-2.0

package recording

import (
	"compress/gzip"
	"errors"
	"flag"
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

// What the zoo and the container tests did in a guest, and the scenarios in a
// cluster, was recorded (make record); every verdict is drawn again from it,
// without root. What was decided stands in .facts and how it is put in .prose, so
// that another wording changes no fact.
func TestGoldenReplays(t *testing.T) {
	files, err := filepath.Glob("../../testdata/replay/*.jsonl.gz")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			var facts, prose strings.Builder
			for _, d := range replayed(t, file) {
				facts.WriteString(factsOf(d) + "\n")
				prose.WriteString(proseOf(d) + "\n")
			}
			golden := strings.TrimSuffix(file, ".jsonl.gz")
			compareGolden(t, golden+".facts", facts.String())
			compareGolden(t, golden+".prose", prose.String())
		})
	}
}

// compareGolden holds a text against a file, or writes it there with -update.
func compareGolden(t *testing.T, golden, got string) {
	t.Helper()
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
		t.Errorf("%s (-update writes it anew):\n%s", golden, diff)
	}
}

// replayed are the death records of a recording, in the order in which they are
// emitted, without those of processes that exited.
func replayed(t *testing.T, file string) []*event.Death {
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
	var records []*event.Death
	for {
		e, seen, err := r.Next()
		if errors.Is(err, io.EOF) {
			return append(records, deaths(engine.Flush())...)
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
			records = append(records, deaths(engine.Due(seen))...)
		}
	}
}

func deaths(events []event.Event) []*event.Death {
	var records []*event.Death
	for _, e := range events {
		if d, ok := e.(*event.Death); ok && d.Cause != event.CauseExited {
			records = append(records, d)
		}
	}
	return records
}
