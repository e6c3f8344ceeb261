// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sigtrace/sigtrace/internal/event"
)

// However many others die meanwhile, a stop signal that a container's init was sent
// is remembered until it ends.
func TestFloodForgetsTheReportedFirst(t *testing.T) {
	w := newWorld(t, Options{})
	killer := proc(5, "sh", systemd)
	app := inside(idApp, true, proc(10, "server", systemd))
	w.signal(1000, unix.SIGTERM, app, from(killer), handled)
	at := uint64(2000)
	for i := range 3 * storiesMax {
		p := proc(100+i, "flood", killer)
		p.Cgroup = "/flood"
		w.signal(at, unix.SIGKILL, p, from(killer))
		w.exit(at, p, 137)
		if i%512 == 0 {
			at += 200
			w.e.Due(at * ms)
			w.within(t)
		}
	}
	w.exit(at, app, 0)
	for _, e := range w.e.Due((at + 500) * ms) {
		if d, ok := e.(*event.Death); ok && d.Process.PID == 10 {
			if d.Cause != event.CauseForeignProcess || d.Actor != killer || d.EventsLost != 0 {
				t.Errorf("%s, %d events lost: %s", d.Cause, d.EventsLost, d.Summary)
			}
			return
		}
	}
	t.Error("no record")
}

func (w *world) within(t *testing.T) {
	t.Helper()
	if n := len(w.e.stories); n > storiesMax || w.e.bytes > storiesBytes {
		t.Fatalf("%d stories of %d bytes are remembered", n, w.e.bytes)
	}
	sum := 0
	for _, st := range w.e.stories {
		sum += st.bytes
	}
	if sum != w.e.bytes {
		t.Fatalf("the stories hold %d bytes, counted are %d", sum, w.e.bytes)
	}
}

// A signal that had to be forgotten before its target died makes the record say so:
// it is not proven that the process ended by itself.
func TestForgottenSignalIsCounted(t *testing.T) {
	w := newWorld(t, Options{})
	killer := proc(5, "sh", systemd)
	victim := proc(10, "server", systemd)
	victim.Cgroup = "/app"
	other := proc(11, "other", systemd)
	other.Cgroup = "/other"
	w.signal(1000, unix.SIGTERM, victim, from(killer), handled)
	// Living ones, whose arguments alone are too much to remember.
	big := strings.Repeat("x", 8<<10)
	for i := range storiesBytes / (8 << 10) {
		p := proc(100+i, "flood", killer)
		p.Cgroup, p.Args = fmt.Sprintf("/flood/%d", i%8), []string{big}
		w.signal(2000, unix.SIGTERM, p, from(killer), handled)
	}
	w.e.Due(3000 * ms)
	w.within(t)
	w.exit(20_000, victim, 0, func(x *event.Exit) { x.Asked, x.Init = true, true })
	w.exit(20_000, other, 0, func(x *event.Exit) { x.Init = true })
	records := w.e.Due(21_000 * ms)
	if len(records) != 2 {
		t.Errorf("%d records", len(records))
	}
	for _, e := range records {
		d := e.(*event.Death)
		wantLost := d.Process.PID == 10
		if (d.EventsLost > 0) != wantLost || (d.Confidence == event.Proven) == wantLost {
			t.Errorf("pid %d: %d events lost, %s (%s)", d.Process.PID, d.EventsLost, d.Cause, d.Confidence)
		}
	}
}

// What a budget kept back touches the records of its own cgroup, and of those to
// whom the kernel side says that signals were not emitted.
func TestLossesOfABudget(t *testing.T) {
	for name, c := range map[string]struct {
		cgroup string
		folded bool
		lost   bool
	}{
		"its own cgroup":        {cgroup: "/pods/flood", lost: true},
		"below it":              {cgroup: "/pods/flood/inner", lost: true},
		"another":               {cgroup: "/pods/flooded"},
		"one that it signalled": {cgroup: "/pods/web", folded: true, lost: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Options{})
			p := proc(10, "server", systemd)
			p.Cgroup = c.cgroup
			w.e.Lost(&event.Lost{
				Header: head(event.TypeLost, 10_000), Count: 7, Lane: "critical", Reason: "budget", Folded: 7,
				Cgroup: "/pods/flood", Since: at(9000),
			})
			w.exit(9500, p, 0, func(x *event.Exit) { x.Init, x.Folded = true, c.folded })
			d := w.death(11_000)
			if (d.EventsLost > 0) != c.lost || (d.Confidence == event.Proven) == c.lost {
				t.Errorf("%d events lost, %s (%s)", d.EventsLost, d.Cause, d.Confidence)
			}
		})
	}
}
