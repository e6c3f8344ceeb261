// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/kubefact"
)

// was killed: it was not made anew, and the sentence says how the work has ended.
func TestSandboxOfAFinishedPod(t *testing.T) {
	for name, c := range map[string]struct {
		end    func(*podWorld)
		policy string
		want   string
	}{
		"completed":             {func(p *podWorld) { p.exit(9000, p.app, 0) }, "Never", "container app completed"},
		"on failure, completed": {func(p *podWorld) { p.exit(9000, p.app, 0) }, "OnFailure", "container app completed"},
		"failed":                {func(p *podWorld) { p.exit(9000, p.app, 3) }, "Never", "container app failed (exit code 3)"},
		"OOM-killed": {func(p *podWorld) {
			p.oom(9000, p.app, p.app, nil)
			p.exit(9000, p.app, 137)
		}, "Never", "container app was OOM-killed"},
	} {
		for logged, when := range map[string]uint64{"after the kill": 10_040, "before the kill": 9_990} {
			t.Run(name+"/"+logged, func(t *testing.T) {
				p := newPodWorld(t)
				p.sees(kubefact.SourceKubeletLog)
				p.settings(func(s *kubefact.PodSettings) { s.RestartPolicy = c.policy })
				c.end(p)
				p.e.Due(9950 * ms)
				pause := p.process(11, "pause", "", strings.Repeat("c3", 32))
				p.signal(10_000, unix.SIGKILL, pause, from(p.runc))
				p.exit(10_001, pause, 137)
				p.fact(when, kubefact.SourceKubeletLog, kubefact.SandboxChanged)
				for _, ev := range p.e.Due(60_000 * ms) {
					d := ev.(*event.Death)
					if d.Process.PID != pause.PID {
						continue
					}
					expect(t, d, event.CausePodFinished, event.Likely, nil)
					if !strings.Contains(d.Summary, c.want) {
						t.Error(d.Summary)
					}
					return
				}
				t.Error("no record of the sandbox")
			})
		}
	}
	t.Run("the sandbox of a pod that goes on", func(t *testing.T) {
		p := newPodWorld(t)
		p.sees(kubefact.SourceKubeletLog)
		p.settings(nil)
		pause := p.process(11, "pause", "", strings.Repeat("c3", 32))
		p.fact(9_990, kubefact.SourceKubeletLog, kubefact.SandboxChanged)
		p.signal(10_000, unix.SIGKILL, pause, from(p.runc))
		p.exit(10_001, pause, 137)
		expect(t, p.death(60_000), event.CauseSandboxChanged, event.Likely, nil)
	})
}

// Why a probe failed stands in the sentence, and with its settings in the evidence.
func TestWhyTheProbeFailed(t *testing.T) {
	web := kubefact.ProbeSettings{PeriodSeconds: 1, TimeoutSeconds: 1, FailureThreshold: 2, Handler: kubefact.ProbeHTTP, Checks: ":8080/healthz"}
	command := web
	command.Handler, command.Checks = kubefact.ProbeExec, "cat /tmp/healthy"
	old := web // of a recording from before it was kept
	old.Handler, old.Checks = "", ""
	for name, c := range map[string]struct {
		settings kubefact.ProbeSettings
		text     string
		want     string
		evidence string
	}{
		"an answer": {
			web, "Liveness probe failed: HTTP probe failed with statuscode: 500",
			"because its liveness probe failed twice: HTTP 500 from :8080/healthz.",
			"liveness probe failed 2 times in a row: HTTP 500 (http :8080/healthz, timeout 1 s, period 1 s, failureThreshold 2)",
		},
		"no answer": {
			web, `Liveness probe failed: Get "http://10.0.0.7:8080/healthz": dial tcp 10.0.0.7:8080: connect: connection refused`,
			"because its liveness probe failed twice: connection refused (http :8080/healthz).", "connection refused (http :8080/healthz,",
		},
		"a command": {
			command, "Liveness probe failed: cat: can't open '/tmp/healthy': No such file",
			"because its liveness probe failed twice: cat: can't open '/tmp/healthy': No such file (exec cat /tmp/healthy).", "(exec cat /tmp/healthy,",
		},
		"a command that is silent": {
			command, "Liveness probe failed:", "because its liveness probe failed twice (exec cat /tmp/healthy).", "2 times in a row (exec cat",
		},
		"nothing is known of it": {
			old, "Liveness probe failed: HTTP probe failed with statuscode: 500",
			"because its liveness probe failed twice: HTTP 500.", "HTTP 500 (timeout 1 s",
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPodWorld(t)
			p.sees(kubefact.SourceKubeletLog)
			p.settings(func(s *kubefact.PodSettings) { s.Containers[0].Liveness = &c.settings })
			for i := range uint64(2) {
				p.fact(8950+1000*i, kubefact.SourceKubeletLog, kubefact.ProbeResults, probe("liveness", 1, 0), says(c.text))
			}
			p.fact(9990, kubefact.SourceKubeletLog, kubefact.LivenessFailed, says("Container app failed liveness probe, will be restarted"))
			stops["dies of SIGTERM"](p)
			d := p.death(13_000)
			expect(t, d, event.CauseLivenessProbe, event.Likely, nil)
			found := false
			for _, ev := range d.Evidence {
				found = found || strings.Contains(ev.Text, c.evidence)
			}
			if !strings.Contains(d.Summary, c.want) || !found {
				t.Errorf("%s\n%+v", d.Summary, d.Evidence)
			}
		})
	}
}

