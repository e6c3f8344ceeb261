// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/kubefact"
)

// What Kubernetes says of one container or pod must not be taken for a word about
// the one before, the one after, or the one beside it.

var idAgain = strings.Repeat("c3", 32)

// again is the app's container after a restart.
func (p *podWorld) again(started uint64) *event.Process {
	start := at(started)
	app := p.process(11, "server", "app", idAgain)
	app.StartTime = &start
	return app
}

func ofUID(uid string) factOption { return func(f *kubefact.Fact) { f.UID = uid } }

func since(ms uint64) factOption { return func(f *kubefact.Fact) { f.Since = at(ms) } }

// A graceful stop takes as long as the pod is given.
func TestLongGrace(t *testing.T) {
	for name, exit := range map[string]uint64{"drained in time": 100_000, "later than anybody waits": 400_000} {
		t.Run(name, func(t *testing.T) {
			p := newPodWorld(t)
			p.sees(kubefact.SourceAPI)
			grace := int64(300)
			p.settings(nil)
			p.fact(9900, kubefact.SourceAPI, kubefact.Deleted, func(f *kubefact.Fact) { f.GraceSeconds = &grace })
			p.signal(10_000, unix.SIGTERM, p.app, from(p.runc), handled)
			p.exit(exit, p.app, 0)
			want, confidence := event.CausePodDeleted, event.Likely
			if exit > 312_000 {
				want, confidence = event.CauseExited, event.Proven
			}
			expect(t, p.death(exit+10_000), want, confidence, nil)
		})
	}
}

// A preStop hook that sends the signal itself does so for kubelet.
func TestLongGraceOfAHook(t *testing.T) {
	for _, hook := range []bool{true, false} {
		p := newPodWorld(t)
		p.sees(kubefact.SourceAPI)
		grace := int64(300)
		p.settings(func(s *kubefact.PodSettings) { s.GraceSeconds, s.Containers[0].PreStop = &grace, hook })
		p.fact(9000, kubefact.SourceAPI, kubefact.Deleted)
		kill := inside(idApp, false, proc(41, "kill", p.shim, systemd))
		kill.Pod = p.app.Pod
		p.signal(10_000, unix.SIGTERM, p.app, from(kill), handled)
		p.exit(100_000, p.app, 0)
		want := event.CauseExited
		if hook {
			want = event.CausePodDeleted
		}
		if d := p.death(110_000); d.Cause != want {
			t.Errorf("a hook: %v: %s: %s", hook, d.Cause, d.Summary)
		}
	}
}

// Whoever else asks has a minute, whatever the pod's grace period.
func TestLongGraceIsTheRuntimes(t *testing.T) {
	p := newPodWorld(t)
	p.sees(kubefact.SourceAPI)
	grace := int64(300)
	p.settings(func(s *kubefact.PodSettings) { s.GraceSeconds = &grace })
	p.signal(10_000, unix.SIGTERM, p.app, from(proc(40, "kill")), handled)
	p.exit(100_000, p.app, 0)
	expect(t, p.death(110_000), event.CauseExited, event.Proven, nil)
}

// It cleans up for five seconds and then raises again what it was stopped with.
func TestReraiseAfterCleaningUp(t *testing.T) {
	p := newPodWorld(t)
	p.sees(kubefact.SourceAPI)
	p.fact(9900, kubefact.SourceAPI, kubefact.Deleted)
	p.signal(10_000, unix.SIGTERM, p.app, from(p.runc), handled)
	p.signal(15_000, unix.SIGTERM, p.app, from(p.app))
	p.exit(15_001, p.app, 143)
	expect(t, p.death(18_000), event.CausePodDeleted, event.Likely, nil)
}

