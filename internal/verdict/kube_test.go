// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/kubefact"
	"github.com/sigtrace/sigtrace/internal/kubereason"
	"github.com/sigtrace/sigtrace/internal/proctree"
)

// idApp is the runtime's id of the container that the tests below kill.
var idApp = strings.Repeat("a1", 32)

// podWorld is a pod's container under containerd, with a runc that kubelet, or
// somebody else, had called.
type podWorld struct {
	*world
	shim, runc, app *event.Process
}

func at(ms uint64) time.Time { return time.Unix(0, int64(ms*1e6)).UTC() }

func newPodWorld(t *testing.T) *podWorld {
	p := &podWorld{world: newWorld(t, Options{})}
	p.shim = proc(6, "containerd-shim-runc-v2", systemd)
	p.runc = proc(30, "runc", p.shim, systemd)
	p.app = p.process(10, "server", "app", idApp)
	return p
}

// process is the init of a container of pod shop/web-0, begun at 100 ms.
func (p *podWorld) process(pid int, comm, name, id string) *event.Process {
	app := inside(id, true, proc(pid, comm, p.shim, systemd))
	app.Container.Name = name
	app.Pod = &event.Pod{Namespace: "shop", Name: "web-0", UID: "uid-1"}
	start := at(100)
	app.StartTime = &start
	return app
}

func (p *podWorld) sees(source string) {
	p.e.Fact(&kubefact.Fact{Time: at(0), Source: source, Kind: kubefact.Available, Complete: source != kubefact.SourceCounters})
}

type factOption func(*kubefact.Fact)

// fact reports container app of shop/web-0; the log knows its id, the API the
// pod's UID.
func (p *podWorld) fact(when uint64, source string, kind kubefact.Kind, opts ...factOption) {
	f := &kubefact.Fact{Time: at(when), Source: source, Kind: kind, Namespace: "shop", Pod: "web-0"}
	if kubereason.OfContainer(kind) || kind == kubefact.Stopping || kind == kubefact.ProbeResults || kind == kubefact.Terminated {
		f.Container = "app"
	}
	switch {
	case source != kubefact.SourceKubeletLog:
		f.UID = "uid-1"
	case kind != kubefact.ProbeResults && f.Container != "":
		f.ContainerID = idApp
	}
	for _, o := range opts {
		o(f)
	}
	p.e.Fact(f)
}

func probe(name string, failed, succeeded int) factOption {
	return func(f *kubefact.Fact) { f.Probe, f.Failed, f.Succeeded = name, failed, succeeded }
}

func status(reason string, code int) factOption {
	return func(f *kubefact.Fact) { f.Reason, f.ExitCode, f.ContainerID = reason, &code, idApp }
}

func (p *podWorld) settings(edit func(*kubefact.PodSettings)) {
	s := &kubefact.PodSettings{RestartPolicy: "Always", Containers: []kubefact.ContainerSettings{{
		Name: "app", Liveness: &kubefact.ProbeSettings{PeriodSeconds: 1, TimeoutSeconds: 1, FailureThreshold: 3},
	}}}
	if edit != nil {
		edit(s)
	}
	p.e.Fact(&kubefact.Fact{Source: kubefact.SourceAPI, Kind: kubefact.Pod, Namespace: "shop", Pod: "web-0", UID: "uid-1", Settings: s})
}

// The words of each source that a liveness kill at 10 s can be reported by.
var livenessBy = map[string]func(*podWorld){
	kubefact.SourceKubeletLog: func(p *podWorld) {
		p.sees(kubefact.SourceKubeletLog)
		p.fact(9990, kubefact.SourceKubeletLog, kubefact.LivenessFailed)
		p.fact(9999, kubefact.SourceKubeletLog, kubefact.Stopping)
	},
	kubefact.SourceAPI: func(p *podWorld) {
		p.sees(kubefact.SourceAPI)
		p.fact(9000, kubefact.SourceAPI, kubefact.LivenessFailed) // whole seconds
	},
	kubefact.SourceCounters: func(p *podWorld) {
		p.sees(kubefact.SourceCounters)
		p.settings(nil)
		for i := range uint64(3) {
			p.fact(7950+1000*i, kubefact.SourceCounters, kubefact.ProbeResults, probe("liveness", 1, 0))
		}
	},
}