// known later makes a revision.
func TestRequester(t *testing.T) {
	asked := func(kind, name, via string) factOption {
		return func(f *kubefact.Fact) { f.Requester = &kubefact.Requester{Kind: kind, Name: name, Via: via} }
	}
	controller := func(kind, name, via string) func(*podWorld) {
		return func(p *podWorld) {
			p.fact(9000, kubefact.SourceAPI, kubefact.Requested, byEvent, asked(kind, name, via))
		}
	}
	condition := func(reason string) func(*podWorld) {
		return func(p *podWorld) { p.fact(9000, kubefact.SourceAPI, kubefact.Disrupted, because(reason)) }
	}
	for name, c := range map[string]struct {
		say  []func(*podWorld)
		want event.Requester
		text string
	}{
		"ReplicaSet":             {[]func(*podWorld){controller("ReplicaSet", "web-7f", "SuccessfulDelete")}, event.Requester{Kind: "ReplicaSet", Name: "web-7f", Via: "SuccessfulDelete"}, "because its pod was deleted by ReplicaSet web-7f."},
		"Job":                    {[]func(*podWorld){controller("Job", "work", "DeadlineExceeded")}, event.Requester{Kind: "Job", Name: "work", Via: "DeadlineExceeded"}, "by Job work (DeadlineExceeded)."},
		"Namespace":              {[]func(*podWorld){controller("Namespace", "shop", "deletionTimestamp")}, event.Requester{Kind: "Namespace", Name: "shop", Via: "deletionTimestamp"}, "because its pod was deleted with its namespace shop."},
		"Taint":                  {[]func(*podWorld){condition("DeletionByTaintManager")}, event.Requester{Kind: "Taint", Via: "DeletionByTaintManager"}, "because of a taint of its node (NoExecute)."},
		"garbage":                {[]func(*podWorld){condition("DeletionByPodGC")}, event.Requester{Kind: "PodGC", Via: "DeletionByPodGC"}, "by the pod garbage collector."},
		"a condition goes first": {[]func(*podWorld){controller("ReplicaSet", "web-7f", "SuccessfulDelete"), condition("EvictionByEvictionAPI")}, event.Requester{Kind: "EvictionAPI", Via: "EvictionByEvictionAPI"}, "through the eviction API."},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPodWorld(t)
			p.sees(kubefact.SourceAPI)
			p.fact(9000, kubefact.SourceAPI, kubefact.Deleted)
			stops["dies of SIGTERM"](p)
			first := p.death(13_000)
			if first.Requester != nil || !strings.Contains(first.Summary, "because its pod was deleted.") {
				t.Errorf("%+v: %s", first.Requester, first.Summary)
			}
			for _, say := range c.say {
				say(p)
			}
			d := p.death(14_000)
			if d.Requester == nil || *d.Requester != c.want || d.Revision != 2 || !strings.Contains(d.Summary, c.text) {
				t.Errorf("%+v: %s", d.Requester, d.Summary)
			}
		})
	}
}

// container's, or one that was killed long before, does not.
func TestProbeThatIsKilled(t *testing.T) {
	for name, c := range map[string]struct {
		child   bool
		when    uint64
		handler kubefact.ProbeHandler
		want    bool
	}{
		"the probe":           {false, 8960, kubefact.ProbeExec, true},
		"a worker":            {true, 8960, kubefact.ProbeExec, false},
		"long before":         {false, 200, kubefact.ProbeExec, false},
		"it probes otherwise": {false, 8960, kubefact.ProbeTCP, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPodWorld(t)
			livenessBy[kubefact.SourceKubeletLog](p)
			p.settings(func(s *kubefact.PodSettings) {
				s.Containers[0].Liveness.Handler, s.Containers[0].Liveness.Checks = c.handler, "check"
			})
			check := inside(idApp, false, proc(41, "check", p.shim, systemd))
			if c.child {
				check = inside(idApp, false, proc(41, "check", p.app, p.shim, systemd))
			}
			check.Container.Name, check.Pod = "app", p.app.Pod
			p.oom(c.when, check, check, nil)
			p.exit(c.when+1, check, 137)
			p.e.Due(9900 * ms)
			stops["dies of SIGTERM"](p)
			d := p.death(13_000)
			expect(t, d, event.CauseLivenessProbe, event.Likely, nil)
			got := false
			for _, ev := range d.Evidence {
				got = got || strings.Contains(ev.Text, "was OOM-killed")
			}
			if got != c.want {
				t.Errorf("%+v", d.Evidence)
			}
		})
	}
}
