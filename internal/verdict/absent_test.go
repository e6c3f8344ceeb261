// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
)

// What nobody saw is reported with what others remember, and never as proven.
func TestAbsentEnds(t *testing.T) {
	since, until := time.Unix(0, 0).UTC(), time.Unix(60, 0).UTC()
	for name, c := range map[string]struct {
		log        *event.KernelOOM
		code       int
		cause      event.Cause
		confidence event.Confidence
		summary    string
	}{
		"an exit code alone": {nil, 137, event.CauseUnknown, event.Unknown, "Container app exited with code 137 while no agent was running; why is unknown."},
		"an end in peace":    {nil, 0, event.CauseUnknown, event.Unknown, "Container app exited with code 0 while no agent was running; why is unknown."},
		"never started":      {nil, 128, event.CauseStartFailed, event.Likely, "Container app never started: its runtime could not execute its program."},
		"killed for memory": {
			&event.KernelOOM{PID: 7, Comm: "java", Cgroup: true, LimitCgroup: "/a", Time: time.Unix(9, 0)}, 137,
			event.CauseCgroupOOM, event.Likely, "Container app was killed (SIGKILL) while no agent was running by the kernel's OOM killer: the memory limit of cgroup /a was hit.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Options{})
			p := inside("app", true, &event.Process{PID: -1})
			w.exit(10, p, c.code, func(x *event.Exit) {
				x.Absent = &event.Absent{Since: since, Until: until, ID: "their-id", Source: "containerd", Reason: "Error", Log: c.log}
				if c.cause == event.CauseStartFailed {
					x.Absent.Reason = "StartError"
				}
				x.SignalNumber, x.Exit.Signal = 0, ""
				if c.log != nil {
					p.PID, p.Comm = c.log.PID, c.log.Comm
					x.SignalNumber, x.Exit.Signal = 9, "SIGKILL"
				}
			})
			due := w.e.Due(5000 * ms)
			if len(due) != 1 {
				t.Fatalf("%d records", len(due))
			}
			d := due[0].(*event.Death)
			if d.ID != "their-id" || d.Cause != c.cause || d.Confidence != c.confidence || d.Summary != c.summary {
				t.Errorf("%s %s %s: %s", d.ID, d.Cause, d.Confidence, d.Summary)
			}
			last := d.Evidence[len(d.Evidence)-1]
			if last.Source != "agent" || !strings.Contains(last.Text, "no agent was there from 1970-01-01T00:00:00Z to 1970-01-01T00:01:00Z") {
				t.Errorf("evidence: %+v", d.Evidence)
			}
			b, err := json.Marshal(d)
			if err != nil || strings.Contains(string(b), `"pid":-1`) {
				t.Errorf("%v: %s", err, b)
			}
			var again event.Death
			if err := json.Unmarshal(b, &again); err != nil || again.Process.PIDKnown() != (c.log != nil) || again.Process.Container.ID != "app" {
				t.Errorf("read again: %v, %+v", err, again.Process)
			}
			if known := strings.Contains(string(b), `"pid":7`); known != (c.log != nil) {
				t.Errorf("the pid: %s", b)
			}
		})
	}
}

// A kill by an ancestor that was kept may be a messenger's; one by a stranger
// is proven.
func TestKeptIsWeaker(t *testing.T) {
	shell := proc(5, "bash", systemd)
	victim := proc(10, "server", shell, systemd)
	stranger := proc(20, "pkill", systemd)
	for name, c := range map[string]struct {
		victim, sender *event.Process
		want           event.Confidence
	}{
		"its parent":                          {victim, shell, event.Likely},
		"a stranger":                          {victim, stranger, event.Proven},
		"nobody knows whom it descended from": {proc(10, "server"), stranger, event.Likely},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, Options{})
			w.signal(100, 9, c.victim, from(c.sender), func(s *event.Signal) { s.Kept = true })
			w.exit(101, c.victim, 137, func(x *event.Exit) { x.Kept = true })
			d := w.e.Due(5000 * ms)[0].(*event.Death)
			if d.Confidence != c.want || d.Actor != c.sender || !strings.Contains(d.Evidence[0].Text, "kept in the pins") {
				t.Errorf("%s by %v: %+v", d.Confidence, d.Actor, d.Evidence)
			}
		})
	}
}

// Whose end makes no record is reported as well, for it is kept else.
func TestUntold(t *testing.T) {
	var untold []int
	w := newWorld(t, Options{Untold: func(p *event.Process) { untold = append(untold, p.PID) }})
	w.exit(100, proc(10, "ls", systemd), 0)
	w.exit(100, proc(11, "server", systemd), 139)
	if n := len(w.e.Due(5000 * ms)); n != 1 || len(untold) != 1 || untold[0] != 10 {
		t.Errorf("%d records, untold %v", n, untold)
	}
}
