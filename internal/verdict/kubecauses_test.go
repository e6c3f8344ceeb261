// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/kubefact"
	"github.com/sigtrace/sigtrace/internal/proctree"
)

func afterwards(f *kubefact.Fact) { f.After = true }

func says(text string) factOption { return func(f *kubefact.Fact) { f.Text = text } }

// Each of kubelet's reasons, in the words of each source that has them, for an
// app that heeds SIGTERM and one that does not.
func TestCausesBySource(t *testing.T) {
	type words func(*podWorld)
	fact := func(when uint64, source string, kind kubefact.Kind, opts ...factOption) words {
		return func(p *podWorld) { p.fact(when, source, kind, opts...) }
	}
	logs, api := kubefact.SourceKubeletLog, kubefact.SourceAPI
	for name, c := range map[string]struct {
		cause event.Cause
		by    map[string][]words
	}{
		"startup":    {event.CauseStartupProbe, map[string][]words{logs: {fact(9990, logs, kubefact.StartupFailed)}, api: {fact(9000, api, kubefact.StartupFailed)}}},
		"changed":    {event.CauseContainerChanged, map[string][]words{logs: {fact(9990, logs, kubefact.DefinitionChanged)}, api: {fact(9000, api, kubefact.DefinitionChanged)}}},
		"resized":    {event.CauseContainerChanged, map[string][]words{logs: {fact(9990, logs, kubefact.ResizeRestarts)}, api: {fact(9000, api, kubefact.ResizeRestarts)}}},
		"post start": {event.CausePoststartHook, map[string][]words{logs: {fact(9990, logs, kubefact.PostStartFailed)}, api: {fact(9000, api, kubefact.PostStartFailed)}}},
		"deleted":    {event.CausePodDeleted, map[string][]words{logs: {fact(9900, logs, kubefact.Deleted), fact(9999, logs, kubefact.Stopping)}, api: {fact(9000, api, kubefact.Deleted), fact(9000, api, kubefact.Stopping)}}},
		"evicted": {event.CauseEvicted, map[string][]words{
			logs: {fact(9999, logs, kubefact.Stopping), fact(41_000, logs, kubefact.Evicted, afterwards)},
			api:  {fact(9000, api, kubefact.Evicted), fact(9000, api, kubefact.Deleted)},
		}},
		"preempted by the scheduler": {event.CausePreempted, map[string][]words{api: {fact(9000, api, kubefact.Preempted), fact(9000, api, kubefact.Deleted)}}},
		"preempted by kubelet":       {event.CausePreempted, map[string][]words{logs: {fact(9900, logs, kubefact.Preempted)}, api: {fact(9000, api, kubefact.Preempted)}}},
		"shutdown":                   {event.CauseNodeShutdown, map[string][]words{logs: {fact(9900, logs, kubefact.NodeShutdown)}, api: {fact(9000, api, kubefact.NodeShutdown)}}},
		"deadline":                   {event.CauseDeadlineExceeded, map[string][]words{api: {fact(9000, api, kubefact.DeadlineExceeded)}}},
		"sandbox":                    {event.CauseSandboxChanged, map[string][]words{logs: {fact(9900, logs, kubefact.SandboxChanged)}, api: {fact(9000, api, kubefact.SandboxChanged)}}},
	} {
		for source, list := range c.by {
			for _, how := range []string{"exits 0", "needs SIGKILL"} {
				t.Run(name+"/"+source+"/"+how, func(t *testing.T) {
					p := newPodWorld(t)
					p.sees(source)
					for _, w := range list {
						w(p)
					}
					stops[how](p)
					d := p.death(60_000)
					expect(t, d, c.cause, event.Likely, nil)
					if d.RequestedBy != "kubelet" || !hasEvidence(d, source) || len(d.Chain) < 3 {
						t.Errorf("requested by %q, %+v", d.RequestedBy, d.Evidence)
					}
				})
			}
		}
		if len(c.by) == 2 {
			t.Run(name+"/both", func(t *testing.T) {
				p := newPodWorld(t)
				for source, list := range c.by {
					p.sees(source)
					for _, w := range list {
						w(p)
					}
				}
				stops["needs SIGKILL"](p)
				expect(t, p.death(60_000), c.cause, event.Proven, nil)
			})
		}
	}
}