// Kubelet's log names pods without a UID: the pod of that name that was removed
// was another one, whether its successor was known by then or not.
func TestRemovalOfThePodBefore(t *testing.T) {
	removed := func(p *podWorld) {
		p.fact(10, kubefact.SourceKubeletLog, kubefact.Deleted)
		p.fact(50, kubefact.SourceKubeletLog, kubefact.Deleted)
	}
	t.Run("its successor is killed for liveness", func(t *testing.T) {
		p := newPodWorld(t)
		p.sees(kubefact.SourceAPI)
		p.sees(kubefact.SourceKubeletLog)
		p.fact(10, kubefact.SourceAPI, kubefact.Deleted, ofUID("uid-0"))
		p.settings(nil)
		removed(p)
		p.fact(999_990, kubefact.SourceKubeletLog, kubefact.LivenessFailed)
		p.fact(999_100, kubefact.SourceAPI, kubefact.LivenessFailed)
		p.signal(1_000_000, unix.SIGTERM, p.app, from(p.runc))
		p.exit(1_000_010, p.app, 143)
		expect(t, p.death(1_003_000), event.CauseLivenessProbe, event.Proven, nil)
	})
	t.Run("its successor is stopped by hand", func(t *testing.T) {
		p := newPodWorld(t)
		removed(p)
		p.sees(kubefact.SourceKubeletLog)
		p.signal(86_400_000, unix.SIGKILL, p.app, from(p.runc))
		p.exit(86_400_001, p.app, 137)
		expect(t, p.death(86_403_000), event.CauseRuntimeStop, event.Likely, p.runc)
	})
	t.Run("its own", func(t *testing.T) {
		p := newPodWorld(t)
		p.sees(kubefact.SourceKubeletLog)
		p.fact(9990, kubefact.SourceKubeletLog, kubefact.Deleted)
		p.signal(10_000, unix.SIGTERM, p.app, from(p.runc))
		p.exit(10_010, p.app, 143)
		expect(t, p.death(13_000), event.CausePodDeleted, event.Likely, nil)
	})
}

// Kubelet's Events of a pod that restarts over and over are dropped: that there
// is none proves nothing.
func TestSilenceOfTheAPI(t *testing.T) {
	for name, c := range map[string]struct {
		restarts int
		counted  bool
		byHand   bool
		want     event.Cause
	}{
		"a quiet pod":               {0, false, true, event.CauseRuntimeStop},
		"after many restarts":       {6, false, false, event.CauseRuntimeStop},
		"the counters know better":  {6, true, false, event.CauseLivenessProbe},
		"also of a pod that is new": {0, true, false, event.CauseLivenessProbe},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPodWorld(t)
			p.sees(kubefact.SourceAPI)
			if c.counted {
				livenessBy[kubefact.SourceCounters](p)
			}
			p.settings(func(s *kubefact.PodSettings) { s.Restarts = c.restarts })
			stops["dies of SIGTERM"](p)
			d := p.death(13_000)
			if d.Cause != c.want || strings.Contains(d.Summary, "another runtime client") != c.byHand {
				t.Errorf("%s: %s", d.Cause, d.Summary)
			}
		})
	}
}

// The API's seconds are whole: the word that ended a container may seem to come
// less than a second before the next one's start.
func TestWordAboutTheContainerBefore(t *testing.T) {
	p := newPodWorld(t)
	p.sees(kubefact.SourceAPI)
	p.settings(nil)
	p.fact(10_000, kubefact.SourceAPI, kubefact.LivenessFailed) // at 10.1
	p.signal(10_150, unix.SIGTERM, p.app, from(p.runc))
	p.exit(10_160, p.app, 143)
	expect(t, p.death(13_000), event.CauseLivenessProbe, event.Likely, nil)
	app := p.again(10_700)
	p.fact(3_600_000, kubefact.SourceAPI, kubefact.Deleted)
	p.signal(3_600_100, unix.SIGTERM, app, from(p.runc))
	p.exit(3_600_101, app, 143)
	expect(t, p.death(3_603_000), event.CausePodDeleted, event.Likely, nil)
}

// An exec probe that runs out of time in a container that was restarted long ago.
func TestProbeBesideTheInit(t *testing.T) {
	p := newPodWorld(t)
	p.sees(kubefact.SourceAPI)
	p.settings(nil)
	p.fact(9000, kubefact.SourceAPI, kubefact.LivenessFailed)
	stops["dies of SIGTERM"](p)
	expect(t, p.death(13_000), event.CauseLivenessProbe, event.Likely, nil)
	p.again(12_000)
	check := inside(idAgain, false, proc(41, "check", p.shim, systemd))
	check.Container.Name, check.Pod = "app", p.app.Pod
	p.signal(3_600_000, unix.SIGKILL, check, from(p.shim))
	p.exit(3_600_001, check, 137)
	expect(t, p.death(3_603_000), event.CauseRuntimeStop, event.Proven, p.shim)
}

// What the next container answers pushes no failure out, and takes no word back.
func TestSuccessesPushNothingOut(t *testing.T) {
	p := newPodWorld(t)
	livenessBy[kubefact.SourceCounters](p)
	stops["dies of SIGTERM"](p)
	expect(t, p.death(13_000), event.CauseLivenessProbe, event.Likely, nil)
	for i := range uint64(100) {
		p.fact(20_000+5000*i, kubefact.SourceCounters, kubefact.ProbeResults, probe("liveness", 0, 1), since(15_000+5000*i))
		if again := p.e.Due((20_010 + 5000*i) * ms); len(again) > 0 {
			t.Fatalf("revised: %+v", again[0])
		}
	}
}

