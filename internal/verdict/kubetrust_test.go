// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/kubefact"
)

// What Events say can be written by anybody who may create Events in the pod's
// namespace: alone they prove nothing.

func byEvent(f *kubefact.Fact) { f.Event = true }

func because(reason string) factOption { return func(f *kubefact.Fact) { f.Reason = reason } }

// A perfect copy of kubelet's Events about a container that somebody stopped with
// crictl: of its killing, of the failures before it, and of both.
func TestForgedEvents(t *testing.T) {
	killing := func(p *podWorld) { p.fact(9000, kubefact.SourceAPI, kubefact.LivenessFailed, byEvent) }
	failures := func(p *podWorld) {
		for i := range uint64(3) {
			p.fact(7000+1000*i, kubefact.SourceAPI, kubefact.ProbeResults, byEvent, probe("liveness", 1, 0))
		}
	}
	for name, forge := range map[string][]func(*podWorld){"killing": {killing}, "failures": {failures}, "both": {killing, failures}} {
		for has, settings := range map[string]func(*kubefact.PodSettings){
			"such a probe": nil,
			"no probe":     func(s *kubefact.PodSettings) { s.Containers[0].Liveness = nil },
			"another probe": func(s *kubefact.PodSettings) {
				s.Containers[0].Startup, s.Containers[0].Liveness = s.Containers[0].Liveness, nil
			},
		} {
			t.Run(name+"/"+has, func(t *testing.T) {
				p := newPodWorld(t)
				p.sees(kubefact.SourceAPI)
				p.settings(settings)
				for _, f := range forge {
					f(p)
				}
				stops["dies of SIGTERM"](p)
				d := p.death(13_000)
				if d.Cause == event.CauseLivenessProbe && (settings != nil || d.Confidence != event.Likely) {
					t.Errorf("%s (%s): %s", d.Cause, d.Confidence, d.Summary)
				}
			})
		}
	}
}

// Events beside a condition of the pod's are one source with it: the API. A second
// one, which is not the API, makes a reason proven.
func TestWhatProves(t *testing.T) {
	for name, c := range map[string]struct {
		say  func(*podWorld)
		want event.Confidence
	}{
		"an Event and the pod's status": {func(p *podWorld) {
			p.fact(9000, kubefact.SourceAPI, kubefact.Evicted, byEvent)
			p.fact(9500, kubefact.SourceAPI, kubefact.Evicted, because("TerminationByKubelet"))
		}, event.Likely},
		"two Events": {func(p *podWorld) {
			p.fact(9000, kubefact.SourceAPI, kubefact.Evicted, byEvent)
			p.fact(9000, kubefact.SourceAPI, kubefact.Evicted, byEvent, says("again"))
		}, event.Likely},
		"an Event and kubelet's log": {func(p *podWorld) {
			p.fact(9000, kubefact.SourceAPI, kubefact.Evicted, byEvent)
			p.fact(9900, kubefact.SourceKubeletLog, kubefact.Evicted)
		}, event.Proven},
		"the pod's status and kubelet's pods": {func(p *podWorld) {
			p.fact(9500, kubefact.SourceAPI, kubefact.Evicted, because("TerminationByKubelet"))
			p.fact(9600, kubefact.SourceKubeletPods, kubefact.Evicted, because("TerminationByKubelet"))
		}, event.Proven},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPodWorld(t)
			p.sees(kubefact.SourceAPI)
			c.say(p)
			stops["dies of SIGTERM"](p)
			expect(t, p.death(13_000), event.CauseEvicted, c.want, nil)
		})
	}
}