// stops are the ways in which an app can end when it is stopped.
var stops = map[string]func(*podWorld){
	"dies of SIGTERM": func(p *podWorld) {
		p.signal(10_000, unix.SIGTERM, p.app, from(p.runc))
		p.exit(10_001, p.app, 143)
	},
	"exits 0": func(p *podWorld) {
		p.signal(10_000, unix.SIGTERM, p.app, from(p.runc), handled)
		p.exit(10_500, p.app, 0)
	},
	"exits 143": func(p *podWorld) {
		p.signal(10_000, unix.SIGTERM, p.app, from(p.runc), handled)
		p.exit(10_500, p.app, 143, byCode)
	},
	"exits 7": func(p *podWorld) {
		p.signal(10_000, unix.SIGTERM, p.app, from(p.runc), handled)
		p.exit(10_500, p.app, 7)
	},
	"needs SIGKILL": func(p *podWorld) {
		p.signal(10_000, unix.SIGTERM, p.app, from(p.runc), ignored)
		p.signal(40_000, unix.SIGKILL, p.app, from(p.runc))
		p.exit(40_001, p.app, 137)
	},
}

func TestLivenessByAnySource(t *testing.T) {
	for source, says := range livenessBy {
		for how, stop := range stops {
			t.Run(source+"/"+how, func(t *testing.T) {
				p := newPodWorld(t)
				says(p)
				stop(p)
				d := p.death(60_000)
				expect(t, d, event.CauseLivenessProbe, event.Likely, nil)
				if d.RequestedBy != "kubelet" || len(d.Chain) < 3 || d.Chain[0].Process != nil || !proctree.Same(d.Chain[2].Process, p.runc) {
					t.Errorf("requested by %q, chain %+v", d.RequestedBy, d.Chain)
				}
				if !strings.Contains(d.Summary, "liveness probe failed") {
					t.Error(d.Summary)
				}
				if !hasEvidence(d, source) {
					t.Errorf("no evidence of %s: %+v", source, d.Evidence)
				}
			})
		}
	}
	t.Run("together", func(t *testing.T) {
		p := newPodWorld(t)
		for _, says := range livenessBy {
			says(p)
		}
		stops["dies of SIGTERM"](p)
		p.none(10_200)
		p.fact(10_300, kubefact.SourceCRI, kubefact.Terminated, status("Error", 143))
		d := p.death(10_400) // all have spoken: no wait
		expect(t, d, event.CauseLivenessProbe, event.Proven, nil)
		if k := d.KubernetesSays; k == nil || !k.Agrees || k.Reason != "Error" || *k.ExitCode != 143 {
			t.Errorf("%+v", k)
		}
	})
}

func hasEvidence(d *event.Death, source string) bool {
	for _, ev := range d.Evidence {
		if ev.Source == source {
			return true
		}
	}
	return false
}

// With restartPolicy Never the Event says only that the container is stopped.
func TestLivenessWithoutTheWord(t *testing.T) {
	p := newPodWorld(t)
	p.sees(kubefact.SourceAPI)
	p.settings(func(s *kubefact.PodSettings) { s.RestartPolicy = "Never" })
	for i := range uint64(3) {
		p.fact(7000+1000*i, kubefact.SourceAPI, kubefact.ProbeResults, probe("liveness", 1, 0))
	}
	p.fact(9000, kubefact.SourceAPI, kubefact.Stopping)
	stops["exits 0"](p)
	expect(t, p.death(13_000), event.CauseLivenessProbe, event.Likely, nil)
}

// The container that comes next answers its probe within a second of the stop:
// that takes nothing from the failures before it.
func TestCountersOfTheNextContainer(t *testing.T) {
	p := newPodWorld(t)
	livenessBy[kubefact.SourceCounters](p)
	p.signal(10_000, unix.SIGTERM, p.app, from(p.runc), handled)
	p.exit(10_010, p.app, 0)
	p.fact(10_800, kubefact.SourceCounters, kubefact.ProbeResults, probe("liveness", 0, 1))
	expect(t, p.death(13_000), event.CauseLivenessProbe, event.Likely, nil)
}