func TestChattyProbesBesideASlowOne(t *testing.T) {
	p := newPodWorld(t)
	p.sees(kubefact.SourceCounters)
	p.settings(func(s *kubefact.PodSettings) { s.Containers[0].Liveness.PeriodSeconds = 30 })
	for s := range uint64(100) {
		for _, side := range []string{"proxy", "logger"} {
			p.fact(10_000+s*1000, kubefact.SourceCounters, kubefact.ProbeResults, probe("liveness", 0, 1), func(f *kubefact.Fact) { f.Container = side })
		}
		if s%30 == 9 { // 19, 49 and 79 s
			p.fact(10_000+s*1000, kubefact.SourceCounters, kubefact.ProbeResults, probe("liveness", 1, 0))
		}
	}
	p.signal(100_000, unix.SIGTERM, p.app, from(p.runc))
	p.exit(100_001, p.app, 143)
	expect(t, p.death(113_000), event.CauseLivenessProbe, event.Likely, nil)
}

// Facts that are too many are forgotten; the record that rests on them stays.
func TestForgottenFactsTakeNothingBack(t *testing.T) {
	p := newPodWorld(t)
	livenessBy[kubefact.SourceCounters](p)
	stops["dies of SIGTERM"](p)
	expect(t, p.death(13_000), event.CauseLivenessProbe, event.Likely, nil)
	for i := range uint64(2 * 96) {
		p.fact(20_000+1000*i, kubefact.SourceCounters, kubefact.ProbeResults, probe("liveness", 1, 1), since(19_000+1000*i))
		if again := p.e.Due((20_010 + 1000*i) * ms); len(again) > 0 {
			t.Fatalf("revised: %+v", again[0])
		}
	}
}

// The failure that decided is in the reading that its kill brought about, and
// that may take its time.
func TestCountersReadLate(t *testing.T) {
	p := newPodWorld(t)
	p.sees(kubefact.SourceCounters)
	p.settings(nil)
	p.fact(8000, kubefact.SourceCounters, kubefact.ProbeResults, probe("liveness", 2, 0), since(3000))
	p.signal(10_000, unix.SIGTERM, p.app, from(p.runc))
	p.exit(10_001, p.app, 143)
	p.fact(11_200, kubefact.SourceCounters, kubefact.ProbeResults, probe("liveness", 1, 0), since(8000))
	expect(t, p.death(13_000), event.CauseLivenessProbe, event.Likely, nil)
}

// Somebody deletes a static pod's mirror: kubelet makes another, and what happens
// to the pod later has its own reason. What ended with the pod did so all the same.
func TestMirrorDeleted(t *testing.T) {
	for name, c := range map[string]struct {
		stop uint64
		want event.Cause
	}{
		"later":     {3_600_000, event.CauseLivenessProbe},
		"meanwhile": {5_500, event.CausePodDeleted},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPodWorld(t)
			p.sees(kubefact.SourceAPI)
			p.settings(nil)
			p.fact(100, kubefact.SourceAPI, kubefact.Mirrored)
			p.fact(5000, kubefact.SourceAPI, kubefact.Deleted)
			p.fact(6000, kubefact.SourceAPI, kubefact.Mirrored)
			p.fact(3_599_900, kubefact.SourceAPI, kubefact.LivenessFailed)
			p.signal(c.stop, unix.SIGTERM, p.app, from(p.runc))
			p.exit(c.stop+10, p.app, 143)
			if d := p.death(c.stop + 3000); d.Cause != c.want {
				t.Errorf("%s: %s", d.Cause, d.Summary)
			}
		})
	}
}

// A kubelet that was restarted with a lower verbosity does not say whom it stops.
func TestLogThatSaysLess(t *testing.T) {
	for _, less := range []bool{false, true} {
		p := newPodWorld(t)
		p.sees(kubefact.SourceKubeletLog)
		p.settings(nil)
		if less {
			p.e.Fact(&kubefact.Fact{Time: at(5000), Source: kubefact.SourceKubeletLog, Kind: kubefact.Available})
		}
		stops["dies of SIGTERM"](p)
		if d := p.death(13_000); strings.Contains(d.Summary, "another runtime client") == less {
			t.Errorf("says less: %v: %s", less, d.Summary)
		}
	}
}

