// SPDX-License-Identifier: Apache-2.0

package output

import (
	"fmt"
	"strings"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/phrase"
)

const (
	// alikeWithin is how long after the last one a death counts as more of the same.
	alikeWithin = 2 * time.Second
	// alikeMax bounds how long more of the same stays uncounted on the screen.
	alikeMax = 10 * time.Second
	// alikeGroups bounds the groups that are remembered.
	alikeGroups = 256
)

// alikeKey is what deaths that are one story have in common: the same cause and
// actor, and the same kind of process.
type alikeKey struct {
	cause     event.Cause
	actor     processID
	by        string
	comm      string
	container string
}

// alike are deaths after the first one of their kind.
type alike struct {
	first, last time.Time // when they were printed, by the printer's clock
	death       *event.Death
	count       int
	pids        []int
}

func keyOf(d *event.Death) alikeKey {
	k := alikeKey{cause: d.Cause, actor: idOf(d.Actor), by: d.RequestedBy, comm: d.Process.Comm}
	if d.Process.Container != nil {
		k.container = d.Process.Container.ID
	}
	return k
}

// isMore reports whether a death is one more of a kind that was shown just before;
// it is counted then.
func (t *tablePrinter) isMore(d *event.Death) bool {
	now, k := t.o.Now(), keyOf(d)
	if g := t.alike[k]; g != nil && now.Sub(g.last) < alikeWithin && d.Revision <= 1 {
		g.last = now
		g.count++
		if len(g.pids) < 5 {
			g.pids = append(g.pids, d.Process.PID)
		}
		return true
	}
	if len(t.alike) >= alikeGroups {
		clear(t.alike)
	}
	t.alike[k] = &alike{first: now, last: now, death: d}
	return false
}

// countedAlike returns a line for each group that has come to its end, or has gone
// uncounted for too long.
func (t *tablePrinter) countedAlike(now time.Time, all bool) []string {
	var lines []string
	for k, g := range t.alike {
		over := now.Sub(g.last) >= alikeWithin
		if g.count > 0 && (all || over || now.Sub(g.first) >= alikeMax) {
			lines = append(lines, t.colour.dim(t.cutEnd(t.time(g.death.Time)+"  "+g.text())))
			g.first, g.count, g.pids = now, 0, nil
		}
		if over {
			delete(t.alike, k)
		}
	}
	return lines
}

// text is "39 more deaths like that of sleep(3): foreign_process (pids 4, 5, …)".
func (g *alike) text() string {
	var pids []string
	for _, p := range g.pids {
		if p >= 0 {
			pids = append(pids, fmt.Sprint(p))
		}
	}
	if g.count > len(g.pids) {
		pids = append(pids, "…")
	}
	return fmt.Sprintf("%s like that of %s: %s (pids %s)", phrase.Count(g.count, "more death"), named(g.death.Process), g.death.Cause, strings.Join(pids, ", "))
}
