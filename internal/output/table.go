// SPDX-License-Identifier: Apache-2.0

package output

import (
	"bufio"
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/phrase"
	"github.com/sigtrace/sigtrace/internal/safetext"
)

// foldWindow is how long a line waits for more of the same act.
const foldWindow = 100 * time.Millisecond

// tablePrinter prints for people: one line an act, the ancestry of who did it
// as a tree below.
type tablePrinter struct {
	w    *bufio.Writer
	o    Options
	wide bool
	head bool
	// watching: it has been said what is watched.
	watching bool
	held     []*fold
	drawn    map[processID]time.Time
	colour   palette
	alike    map[alikeKey]*alike
	seen     summary
}

func newTable(w *bufio.Writer, o Options, wide bool) *tablePrinter {
	return &tablePrinter{w: w, o: o, wide: wide, drawn: map[processID]time.Time{}, colour: newPalette(o.Color), alike: map[alikeKey]*alike{}, seen: summary{deaths: map[event.Cause]int{}}}
}

func (t *tablePrinter) Print(e event.Event) error {
	switch e := e.(type) {
	case *event.Signal:
		t.fold(e)
		return nil
	case *event.OOM:
		t.unfold(e)
	}
	// What came before is printed before.
	if err := t.release(t.o.Now().Add(foldWindow)); err != nil {
		return err
	}
	return t.line(e)
}

func (t *tablePrinter) line(e event.Event) error {
	t.seen.note(e)
	var lines []string
	switch e := e.(type) {
	case *event.OOM:
		lines = t.oomLines(e)
	case *event.Exit:
		lines = t.exitLines(e)
	case *event.Death:
		lines = t.deathLines(e)
	case *event.Stuck:
		lines = t.stuckLines(e)
	case *event.Lost:
		lines = t.lostLines(e)
	case *event.Status:
		lines = t.statusLines(e)
	}
	return t.write(lines)
}

// lostLines say what was dropped and what that means for what follows.
func (t *tablePrinter) lostLines(e *event.Lost) []string {
	lane, what := "", "deaths and signals may be missing"
	if e.Lane == "routine" {
		lane, what = "low-priority ", "ancestry and routine signals may be incomplete"
	}
	if e.Folded > 0 {
		what = "its own deaths and signals may be missing"
		lane += "event"
		whose := phrase.Container(&event.Process{Container: e.Container})
		if whose == "" {
			whose = safetext.Quote(cmp.Or(e.Cgroup, "a cgroup that is gone"))
		}
		text := fmt.Sprintf("%s  %s of %s dropped (too many at once): %s", t.time(e.Time), phrase.Count(int(e.Count), lane), whose, what)
		return []string{t.colour.loud(t.cutEnd(text))}
	}
	text := fmt.Sprintf("%s  %s dropped (%s): %s", t.time(e.Time), phrase.Count(int(e.Count), lane+"event"), strings.ReplaceAll(e.Reason, "_", " "), what)
	return []string{t.colour.loud(t.cutEnd(text))}
}

func (t *tablePrinter) write(lines []string) error {
	for _, l := range lines {
		if _, err := t.w.WriteString(l + "\n"); err != nil {
			return fmt.Errorf("write: %w", err)
		}
	}
	return nil
}

func (t *tablePrinter) Tick(now time.Time) error {
	if err := t.release(now); err != nil {
		return err
	}
	return t.write(t.countedAlike(now, false))
}

func (t *tablePrinter) Flush() error {
	if err := t.w.Flush(); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

func (t *tablePrinter) Close() error {
	if err := t.release(t.o.Now().Add(foldWindow)); err != nil {
		return err
	}
	lines := t.countedAlike(t.o.Now(), true)
	if t.o.Width > 0 && t.watching {
		for _, l := range wrapped(t.seen.text(), t.o.Width) {
			lines = append(lines, t.colour.dim(l))
		}
	}
	if err := t.write(lines); err != nil {
		return err
	}
	return t.Flush()
}

func (t *tablePrinter) time(at time.Time) string {
	if t.o.UTC {
		at = at.UTC()
	} else {
		at = at.Local()
	}
	if t.wide {
		return at.Format("2006-01-02T15:04:05.000000Z07:00")
	}
	return at.Format("15:04:05.000")
}