// Evidence never predates the container. These are the facts of a pod in the
// recording of Kubernetes 1.34: the container before was killed for its liveness
// probe 2.2 s before this one's start, and this one when its pod was deleted.
func TestEvidenceBeforeTheStart(t *testing.T) {
	p := newPodWorld(t)
	start := at(52_179)
	p.app.StartTime = &start
	p.sees(kubefact.SourceAPI)
	p.sees(kubefact.SourceKubeletLog)
	grace := int64(20)
	p.settings(func(s *kubefact.PodSettings) {
		s.GraceSeconds = &grace
		s.Containers[0] = kubefact.ContainerSettings{
			Name: "app", PreStop: true, Liveness: &kubefact.ProbeSettings{PeriodSeconds: 1, TimeoutSeconds: 5, FailureThreshold: 2},
		}
	})
	noID := func(f *kubefact.Fact) { f.ContainerID = "" }
	p.fact(49_964, kubefact.SourceKubeletLog, kubefact.LivenessFailed, probe("liveness", 0, 0), noID,
		func(f *kubefact.Fact) { f.Container = "" }, says("liveness probe: unhealthy"))
	p.fact(49_966, kubefact.SourceKubeletLog, kubefact.LivenessFailed, func(f *kubefact.Fact) { f.ContainerID = idAgain })
	p.fact(49_000, kubefact.SourceAPI, kubefact.LivenessFailed)
	p.fact(51_500, kubefact.SourceKubeletLog, kubefact.ProbeResults, probe("liveness", 2, 0))
	p.fact(61_000, kubefact.SourceAPI, kubefact.Deleted)
	p.fact(61_279, kubefact.SourceKubeletLog, kubefact.Deleted)
	p.fact(61_000, kubefact.SourceAPI, kubefact.Stopping)
	p.signal(62_290, unix.SIGTERM, p.app, from(p.runc))
	p.exit(62_305, p.app, 143)
	d := p.death(65_000)
	expect(t, d, event.CausePodDeleted, event.Proven, nil)
	for _, ev := range d.Evidence {
		if ev.Time.Before(at(52_000)) {
			t.Errorf("older than the container: %+v", ev)
		}
	}
}

// Nor does it predate the boot, which a static pod's UID outlives.
func TestReasonBeforeTheBoot(t *testing.T) {
	p := newPodWorld(t)
	start := at(600_000)
	p.app.StartTime = &start
	p.sees(kubefact.SourceAPI)
	p.fact(400_000, kubefact.SourceAPI, kubefact.NodeShutdown, afterwards)
	p.signal(700_000, unix.SIGTERM, p.app, from(p.runc))
	p.exit(700_010, p.app, 143)
	if d := p.death(703_000); d.Cause != event.CauseRuntimeStop {
		t.Errorf("%s: %s", d.Cause, d.Summary)
	}
}

// A record waits for nobody who cannot speak of its case: of a deletion no probe's
// counter does, of a sandbox there is no status.
func TestDeletionsWaitForNobody(t *testing.T) {
	all := []string{kubefact.SourceAPI, kubefact.SourceKubeletLog, kubefact.SourceCounters, kubefact.SourceCRI}
	for name, c := range map[string]struct {
		container string
		status    bool
		due       uint64
	}{
		"a container":                  {"app", true, 10_200},
		"a sandbox":                    {"", false, 10_200},
		"a status that takes its time": {"app", false, 10_900},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPodWorld(t)
			for _, source := range all {
				p.sees(source)
			}
			p.settings(nil)
			p.app.Container.Name = c.container
			p.fact(9000, kubefact.SourceAPI, kubefact.Deleted)
			p.fact(9990, kubefact.SourceKubeletLog, kubefact.Deleted)
			stops["dies of SIGTERM"](p)
			if c.status {
				p.fact(10_050, kubefact.SourceCRI, kubefact.Terminated, status("Error", 143))
			} else if c.container != "" {
				p.none(c.due - 200)
			}
			expect(t, p.death(c.due), event.CausePodDeleted, event.Proven, nil)
		})
	}
	t.Run("a log that says little", func(t *testing.T) {
		p := newPodWorld(t)
		p.sees(kubefact.SourceAPI)
		p.e.Fact(&kubefact.Fact{Time: at(0), Source: kubefact.SourceKubeletLog, Kind: kubefact.Available})
		p.fact(9000, kubefact.SourceAPI, kubefact.Deleted)
		stops["dies of SIGTERM"](p)
		p.fact(10_050, kubefact.SourceAPI, kubefact.Terminated, status("Error", 143))
		expect(t, p.death(10_200), event.CausePodDeleted, event.Likely, nil)
	})
	t.Run("a probe's kill waits for the counters", func(t *testing.T) {
		p := newPodWorld(t)
		livenessBy[kubefact.SourceAPI](p)
		p.sees(kubefact.SourceCounters)
		p.settings(nil)
		stops["dies of SIGTERM"](p)
		p.fact(10_050, kubefact.SourceAPI, kubefact.Terminated, status("Error", 143))
		p.none(10_900)
	})
}