// Who asked for a deletion is reported with it.
func TestDrain(t *testing.T) {
	p := newPodWorld(t)
	p.sees(kubefact.SourceAPI)
	p.fact(9000, kubefact.SourceAPI, kubefact.Disrupted, because("EvictionByEvictionAPI"), says("EvictionByEvictionAPI: Eviction API: evicting"))
	p.fact(9000, kubefact.SourceAPI, kubefact.Deleted)
	stops["exits 0"](p)
	d := p.death(60_000)
	expect(t, d, event.CausePodDeleted, event.Likely, nil)
	if !strings.Contains(d.Summary, "because its pod was deleted through the eviction API.") || d.Requester == nil || d.Requester.Kind != "EvictionAPI" {
		t.Errorf("%s %+v", d.Summary, d.Requester)
	}
}

// An exec probe that runs out of time is ended by the shim: that is no stop of
// the container, by nobody's hand.
func TestExecProbeRunsOutOfTime(t *testing.T) {
	p := newPodWorld(t)
	p.sees(kubefact.SourceKubeletLog)
	p.settings(nil)
	for i := range uint64(3) {
		p.fact(7000+1000*i, kubefact.SourceKubeletLog, kubefact.ProbeResults, probe("liveness", 1, 0))
	}
	check := inside(idApp, false, proc(41, "check", p.shim, systemd))
	check.Container.Name, check.Pod = "app", p.app.Pod
	p.signal(10_000, unix.SIGKILL, check, from(p.shim))
	p.exit(10_001, check, 137)
	d := p.death(60_000)
	expect(t, d, event.CauseRuntimeStop, event.Proven, p.shim)
	if strings.Contains(d.Summary, "another runtime client") || !strings.Contains(d.Summary, "exec probe") || d.RequestedBy != "" {
		t.Error(d.Summary)
	}
}

// A pod that is taken down has no sandbox that is ready: no reason of its own.
func TestDeletionBeforeTheSandbox(t *testing.T) {
	p := newPodWorld(t)
	p.sees(kubefact.SourceKubeletLog)
	p.fact(9000, kubefact.SourceKubeletLog, kubefact.Deleted)
	p.fact(9900, kubefact.SourceKubeletLog, kubefact.SandboxChanged)
	stops["exits 0"](p)
	expect(t, p.death(60_000), event.CausePodDeleted, event.Likely, nil)
}

// A container that was stopped for its probe, and whose pod was deleted while it
// took its time to end, died of the probe.
func TestTheFirstReasonCounts(t *testing.T) {
	p := newPodWorld(t)
	p.sees(kubefact.SourceKubeletLog)
	p.fact(9990, kubefact.SourceKubeletLog, kubefact.LivenessFailed)
	p.fact(20_000, kubefact.SourceKubeletLog, kubefact.Deleted)
	stops["needs SIGKILL"](p)
	expect(t, p.death(60_000), event.CauseLivenessProbe, event.Likely, nil)
}

// What sources say against each other is shown, and lowers the confidence.
func TestContradiction(t *testing.T) {
	p := newPodWorld(t)
	p.sees(kubefact.SourceKubeletLog)
	p.sees(kubefact.SourceAPI)
	p.fact(9990, kubefact.SourceKubeletLog, kubefact.LivenessFailed)
	p.fact(9990, kubefact.SourceCRI, kubefact.LivenessFailed)
	p.fact(9995, kubefact.SourceAPI, kubefact.DefinitionChanged, says("Killing: Container app definition changed"))
	stops["exits 0"](p)
	d := p.death(60_000)
	expect(t, d, event.CauseLivenessProbe, event.Likely, nil)
	found := false
	for _, ev := range d.Evidence {
		found = found || ev.Source == kubefact.SourceAPI && strings.HasPrefix(ev.Text, "does not agree")
	}
	if !found {
		t.Errorf("%+v", d.Evidence)
	}
}

