// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// want is what a scenario's own log says about an end.
type want string

const (
	// asked: somebody's signal, sent to it or to a process that passed it on.
	asked want = "asked"
	// exited: no signal was sent because of which it exited. That is no death by
	// default: no record is right, and one that says exited as well.
	exited want = "exited"
	// byParent: its supervisor's own decision.
	byParent want = "by its supervisor"
	// afterSibling: its supervisor's reaction to the crash of another child.
	afterSibling want = "after a sibling's crash"
	// fault: an access to memory that is not its own.
	fault want = "fault"
	// outOfMemory: its cgroup's limit.
	outOfMemory want = "cgroup_oom"
	// bySelf: its own signal, that nobody asked for.
	bySelf want = "self"
	// lives: it must not end.
	lives want = "lives"
)

// truth is one process with what happened to it, by the scenario's own log.
type truth struct {
	victim ident
	role   string
	want   want
	by     ident // who is to blame, where somebody is
	// through must be in the chain.
	through ident
	// not are those who sent something that had nothing to do with it.
	not []ident
}

// outcome is how a verdict compares with the truth.
type outcome string

const (
	right      outcome = "right"
	unknown    outcome = "unknown"
	missing    outcome = "no record"
	falseMerge outcome = "false merge"
	miss       outcome = "miss"
	wrong      outcome = "wrong"
)

// verdict is what was said about one end, or about many alike.
type verdict struct {
	Role       string  `json:"role"`
	Truth      string  `json:"truth"`
	Outcome    outcome `json:"outcome"`
	Cause      string  `json:"cause,omitempty"`
	Confidence string  `json:"confidence,omitempty"`
	Actor      string  `json:"actor,omitempty"`
	// Revised counts those of which an earlier revision was not right.
	Revised int `json:"revised,omitempty"`
	Count   int `json:"count"`
	// Summary is of the first one that was not right.
	Summary string `json:"summary,omitempty"`
}

var causeOf = map[want]string{
	asked: "foreign_process", byParent: "foreign_process", afterSibling: "foreign_process",
	exited: "exited", fault: "kernel_fault", outOfMemory: "cgroup_oom", bySelf: "self_signal",
}

func (t truth) holds(d *event) bool {
	if d.Cause != causeOf[t.want] {
		return false
	}
	if t.by != (ident{}) && !t.by.is(d.Actor) {
		return false
	}
	return t.through == (ident{}) || inChain(d, t.through)
}

func inChain(d *event, who ident) bool {
	for _, h := range d.Chain {
		if who.is(h.Process) {
			return true
		}
	}
	return false
}

func (t truth) judge(d *event) outcome {
	switch {
	case d.Cause == "unknown":
		return unknown
	case t.holds(d):
		return right
	case slices.ContainsFunc(t.not, func(i ident) bool { return i.is(d.Actor) }):
		return falseMerge
	case t.want == asked || t.want == afterSibling:
		return miss
	}
	return wrong
}

// expect notes what the truth about a process is.
func (r *run) expect(t truth) {
	r.truths = append(r.truths, t)
	r.note("truth: %s %d: %s by %d through %d, not %v", t.role, t.victim.pid, t.want, t.by.pid, t.through.pid, t.not)
}

// verdicts waits for the records and holds them against the truth.
func (r *run) verdicts() ([]verdict, error) {
	for _, t := range r.truths {
		if t.want == lives {
			if !t.victim.alive() {
				return nil, fmt.Errorf("%s %d was to live on, and has ended", t.role, t.victim.pid)
			}
			continue
		}
		if !within(30*time.Second, func() bool { return !t.victim.alive() }) {
			return nil, fmt.Errorf("%s %d (%s) has not ended: %s", t.role, t.victim.pid, cmdline(t.victim.pid), tail(r.output()))
		}
	}
	var all []verdict
	for _, t := range r.truths {
		if t.want == lives {
			continue
		}
		if r.w.cmd != nil {
			patience := 15 * time.Second
			if t.want == exited {
				patience = 2 * time.Second // who exits by default has no record
			}
			within(patience, func() bool { return len(r.w.deaths(t.victim)) > 0 })
		}
		all = append(all, r.verdictOf(t))
	}
	return all, nil
}

