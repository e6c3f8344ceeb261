// SPDX-License-Identifier: Apache-2.0

package postmortem

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/output"
)

// Past is a death of the record, with what came before it where it happened.
type Past struct {
	Death  *event.Death
	Before []output.Moment
	// With are those that only go with it, where the query folds them.
	With output.With
}

// History is what the files of one node or many say.
type History struct {
	// Deaths are those that were asked for, newest first; More counts those
	// that were beyond the limit.
	Deaths []Past
	More   int
	// Beyond: there were more than can be held, and the oldest were let go of.
	Beyond bool
	Gaps   []Gap
	// Nodes are those that the files are of; From and Until what they span.
	Nodes       []string
	From, Until time.Time
	// BadLines could not be read.
	BadLines int
}

// historyFlight is how far back the story of a death goes.
const historyFlight = 5 * time.Minute

// deathsMax bounds what is held, whatever is asked for: where there are more, the
// newer half of them stays.
const deathsMax = 20_000

// reading collects a history.
type reading struct {
	q       Query
	h       *History
	newest  map[string]int // a death's id → where in h.Deaths
	nodes   map[string]bool
	now     time.Time
	gapList []Gap
}

// Read reads the log directories (or directories of such) and answers a query.
func Read(paths []string, q Query, now time.Time) (*History, error) {
	r := &reading{q: q, h: &History{}, newest: map[string]int{}, nodes: map[string]bool{}, now: now}
	for _, path := range paths {
		dirs, err := logDirs(path)
		if err != nil {
			return nil, explainPath(path, err)
		}
		for _, dir := range dirs {
			if err := r.directory(dir); err != nil {
				return nil, explainPath(dir, err)
			}
		}
	}
	r.finish()
	return r.h, nil
}

func explainPath(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s is not there: the agent writes it (sigtrace agent), or --log-dir names another one", path)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s may not be read: run as root (sudo sigtrace why), the files are root's alone", path)
	}
	return err
}

func (r *reading) directory(dir string) error {
	files, err := openJournals(dir)
	if err != nil {
		return err
	}
	defer closeAll(files)
	n := &nodeReading{reading: r, flight: NewRecorder(historyFlight)}
	for _, f := range files {
		bad, err := readEvents(f, n.take)
		r.h.BadLines += bad
		if err != nil {
			return err
		}
	}
	n.finish(dir)
	return nil
}

// finish sorts, and keeps what was asked for.
func (r *reading) finish() {
	h := r.h
	// A later revision may say what the query does not ask for.
	h.Deaths = slices.DeleteFunc(h.Deaths, func(p Past) bool { return !r.q.Matches(p.Death) })
	slices.SortStableFunc(h.Deaths, newestFirst)
	if r.q.Fold {
		r.fold()
	}
	if limit := r.q.Last; limit > 0 && len(h.Deaths) > limit {
		h.More += len(h.Deaths) - limit
		h.Deaths = h.Deaths[:limit]
	}
	for n := range r.nodes {
		h.Nodes = append(h.Nodes, n)
	}
	slices.Sort(h.Nodes)
	from, until := r.q.Since, r.q.Until
	if r.q.Since.IsZero() {
		for _, p := range h.Deaths {
			if from.IsZero() || p.Death.Time.Before(from) {
				from = p.Death.Time
			}
		}
	}
	for _, g := range r.gapList {
		if g.overlaps(from, until) {
			h.Gaps = append(h.Gaps, g)
		}
	}
	slices.SortStableFunc(h.Gaps, func(a, b Gap) int {
		return cmp.Or(b.Until.Compare(a.Until), cmp.Compare(a.Node, b.Node))
	})
}

// nodeReading reads the files of one directory.
type nodeReading struct {
	*reading
	flight *Recorder
	node   string
	last   time.Time
	seen   bool
	// boottime is that of the last event: it falls where the machine was started
	// anew.
	boottime uint64
}

func (n *nodeReading) take(e event.Event) {
	h := e.Common()
	if h.Node != "" && !n.nodes[h.Node] {
		n.nodes[h.Node] = true
	}
	n.node = cmp.Or(h.Node, n.node)
	if n.h.From.IsZero() || h.Time.Before(n.h.From) {
		n.h.From = h.Time
	}
	if h.Time.After(n.h.Until) {
		n.h.Until = h.Time
	}
	if h.BoottimeNS != 0 {
		if h.BoottimeNS+uint64(historyFlight) < n.boottime && h.Time.After(n.last) {
			n.flight = NewRecorder(historyFlight) // what was before that boot is no "minutes before"
		}
		n.boottime = h.BoottimeNS
	}
	n.gaps(e)
	if d, ok := e.(*event.Death); ok && d.Process != nil {
		n.death(d)
	}
	n.flight.Record(e)
	n.last, n.seen = h.Time, true
}

// death keeps the latest revision of each, if that is meant.
func (n *nodeReading) death(d *event.Death) {
	at, there := n.newest[d.ID]
	switch {
	case there && n.h.Deaths[at].Death.Revision > d.Revision:
	case there:
		n.h.Deaths[at] = Past{Death: d, Before: n.flight.Before(d)}
	case !n.q.Matches(d):
	default:
		if len(n.h.Deaths) >= deathsMax {
			n.halve()
		}
		n.newest[d.ID] = len(n.h.Deaths)
		n.h.Deaths = append(n.h.Deaths, Past{Death: d, Before: n.flight.Before(d)})
	}
}

// halve keeps the newer half.
func (r *reading) halve() {
	h := r.h
	slices.SortStableFunc(h.Deaths, newestFirst)
	keep := len(h.Deaths) / 2
	h.More, h.Beyond = h.More+len(h.Deaths)-keep, true
	clear(h.Deaths[keep:])
	h.Deaths = h.Deaths[:keep]
	clear(r.newest)
	for i, p := range h.Deaths {
		r.newest[p.Death.ID] = i
	}
}

func newestFirst(a, b Past) int { return b.Death.Time.Compare(a.Death.Time) }

// finish adds what the directory itself says: whether an agent is there now.
func (n *nodeReading) finish(dir string) {
	if !n.seen || heldByAnother(dir) {
		return
	}
	g := Gap{Node: n.node, Since: n.last, Until: n.now, Reason: GapUnknown, Open: true}
	p := readPresence(os.DirFS(dir))
	if p != nil && p.LastSeen.After(n.last) {
		g.Since = p.LastSeen
	}
	// Of files that were copied here, only that their agent had ended is known.
	if p != nil && (p.Stopped || p.BootID != "" && p.BootID == n.q.BootID) {
		g.Reason, g.Stopped = GapNotRunning, &p.Stopped
	}
	n.gapList = append(n.gapList, g)
}