// Karpenter writes Events of reason Evicted beside its requests to the eviction
// API; without such a request they say nothing.
func TestEvictedByADrainer(t *testing.T) {
	p := newPodWorld(t)
	p.sees(kubefact.SourceAPI)
	p.fact(9000, kubefact.SourceAPI, kubefact.Disrupted, byEvent, says("Evicted: Evicted pod: Underutilized"),
		func(f *kubefact.Fact) { f.Reporter = "karpenter" })
	p.fact(9500, kubefact.SourceAPI, kubefact.Disrupted, because("EvictionByEvictionAPI"), says("EvictionByEvictionAPI: Eviction API: evicting"))
	p.fact(9500, kubefact.SourceAPI, kubefact.Deleted)
	stops["exits 0"](p)
	d := p.death(60_000)
	expect(t, d, event.CausePodDeleted, event.Likely, nil)
	if want := (event.Requester{Kind: "EvictionAPI", Name: "karpenter", Via: "EvictionByEvictionAPI"}); d.Requester == nil || *d.Requester != want ||
		!strings.Contains(d.Summary, "because its pod was deleted through the eviction API, by karpenter.") {
		t.Errorf("%s %+v", d.Summary, d.Requester)
	}

	p = newPodWorld(t)
	p.sees(kubefact.SourceAPI)
	p.fact(9000, kubefact.SourceAPI, kubefact.Disrupted, byEvent, says("Evicted: Evicted pod: Underutilized"),
		func(f *kubefact.Fact) { f.Reporter = "karpenter" })
	p.fact(9500, kubefact.SourceAPI, kubefact.Deleted)
	stops["exits 0"](p)
	if d := p.death(60_000); d.Cause != event.CausePodDeleted || strings.Contains(d.Summary, "Underutilized") {
		t.Errorf("%s: %s", d.Cause, d.Summary)
	}
}

// That kubelet was not heard asking for a stop is never proof that it did not.
func TestNotByKubeletIsNotProven(t *testing.T) {
	for _, source := range []string{kubefact.SourceKubeletLog, kubefact.SourceAPI} {
		p := newPodWorld(t)
		p.sees(source)
		p.settings(nil)
		p.signal(10_000, unix.SIGKILL, p.app, from(p.runc))
		p.exit(10_001, p.app, 137)
		d := p.death(13_000)
		expect(t, d, event.CauseRuntimeStop, event.Likely, p.runc)
		if !strings.Contains(d.Summary, "another runtime client") {
			t.Error(d.Summary)
		}
	}
}

// A pod whose author has given it the UID of another one, as the annotation of a
// mirror, does not speak for it.
func TestPodThatClaimsAnothersUID(t *testing.T) {
	evil := func(p *podWorld) {
		p.fact(9000, kubefact.SourceAPI, kubefact.Deleted, func(f *kubefact.Fact) { f.Pod = "evil" })
	}
	for name, order := range map[string][]func(*podWorld){
		"after the true one":  {func(p *podWorld) { p.settings(nil) }, evil},
		"before the true one": {evil, func(p *podWorld) { p.settings(nil) }},
		"alone":               {evil},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPodWorld(t)
			for _, f := range order {
				f(p)
			}
			stops["dies of SIGTERM"](p)
			expect(t, p.death(13_000), event.CauseRuntimeStop, event.Proven, p.runc)
		})
	}
}

// The manifest of a static pod was edited: kubelet makes another pod of it.
func TestStaticPodReplaced(t *testing.T) {
	for name, also := range map[string]func(*podWorld){
		"the API alone": func(*podWorld) {},
		"kubelet's log too": func(p *podWorld) {
			p.sees(kubefact.SourceKubeletLog)
			p.fact(9990, kubefact.SourceKubeletLog, kubefact.Deleted)
			p.fact(9999, kubefact.SourceKubeletLog, kubefact.Stopping)
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPodWorld(t)
			p.sees(kubefact.SourceAPI)
			p.settings(nil)
			also(p)
			stops["dies of SIGTERM"](p)
			first := p.death(12_500)
			if first.Confidence == event.Proven {
				t.Errorf("before it is known: %s (%s): %s", first.Cause, first.Confidence, first.Summary)
			}
			p.fact(13_000, kubefact.SourceAPI, kubefact.Replaced, afterwards, says("the manifest of the static pod was changed"))
			d := p.death(14_000)
			expect(t, d, event.CauseContainerChanged, event.Likely, nil)
			if d.RequestedBy != "kubelet" || !hasEvidence(d, kubefact.SourceAPI) {
				t.Errorf("%q %+v", d.RequestedBy, d.Evidence)
			}
		})
	}
}
