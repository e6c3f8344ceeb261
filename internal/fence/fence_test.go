// SPDX-License-Identifier: Apache-2.0

package fence

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func id(n int) func() string { return func() string { return fmt.Sprint("death ", n) } }

func planted() { panic("planted") }

func TestCatches(t *testing.T) {
	var log bytes.Buffer
	f := New(Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	after := false
	if f.Run(id(7), planted) {
		t.Error("a panic counts as success")
	}
	if !f.Run(id(8), func() { after = true }) || !after {
		t.Error("what follows does not run")
	}
	if f.Count() != 1 || f.Err() != nil {
		t.Errorf("%d caught, %v", f.Count(), f.Err())
	}
	for _, want := range []string{"level=ERROR", `id="death 7"`, "panic=planted", "fence_test.go"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %s: %s", want, &log)
		}
	}
	if strings.Contains(log.String(), "death 8") {
		t.Error("what went well is logged")
	}
}

// An id that panics itself costs nothing more.
func TestUnreadableID(t *testing.T) {
	f := New(Options{Log: slog.New(slog.DiscardHandler)})
	if f.Run(func() string { panic("no id either") }, planted) || f.Count() != 1 {
		t.Errorf("%d caught", f.Count())
	}
}

// Ten within a minute end the run; nine, or ten that take longer, do not.
func TestLimit(t *testing.T) {
	for name, c := range map[string]struct {
		apart time.Duration
		n     int
		ends  bool
	}{
		"nine at once":             {0, 9, false},
		"ten at once":              {0, 10, true},
		"ten within a minute":      {6 * time.Second, 10, true},
		"ten in over a minute":     {7 * time.Second, 10, false},
		"a hundred, slowly":        {10 * time.Second, 100, false},
		"slow ones do not pile up": {time.Hour, 30, false},
	} {
		t.Run(name, func(t *testing.T) {
			clock := time.Unix(0, 0)
			f := New(Options{Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return clock }})
			for n := range c.n {
				f.Run(id(n), planted)
				clock = clock.Add(c.apart)
			}
			if err := f.Err(); (err != nil) != c.ends {
				t.Errorf("ends with %v", err)
			} else if err != nil && !strings.Contains(err.Error(), fmt.Sprint("death ", c.n-1)) {
				t.Errorf("the last id is not named: %v", err)
			}
			if f.Count() != uint64(c.n) {
				t.Errorf("%d counted", f.Count())
			}
		})
	}
}

func TestNilFenceCatchesNothing(t *testing.T) {
	var f *Fence
	defer func() {
		if recover() == nil {
			t.Error("caught")
		}
	}()
	if !f.Run(id(1), func() {}) || f.Err() != nil || f.Count() != 0 {
		t.Error("a nil fence does more than call")
	}
	f.Run(id(1), planted)
}
