// SPDX-License-Identifier: Apache-2.0

package output_test

import (
	"bytes"
	"compress/gzip"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/output"
	"github.com/sigtrace/sigtrace/internal/pipeline"
	"github.com/sigtrace/sigtrace/internal/recording"
	"github.com/sigtrace/sigtrace/internal/verdict"
)

var update = flag.Bool("update", false, "write the golden screens anew")

// clock is the recording's time, by which the table folds.
type clock struct {
	*recording.Reader
	now time.Time
}

func (c *clock) Next() (event.Event, uint64, error) {
	e, seen, err := c.Reader.Next()
	if e != nil && e.Common().Time.After(c.now) {
		c.now = e.Common().Time
	}
	return e, seen, err
}

// screen is what a terminal of that width shows of a recording of a cluster.
func screen(t *testing.T, width int) string {
	t.Helper()
	f, err := os.Open("../../testdata/replay/kube-1.34.jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	r, err := recording.NewReader(z)
	if err != nil {
		t.Fatal(err)
	}
	c := &clock{Reader: r}
	var b bytes.Buffer
	p, err := output.New("table", &b, output.Options{UTC: true, Headers: true, Width: width, MaskArgs: true, Now: func() time.Time { return c.now }})
	if err != nil {
		t.Fatal(err)
	}
	engine := verdict.New(r.Options())
	r.HandLog(engine.KernelLog)
	r.HandFacts(engine.Fact)
	types := map[event.Type]bool{event.TypeSignal: true, event.TypeOOM: true, event.TypeDeath: true, event.TypeStuck: true}
	if err := pipeline.Replay(t.Context(), c, p, pipeline.Options{Filter: pipeline.Filter{Types: types}, Verdicts: engine}); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// What a terminal shows is held against golden screens at four widths. No line is
// longer than the terminal, and no cause is torn.
func TestScreens(t *testing.T) {
	for _, width := range []int{50, 60, 80, 100, 120} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			got := screen(t, width)
			for line := range strings.Lines(got) {
				if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > width && strings.Contains(strings.TrimSpace(line), " ") {
					t.Errorf("%d characters: %s", n, line)
				}
				if strings.Contains(line, " DEATH  ") && !strings.Contains(line, "(proven)") && !strings.Contains(line, "(likely)") && !strings.Contains(line, "(unknown)") {
					t.Errorf("the cause is torn: %s", line)
				}
			}
			golden := fmt.Sprintf("testdata/screens/%d.golden", width)
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