// A preStop hook that sends the signal is a hop; a session of a person's is not.
func TestPreStopSendsTheSignal(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(*podWorld)
		cause   event.Cause
	}{
		"by the pod's settings": {func(p *podWorld) {
			p.settings(func(s *kubefact.PodSettings) { s.Containers[0].PreStop = true })
			p.fact(9000, kubefact.SourceAPI, kubefact.Deleted)
		}, event.CausePodDeleted},
		"by the log": {func(p *podWorld) {
			p.fact(9900, kubefact.SourceKubeletLog, kubefact.Deleted)
			p.fact(9990, kubefact.SourceKubeletLog, kubefact.PreStopHook, func(f *kubefact.Fact) { f.ContainerID = idApp })
		}, event.CausePodDeleted},
		"there is no hook": {func(p *podWorld) {
			p.settings(nil)
			p.fact(9000, kubefact.SourceAPI, kubefact.Deleted)
		}, event.CauseExecSession},
		"nothing stops the pod": {func(p *podWorld) {
			p.settings(func(s *kubefact.PodSettings) { s.Containers[0].PreStop = true })
		}, event.CauseExecSession},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPodWorld(t)
			p.sees(kubefact.SourceAPI)
			c.prepare(p)
			hook := inside(idApp, false, proc(40, "nginx", p.shim, systemd))
			p.signal(10_000, unix.SIGQUIT, p.app, from(hook), handled)
			p.exit(10_400, p.app, 0)
			d := p.death(60_000)
			if d.Cause != c.cause {
				t.Fatalf("%s: %s", d.Cause, d.Summary)
			}
			if c.cause == event.CausePodDeleted && (d.Actor != nil || !proctree.Same(d.Chain[len(d.Chain)-1].Process, hook)) {
				t.Errorf("%+v %+v", d.Actor, d.Chain)
			}
		})
	}
}

// Once a pod's work is done its sidecars and its sandbox go.
func TestPodFinished(t *testing.T) {
	settings := func(p *podWorld) {
		p.settings(func(s *kubefact.PodSettings) {
			s.RestartPolicy = "Never"
			s.Containers = append(s.Containers, kubefact.ContainerSettings{Name: "proxy", Role: kubefact.RoleSidecar})
		})
	}
	idProxy := strings.Repeat("c3", 32)
	for name, victim := range map[string]string{"sidecar": "proxy", "sandbox": ""} {
		t.Run(name, func(t *testing.T) {
			p := newPodWorld(t)
			p.sees(kubefact.SourceAPI)
			settings(p)
			p.exit(9000, p.app, 0)
			expect(t, p.death(11_500), event.CauseExited, event.Proven, nil)
			other := p.process(11, "envoy", victim, idProxy)
			p.signal(10_000, unix.SIGTERM, other, from(p.runc))
			p.exit(10_001, other, 143)
			d := p.death(13_000)
			expect(t, d, event.CausePodFinished, event.Likely, nil)
			if !strings.Contains(d.Summary, "its pod has finished: container app completed") {
				t.Error(d.Summary)
			}
		})
	}
	t.Run("the work itself is none of it", func(t *testing.T) {
		p := newPodWorld(t)
		p.sees(kubefact.SourceAPI)
		settings(p)
		stops["exits 0"](p)
		p.fact(11_000, kubefact.SourceAPI, kubefact.Finished, afterwards)
		expect(t, p.death(60_000), event.CauseRuntimeStop, event.Likely, p.runc)
	})
}