func (r *run) verdictOf(t truth) verdict {
	v := verdict{Role: t.role, Truth: string(t.want), Outcome: missing, Count: 1}
	records := r.w.deaths(t.victim)
	if len(records) == 0 {
		if t.want == exited && r.w.cmd != nil {
			v.Outcome = right
		}
		return v
	}
	d := &records[len(records)-1]
	v.Outcome, v.Cause, v.Confidence = t.judge(d), d.Cause, d.Confidence
	if d.Actor != nil {
		v.Actor = r.roleOf(d.Actor)
	}
	for i := range records[:len(records)-1] {
		if t.judge(&records[i]) != right {
			v.Revised = 1
		}
	}
	if v.Outcome != right {
		v.Summary = d.Summary
	}
	return v
}

func (r *run) roleOf(p *process) string {
	for i, a := range r.askers {
		if a.is(p) {
			if i == 0 {
				return "script"
			}
			return fmt.Sprintf("script %d", i+1)
		}
	}
	for i, role := range r.roles {
		if i.is(p) {
			return role
		}
	}
	return "new " + p.Comm
}

// gather counts verdicts that are alike.
func gather(all []verdict) []verdict {
	var sum []verdict
	for _, v := range all {
		same := slices.IndexFunc(sum, func(s verdict) bool {
			return s.Role == v.Role && s.Truth == v.Truth && s.Outcome == v.Outcome && s.Cause == v.Cause && s.Confidence == v.Confidence && s.Actor == v.Actor
		})
		if same < 0 {
			sum = append(sum, v)
			continue
		}
		sum[same].Count += v.Count
		sum[same].Revised += v.Revised
	}
	return sum
}

// timeline says what was sent and who ended after the first signal of the run.
func (r *run) timeline() string {
	type step struct {
		what        string
		first, last uint64
		count       int
	}
	var steps []step
	var from uint64
	for _, e := range r.bed.all.since(r.acted) {
		what := r.step(e)
		if what == "" {
			continue
		}
		if from == 0 {
			from = e.At
		}
		i := slices.IndexFunc(steps, func(s step) bool { return s.what == what })
		if i < 0 {
			steps = append(steps, step{what, e.At, e.At, 1})
			continue
		}
		steps[i].last, steps[i].count = e.At, steps[i].count+1
	}
	var out []string
	for i, s := range steps {
		text := s.what
		if i > 0 {
			text += " +" + delay(s.first-from)
			if s.count > 1 && s.last-s.first > 1e6 {
				text += "…" + delay(s.last-from)
			}
		}
		if s.count > 1 {
			text += fmt.Sprintf(" (%d×)", s.count)
		}
		out = append(out, text)
	}
	return strings.Join(out, "; ")
}

func delay(ns uint64) string {
	switch {
	case ns < 10e6:
		return fmt.Sprintf("%.1f ms", float64(ns)/1e6)
	case ns < 1e9:
		return fmt.Sprintf("%d ms", ns/1e6)
	}
	return fmt.Sprintf("%.1f s", float64(ns)/1e9)
}

// step is what one event of this run is in a timeline; empty for what is of no
// interest.
func (r *run) step(e event) string {
	switch e.Type {
	case "signal":
		name := strings.TrimPrefix(e.signal(), "SIG")
		if name == "CHLD" || name == "URG" || !r.hasRole(e.Target) && !r.hasRole(e.Sender) {
			return ""
		}
		from := "kernel (" + e.Via + ")"
		if e.Sender != nil && (e.Via == "kill" || e.Via == "tgkill" || e.Via == "sigqueue") {
			from = r.roleOf(e.Sender)
		}
		to := r.roleOf(e.Target)
		if e.Sender != nil && e.Target != nil && e.Sender.PID == e.Target.PID && from == to {
			to = "itself"
		}
		result := ""
		if e.Result == "ignored" || e.Result == "too_late" {
			result = ", " + strings.ReplaceAll(e.Result, "_", " ")
		}
		return fmt.Sprintf("%s → %s %s%s", from, to, name, result)
	case "exit":
		if !r.hasRole(e.Process) || e.Exit == nil {
			return ""
		}
		return fmt.Sprintf("%s exits %d", r.roleOf(e.Process), e.Exit.Code)
	}
	return ""
}

// known reports whether a process had a role before the first signal.
func (r *run) hasRole(p *process) bool {
	for i := range r.roles {
		if i.is(p) {
			return true
		}
	}
	return false
}
