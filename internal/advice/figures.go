// SPDX-License-Identifier: Apache-2.0

package advice

import (
	"fmt"
	"strings"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/phrase"
	"github.com/sigtrace/sigtrace/internal/proctree"
)

// inUse is how much of a cgroup's limit was in use at an OOM kill; 0 where that is
// not known, or where it was no cgroup's limit.
func inUse(o *event.OOM) uint64 {
	switch {
	case o == nil || o.Scope != "cgroup":
		return 0
	case o.UsageBytes != nil:
		return *o.UsageBytes
	case o.LimitBytes != nil:
		return *o.LimitBytes
	}
	return 0
}

// share reports whether a part is at least 1/nth of the whole, both being known.
func share(part *uint64, whole, nth uint64) bool {
	return part != nil && *part > 0 && whole > 0 && *part >= whole/nth
}

// stopped is a stop signal and the SIGKILL that ended the process afterwards, with
// the seconds between them; nil where it was not so.
type stopped struct {
	ask, kill *event.Sent
	seconds   float64
}

// noticeable is from how long on a stop is worth a change, in seconds.
const noticeable = 0.5

// slowStop finds the first stop signal before the SIGKILL that ended a process.
func slowStop(d *event.Death) *stopped {
	if d.Exit.Signal != "SIGKILL" || len(d.Signals) < 2 {
		return nil
	}
	last := len(d.Signals) - 1
	for last > 0 && (d.Signals[last].Signal != "SIGKILL" || d.Signals[last].Result == event.ResultTooLate) {
		last--
	}
	s := stopped{kill: &d.Signals[last]}
	for i := range d.Signals[:last] {
		if s.ask == nil && d.Signals[i].Signal != "SIGKILL" {
			s.ask = &d.Signals[i]
		}
	}
	if s.ask == nil || s.kill.Signal != "SIGKILL" || s.kill.Via != event.ViaKill && s.kill.Via != event.ViaCgroupKill {
		return nil
	}
	after := false
	for i := range d.Signals[:last+1] {
		if after && d.Signals[i].GapSeconds != nil {
			s.seconds += *d.Signals[i].GapSeconds
		}
		after = after || &d.Signals[i] == s.ask
	}
	if s.seconds < noticeable {
		return nil
	}
	return &s
}

// isFirst reports whether a process is pid 1 of its PID namespace or its
// container's init.
func isFirst(p *event.Process) bool { return p.NSPID == 1 || proctree.IsInit(p) }

// descendsFrom reports whether a process is an ancestor of the one that ended.
func descendsFrom(d *event.Death, from *event.Process) bool {
	for _, a := range d.Process.Ancestors {
		if proctree.Same(a, from) {
			return true
		}
	}
	return false
}

// group is whether a cause is of a group.
func group(d *event.Death, g event.CauseGroup) bool { return d.Cause.Row().Group == g }

// ranSeconds is for how long a process ran; 0 where its start is not known.
func ranSeconds(d *event.Death) float64 {
	if d.Process.StartTime == nil || d.Time.Before(*d.Process.StartTime) {
		return 0
	}
	return d.Time.Sub(*d.Process.StartTime).Seconds()
}

func seconds(s float64) string {
	if s >= 100 {
		return fmt.Sprintf("%.0f s", s)
	}
	return fmt.Sprintf("%.1f s", s)
}

func count(n uint64, thing string) string { return phrase.Count(int(n), thing) }

// inPod and inContainer say where a process ran.
func inPod(p *event.Process) bool       { return p.Pod != nil }
func inContainer(p *event.Process) bool { return p.Pod != nil || p.Container != nil }

// evidenceWith finds the last piece of evidence about a subject that holds one of
// these texts, and returns it; empty where there is none.
func evidenceWith(d *event.Death, subject string, texts ...string) string {
	for i := len(d.Evidence) - 1; i >= 0; i-- {
		e := d.Evidence[i]
		if !strings.Contains(e.Text, subject) {
			continue
		}
		for _, t := range texts {
			if strings.Contains(e.Text, t) {
				return e.Text
			}
		}
	}
	return ""
}