// What does not make a liveness kill.
func TestNoLiveness(t *testing.T) {
	t.Run("a stop by hand while the probe flaps", func(t *testing.T) {
		for _, source := range []string{kubefact.SourceKubeletLog, kubefact.SourceAPI, kubefact.SourceCounters} {
			p := newPodWorld(t)
			p.sees(source)
			p.settings(nil)
			for i := range uint64(4) {
				ok := 0
				if source == kubefact.SourceCounters {
					ok = 1
				}
				p.fact(2500+2000*i, source, kubefact.ProbeResults, probe("liveness", 1, ok)) // every other one fails
			}
			stops["needs SIGKILL"](p)
			d := p.death(60_000)
			want := event.Likely // nobody but kubelet's silence says that it did not ask
			if source == kubefact.SourceCounters {
				want = event.Proven
			}
			expect(t, d, event.CauseRuntimeStop, want, p.runc)
			if byHand := strings.Contains(d.Summary, "another runtime client"); byHand != (source != kubefact.SourceCounters) {
				t.Errorf("%s: %s", source, d.Summary)
			}
			if !hasEvidence(d, source) {
				t.Errorf("the failures are not told: %+v", d.Evidence)
			}
		}
	})
	t.Run("a foreign kill after failures", func(t *testing.T) {
		p := newPodWorld(t)
		killer := proc(40, "pkill")
		for _, says := range livenessBy {
			says(p)
		}
		p.signal(9995, unix.SIGKILL, p.app, from(killer))
		p.exit(9996, p.app, 137)
		expect(t, p.death(13_000), event.CauseForeignProcess, event.Proven, killer)
	})
	t.Run("of another container", func(t *testing.T) {
		p := newPodWorld(t)
		p.sees(kubefact.SourceKubeletLog)
		p.fact(9990, kubefact.SourceKubeletLog, kubefact.LivenessFailed, func(f *kubefact.Fact) { f.ContainerID, f.Container = strings.Repeat("b2", 32), "side" })
		stops["exits 0"](p)
		expect(t, p.death(13_000), event.CauseRuntimeStop, event.Likely, p.runc)
	})
	t.Run("of the one before", func(t *testing.T) {
		p := newPodWorld(t)
		start := at(20_000)
		p.app.StartTime = &start
		p.sees(kubefact.SourceAPI)
		p.fact(9000, kubefact.SourceAPI, kubefact.LivenessFailed)
		p.signal(25_000, unix.SIGKILL, p.app, from(p.runc))
		p.exit(25_001, p.app, 137)
		expect(t, p.death(28_000), event.CauseRuntimeStop, event.Proven, p.runc)
	})
	t.Run("decided after a stop by hand had begun", func(t *testing.T) {
		p := newPodWorld(t)
		p.sees(kubefact.SourceKubeletLog)
		p.signal(10_000, unix.SIGTERM, p.app, from(p.runc), ignored)
		p.fact(20_000, kubefact.SourceKubeletLog, kubefact.LivenessFailed)
		p.signal(40_000, unix.SIGKILL, p.app, from(p.runc))
		p.exit(40_001, p.app, 137)
		expect(t, p.death(43_000), event.CauseRuntimeStop, event.Likely, p.runc)
	})
}

// Late words make a new revision of the same record, and only where they change
// something.
func TestRevisions(t *testing.T) {
	p := newPodWorld(t)
	p.sees(kubefact.SourceKubeletLog)
	p.sees(kubefact.SourceAPI)
	stops["dies of SIGTERM"](p)
	p.none(11_900)
	d := p.death(12_100)
	expect(t, d, event.CauseRuntimeStop, event.Likely, p.runc)
	p.fact(9000, kubefact.SourceAPI, kubefact.LivenessFailed)
	second := p.death(14_000)
	expect(t, second, event.CauseLivenessProbe, event.Likely, nil)
	if second.ID != d.ID || d.Revision != 1 || second.Revision != 2 {
		t.Errorf("%s revision %d, then %s revision %d", d.ID, d.Revision, second.ID, second.Revision)
	}
	p.fact(9990, kubefact.SourceKubeletLog, kubefact.LivenessFailed)
	if third := p.death(15_000); third.Revision != 3 || third.Confidence != event.Proven {
		t.Errorf("%+v", third)
	}
	p.fact(9999, kubefact.SourceKubeletLog, kubefact.Stopping)
	p.none(16_000)
}

func TestBlindSource(t *testing.T) {
	p := newPodWorld(t)
	p.sees(kubefact.SourceAPI)
	p.e.Fact(&kubefact.Fact{Time: at(9000), Source: kubefact.SourceAPI, Kind: kubefact.Unavailable, Text: "connection refused"})
	stops["dies of SIGTERM"](p)
	d := p.death(10_200) // nobody to wait for
	expect(t, d, event.CauseRuntimeStop, event.Proven, p.runc)
	if !hasEvidence(d, kubefact.SourceAPI) || !strings.Contains(d.Summary, "unavailable: kubernetes api") {
		t.Errorf("%s %+v", d.Summary, d.Evidence)
	}
}
