// SPDX-License-Identifier: Apache-2.0

//go:build cluster && agent

package cluster

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestDaemonSet rolls the least-privilege overlay out as a user does, and lets
// pods die in a dozen ways. Whoever asks the agent gets the same answer, and it is
// the true one: kubectl logs, the postmortem files, kubectl describe, `why` in the
// agent's pod, and Prometheus with the rules and the dashboard that are deployed.
func TestDaemonSet(t *testing.T) {
	b := startBed(t)
	book := newPodBook(t, b)
	a := deployAgent(t, b)
	p := startPrometheus(t, a)
	var (
		mu    sync.Mutex
		table []string
	)
	t.Run("scenarios", func(t *testing.T) {
		for _, k := range chosenKills(t) {
			t.Run(k.name, func(t *testing.T) {
				t.Parallel()
				line := a.play(t, book, k)
				mu.Lock()
				defer mu.Unlock()
				table = append(table, line)
			})
		}
	})
	slices.Sort(table)
	t.Logf("way, cause, actor, as logs, files, describe and why report them:\n%s", strings.Join(table, "\n"))
	t.Run("prometheus", func(t *testing.T) { p.compare(t, a) })
	t.Run("restart", func(t *testing.T) { a.restarts(t, book) })
	t.Run("api-gone", func(t *testing.T) { a.apiGone(t, book) })
	t.Run("idle", func(t *testing.T) {
		p.calm(t)
		a.idle(t, book)
	})
	t.Run("privileged", func(t *testing.T) { a.privileged(t, book) })
}

// kill is a scenario with the truth about who did it.
type kill struct {
	scenario
	// actor reports whether a record blames the right process; nil: there is none
	// to blame.
	actor func(v victim, d death) bool
	// reason is that of the Event.
	reason string
}

// shellOfTheHost is the test's own: stage.kill.
func shellOfTheHost(_ victim, d death) bool {
	return d.Actor != nil && d.Actor.Comm == "sh" && d.Actor.Pod == nil && strings.HasPrefix(strings.Join(d.Actor.Args, " "), "/bin/sh -c kill -9 ")
}

// inside is a process of the same pod.
func inside(comm string) func(victim, death) bool {
	return func(v victim, d death) bool {
		return d.Actor != nil && d.Actor.Comm == comm && d.Actor.Pod != nil && d.Actor.Pod.UID == v.pod
	}
}

func byKubelet(_ victim, d death) bool { return d.RequestedBy == "kubelet" }

func notByKubelet(_ victim, d death) bool { return d.RequestedBy != "kubelet" }

func memoryOf(levels ...string) func(victim, death) bool {
	return func(_ victim, d death) bool { return d.OOM != nil && slices.Contains(levels, d.OOM.LimitLevel) }
}

// chosenKills are the ways to die, out of the matrix's scenarios, by name.
func chosenKills(t *testing.T) []kill {
	t.Helper()
	truth := map[string]kill{
		"killed-from-the-host":      {actor: shellOfTheHost, reason: "SigtraceKill"},
		"kubectl-exec-kill":         {actor: inside("sh"), reason: "SigtraceKill"},
		"shim-killed":               {actor: shellOfTheHost, reason: "SigtraceKill"},
		"stopped-by-crictl":         {actor: notByKubelet, reason: "SigtraceStop"},
		"liveness-exec":             {actor: byKubelet, reason: "SigtraceProbe"},
		"liveness-http-ignores":     {actor: byKubelet, reason: "SigtraceProbe"},
		"startup":                   {actor: byKubelet, reason: "SigtraceProbe"},
		"deleted-ignores":           {actor: byKubelet, reason: "SigtraceStop"},
		"evicted-by-emptydir-limit": {actor: byKubelet, reason: "SigtraceEvict"},
		"image-changed":             {actor: byKubelet, reason: "SigtraceStop"},
		// The pod's limit is its one container's, and the sandbox counts as well:
		// either can be the first to be hit.
		"oom-of-init":    {actor: memoryOf("container", "pod"), reason: "SigtraceOOM"},
		"oom-of-a-child": {actor: memoryOf("container", "pod"), reason: "SigtraceOOM"},
	}
	var list []kill
	for _, sc := range chosen(scenarios()) {
		if k, ok := truth[sc.name]; ok {
			k.scenario = sc
			list = append(list, k)
		}
		delete(truth, sc.name)
	}
	for name := range truth {
		if len(chosen([]scenario{{name: name}})) > 0 {
			t.Errorf("there is no scenario %s", name)
		}
	}
	return list
}

// play lets a pod die and asks everybody.
func (a *deployed) play(t *testing.T, book *podBook, k kill) string {
	s := &stage{T: t, bed: a.bed, book: book, name: k.name}
	defer s.tidy()
	v := k.scenario.play(s)
	eventually(t, "kubectl logs reports the death", func() bool { return len(a.logged(t, v)) > 0 })
	time.Sleep(settle)
	records := a.logged(t, v)
	d := records[len(records)-1]
	if d.Cause != k.cause {
		t.Errorf("the log says %s, want %s: %s\n%s", d.Cause, k.cause, d.Summary, details(d))
	}
	if !k.actor(v, d) {
		t.Errorf("%s: not by this one: %+v, requested by %q: %s", k.cause, d.Actor, d.RequestedBy, d.Summary)
	}
	a.compareFiles(t, d)
	a.compareWhy(t, s, v, d)
	a.compareEvent(t, s, v, k, d)
	who := d.RequestedBy
	if d.Actor != nil {
		who = d.Actor.Comm + " " + who
	}
	return "  " + k.name + "\t" + d.Cause + "\t" + who
}
