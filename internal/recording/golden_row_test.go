// SPDX-License-Identifier: Apache-2.0

package recording

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/sigtrace/sigtrace/internal/event"
)

// factsOf is a death record as one row of key=value, without any sentence: its
// scenario, then what was decided. Nothing in it changes with a wording.
func factsOf(d *event.Death) string {
	row := []string{
		scenarioOf(d.Process),
		"id=" + d.ID,
		fmt.Sprintf("revision=%d", d.Revision),
		"process=" + processName(d.Process),
		"exit=" + exitName(d.Exit),
		"cause=" + string(d.Cause),
		"confidence=" + string(d.Confidence),
		"actor=" + processName(d.Actor),
		"relation=" + orDash(string(d.Relation)),
		"chain=" + joined(d.Chain, func(h event.Hop) string { return processName(h.Process) }),
		"signals=" + joined(d.Signals, signalName),
	}
	return strings.Join(append(row, circumstances(d)...), " ")
}

// circumstances are the fields of a row that most deaths lack.
func circumstances(d *event.Death) []string {
	var row []string
	add := func(key string, value any) { row = append(row, fmt.Sprintf("%s=%v", key, value)) }
	if d.OOM != nil {
		add("oom", d.OOM.Scope)
	}
	if d.Collateral != nil {
		add("collateral", d.Collateral.Count)
	}
	if d.KubernetesSays != nil {
		add("kubernetes_agrees", d.KubernetesSays.Agrees)
	}
	if d.ContainerSurvives != nil {
		add("container_survives", *d.ContainerSurvives)
	}
	if d.EventsLost > 0 {
		add("events_lost", d.EventsLost)
	}
	return row
}

// proseOf is what a person reads of a death record; scenario, id and revision
// lead from it to the row of its facts.
func proseOf(d *event.Death) string {
	return fmt.Sprintf("%s %s/%d: %s", scenarioOf(d.Process), d.ID, d.Revision, d.Summary)
}

// scenarioOf names the scenario that a process died in. A recording does not hold
// it as such: it is what the zoo was called with, as the process's own arguments
// or those of the nearest ancestor that is the zoo show, without the cgroup that
// it was played in; else the pod, whose name says what was done to it; else the
// process's name.
func scenarioOf(p *event.Process) string {
	for _, q := range append([]*event.Process{p}, p.Ancestors...) {
		if len(q.Args) > 1 && path.Base(q.Args[0]) == "zoo" {
			played := slices.DeleteFunc(slices.Clone(q.Args[1:]), path.IsAbs)
			return asField(strings.Join(played, "_"))
		}
	}
	if p.Pod == nil || p.Pod.Name == "" {
		return asField(p.Comm)
	}
	name := p.Pod.Namespace + "/" + p.Pod.Name
	if p.Container != nil && p.Container.Name != "" {
		name += "/" + p.Container.Name
	}
	return asField(name)
}

func processName(p *event.Process) string {
	if p == nil {
		return "-"
	}
	return asField(fmt.Sprintf("%s(%d)", p.Comm, p.PID))
}

func exitName(s event.ExitStatus) string {
	if s.Signal == "" {
		return fmt.Sprint(s.Code)
	}
	return fmt.Sprintf("%d/%s", s.Code, s.Signal)
}

// signalName is a stop signal with who sent it, or in whose context it arose.
func signalName(s event.Sent) string {
	from := s.Sender
	if from == nil {
		from = s.Trigger
	}
	return s.Signal + ":" + string(s.Via) + ":" + orDash(string(s.Result)) + ":" + processName(from)
}

func joined[T any](list []T, name func(T) string) string {
	names := make([]string, len(list))
	for i, one := range list {
		names[i] = name(one)
	}
	return orDash(strings.Join(names, ","))
}

// asField keeps a name that a process chose for itself within one field of one row.
func asField(s string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r == 0x7f {
			return '_'
		}
		return r
	}, orDash(s))
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func TestScenarioOf(t *testing.T) {
	zoo := &event.Process{Comm: "zoo", Args: []string{"/bin/zoo", "kill", "9"}}
	pod := &event.Pod{Namespace: "shop", Name: "web-0"}
	for want, p := range map[string]*event.Process{
		"kill_9":         {Comm: "zoo-victim", Args: []string{"/bin/zoo", "kill", "9"}},
		"odd\u00e9_name": {Args: []string{"zoo", "odd\u00e9\nname"}},
		"oom_16777216":   {Args: []string{"/bin/zoo", "oom", "/sys/fs/cgroup/sigtrace-test-1", "16777216"}},
		"pidfd":          {Comm: "sleep", Args: []string{"sleep", "1"}, Ancestors: []*event.Process{{Comm: "sh"}, {Args: []string{"zoo", "pidfd"}}, zoo}},
		"shop/web-0":     {Comm: "app", Pod: pod},
		"shop/web-0/app": {Comm: "app", Pod: pod, Container: &event.Container{Name: "app"}},
		"dd":             {Comm: "dd", Exe: "/bin/busybox"},
		"sh":             {Comm: "sh", Args: []string{"zoo"}}, // the zoo without a scenario plays none
		"-":              {},
	} {
		if got := scenarioOf(p); got != want {
			t.Errorf("%q, want %q: %+v", got, want, p)
		}
	}
}