// What Kubernetes reports is wrong in both directions.
func TestKubernetesSays(t *testing.T) {
	oomed := func(p *podWorld) {
		p.oom(10_000, p.app, proc(50, "other"), nil)
		p.exit(10_001, p.app, 137)
	}
	exits0 := func(p *podWorld) { p.exit(10_001, p.app, 0) }
	for name, c := range map[string]struct {
		end    func(*podWorld)
		reason string
		code   int
		agrees bool
	}{
		"a true OOM":                     {oomed, "OOMKilled", 137, true},
		"a true OOM as Error":            {oomed, "Error", 137, false},
		"OOMKilled after a child's":      {stops["exits 143"], "OOMKilled", 143, false},
		"OOMKilled, and yet exit code 0": {exits0, "OOMKilled", 0, false},
		"Completed":                      {exits0, "Completed", 0, true},
		"another code":                   {exits0, "Error", 255, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPodWorld(t)
			p.sees(kubefact.SourceCRI)
			c.end(p)
			p.fact(10_600, kubefact.SourceCRI, kubefact.Terminated, status(c.reason, c.code))
			d := p.death(60_000)
			k := d.KubernetesSays
			if k == nil || k.Reason != c.reason || k.ExitCode == nil || *k.ExitCode != c.code || k.Agrees != c.agrees {
				t.Fatalf("%+v", k)
			}
			if reported := strings.Contains(d.Summary, "shows otherwise"); reported == c.agrees {
				t.Error(d.Summary)
			}
		})
	}
	t.Run("an OOM kill besides the init", func(t *testing.T) {
		p := newPodWorld(t)
		p.sees(kubefact.SourceCRI)
		p.settings(nil)
		child := inside(idApp, false, proc(12, "worker", p.app, p.shim, systemd))
		child.Pod = p.app.Pod
		p.oom(10_000, child, proc(50, "other"), nil)
		p.exit(10_001, child, 137)
		d := p.death(10_200)
		if k := d.KubernetesSays; k == nil || k.Agrees || k.Reason != "" || !strings.Contains(d.Summary, "Kubernetes does not report it") {
			t.Errorf("%+v %s", k, d.Summary)
		}
	})
}

// A record waits for those who see, and no longer than it may.
func TestWaits(t *testing.T) {
	p := newPodWorld(t)
	p.sees(kubefact.SourceCRI)
	p.exit(10_000, p.app, 0)
	p.none(11_000)
	p.fact(11_100, kubefact.SourceCRI, kubefact.Terminated, status("Completed", 0))
	p.death(11_150)

	p = newPodWorld(t)
	p.sees(kubefact.SourceAPI)
	p.exit(10_000, p.app, 0)
	p.none(11_900)
	p.death(12_000)

	p = newPodWorld(t) // nobody there
	p.exit(10_000, p.app, 0)
	p.death(10_150)

	p = newPodWorld(t) // not of a pod
	p.sees(kubefact.SourceAPI)
	host := proc(60, "cron")
	p.signal(10_000, unix.SIGKILL, host, from(proc(61, "kill")))
	p.exit(10_000, host, 137)
	p.death(10_150)
}

// Whoever is set off by a stop of kubelet's is reported of it.
func TestChildrenOfAStoppedInit(t *testing.T) {
	p := newPodWorld(t)
	livenessBy[kubefact.SourceKubeletLog](p)
	child := inside(idApp, false, proc(12, "worker", p.app, p.shim, systemd))
	child.Container.Name, child.Pod = "app", p.app.Pod
	p.signal(10_000, unix.SIGKILL, p.app, from(p.runc))
	p.exit(10_001, p.app, 137)
	p.signal(10_002, unix.SIGKILL, child, via(event.ViaPidnsExit), trigger(p.app))
	p.exit(10_003, child, 137)
	var d *event.Death
	for _, ev := range p.e.Due(60_000 * ms) {
		if is, ok := ev.(*event.Death); ok && is.Process.PID == child.PID {
			d = is
		}
	}
	if d == nil {
		t.Fatal("no record of the child's death")
	}
	expect(t, d, event.CausePIDNamespaceEnded, event.Proven, nil)
	if d.RequestedBy != "kubelet" || !strings.Contains(d.Summary, "liveness_probe") || d.Chain[0].What != "liveness probe failed" {
		t.Errorf("%s %+v", d.Summary, d.Chain)
	}
}

// A replay draws the same: facts come by wall time, and nothing asks a clock.
func TestNoClock(t *testing.T) {
	var summaries [2]string
	for i := range summaries {
		p := newPodWorld(t)
		livenessBy[kubefact.SourceAPI](p)
		stops["needs SIGKILL"](p)
		summaries[i] = p.death(60_000).Summary
		time.Sleep(time.Millisecond)
	}
	if summaries[0] != summaries[1] {
		t.Error(summaries)
	}
}

// "No ready sandbox" is logged up to 40 ms after the sandbox of a pod that has ended
// Who had the pod deleted is in the record and in the sentence; what comes to be
// An exec probe that is OOM-killed itself shows in the evidence; a worker of the
