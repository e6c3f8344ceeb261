// SPDX-License-Identifier: Apache-2.0

package kubereason

import (
	"fmt"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/kubefact"
	"github.com/sigtrace/sigtrace/internal/phrase"
)

// unset are the settings of a probe that the API server fills in
// (pkg/apis/core/v1/defaults.go), for where a pod's are not known.
var unset = kubefact.ProbeSettings{PeriodSeconds: 10, TimeoutSeconds: 1, FailureThreshold: 3}

var causeOfProbe = map[string]event.Cause{"liveness": event.CauseLivenessProbe, "startup": event.CauseStartupProbe}

// run is a row of failures of one probe that ends at the stop.
type run struct {
	failed    int
	threshold int
	last      time.Time
	source    string
}

func (r run) enough() bool { return r.failed >= r.threshold }

// probed looks at the failures of the container's probes before the stop. A row
// of them as long as the threshold makes kubelet kill; it is the reason where
// kubelet's words name none, or where no source would have carried them.
func (c *Cluster) probed(s *Stop, r *Reason) {
	if s.Sandbox || s.Beside {
		return
	}
	for _, probe := range []string{"liveness", "startup"} {
		cause := causeOfProbe[probe]
		for _, source := range []string{kubefact.SourceKubeletLog, kubefact.SourceAPI, kubefact.SourceCounters} {
			n := s.run(probe, source)
			if n.failed == 0 || r.Cause != "" && r.Cause != cause {
				continue
			}
			// Counters report successes as well: at the end of such a row kubelet kills,
			// whether or not its Event has come through. The log shows all.
			silent := len(r.Requests) == 0 && (c.complete(kubefact.SourceKubeletLog, s.Began, s.Ended) ||
				source != kubefact.SourceCounters && c.NotByKubelet(s))
			if r.Cause == "" && n.enough() && !silent {
				r.Cause = cause
			}
			r.Probes = append(r.Probes, event.Evidence{Time: n.last, Source: source, Text: n.text(probe, s)})
			if n.enough() {
				r.sources = append(r.sources, source)
			}
		}
	}
}

func (r run) text(probe string, s *Stop) string {
	text := fmt.Sprintf("%s probe failed %d times in a row", probe, r.failed)
	if r.failed == 1 {
		text = probe + " probe failed once"
	}
	if output, _ := s.output(probe, r.source); output != "" {
		text += ": " + output
	}
	p := s.settings(probe)
	if p == nil {
		return text + fmt.Sprintf(" (its failureThreshold is not known; %d is the default)", r.threshold)
	}
	checks := ""
	if target := p.Target(); target != "" {
		checks = target + ", "
	}
	return text + fmt.Sprintf(" (%stimeout %d s, period %d s, failureThreshold %d)", checks, p.TimeoutSeconds, p.PeriodSeconds, r.threshold)
}

func (s *Stop) settings(probe string) *kubefact.ProbeSettings {
	c := s.Pod.container(s.Container)
	switch {
	case c == nil:
		return nil
	case probe == "liveness":
		return c.Liveness
	}
	return c.Startup
}

// run counts the failures in a row that end at the stop, as one source shows
// them. Counters report successes as well; the others failures alone, so that a
// row is what fits into the time that it takes.
func (s *Stop) run(probe, source string) run {
	p := s.settings(probe)
	if p == nil {
		if s.Pod.settings != nil {
			return run{} // it has no such probe
		}
		p = &unset
	}
	r := run{threshold: max(p.FailureThreshold, 1), source: source}
	step := seconds(int64(p.PeriodSeconds + p.TimeoutSeconds))
	for i := len(s.Pod.facts) - 1; i >= 0; i-- {
		f := s.Pod.facts[i]
		if f.Kind != kubefact.ProbeResults || f.Source != source || f.Probe != probe || !s.mine(f) || !s.counts(f) {
			continue
		}
		if f.Failed > 0 {
			if !s.follows(f, &r, step, probe) {
				break
			}
			r.failed += f.Failed
		}
		if f.Succeeded > 0 && !s.afterwards(f) {
			break
		}
	}
	return r
}

// counts reports whether a probe's result may be of the time before the stop. A
// reading of the counters takes place later, and holds what came since the one
// before.
func (s *Stop) counts(f *kubefact.Fact) bool {
	if f.Source == kubefact.SourceCounters {
		return f.Since.Before(s.Began) && !f.Time.After(s.Ended.Add(MaxWait))
	}
	return !f.Time.After(s.Began.Add(exact))
}

// afterwards reports whether nothing but successes was counted, and read after the
// stop had begun. They break no row that made kubelet kill: it probes no more
// until a new container runs, whose successes these are (onHold,
// pkg/kubelet/prober/worker.go), and counters are reported by name, not by id.
func (s *Stop) afterwards(f *kubefact.Fact) bool {
	return f.Source == kubefact.SourceCounters && f.Failed == 0 && f.Time.After(s.Began)
}

// follows reports whether a failure still belongs to the row, going back.
func (s *Stop) follows(f *kubefact.Fact, r *run, step time.Duration, probe string) bool {
	slack := step/2 + time.Second
	if r.failed == 0 {
		wait := step + early
		if c := s.Pod.container(s.Container); c == nil || c.PreStop {
			wait += s.grace()
		}
		if s.Began.Sub(f.Time) > wait {
			return false
		}
		r.last = f.Time
		return true
	}
	if f.Source == kubefact.SourceCounters {
		return true
	}
	return r.last.Sub(f.Time) <= time.Duration(r.threshold-1)*step+slack
}

// finished reports whether the pod's work was done, so that its sidecars and its
// sandbox had to go.
func (c *Cluster) finished(s *Stop, r *Reason) {
	settings := s.Pod.settings
	if settings == nil || settings.RestartPolicy == "Always" || settings.RestartPolicy == "" {
		return
	}
	if !s.leftover() {
		return
	}
	ends, all := s.workEnds()
	if len(ends) == 0 || !all {
		return
	}
	last := ends[0]
	for _, x := range ends {
		if settings.RestartPolicy != "Never" && x.Exit.Code != 0 {
			return
		}
		if x.Time.After(last.Time) {
			last = x
		}
	}
	r.Requests = append(r.Requests, r.Facts...) // of a sandbox: what comes of it
	r.Cause, r.Facts = event.CausePodFinished, nil
	text := fmt.Sprintf("the pod has finished: %s %s; restartPolicy %s", phrase.Process(last.Process), phrase.Ended(last.Exit), settings.RestartPolicy)
	r.Probes = append(r.Probes, event.Evidence{Time: last.Time, Source: "sched_process_exit", Text: text})
	r.sources = append(r.sources, "sched_process_exit")
}

// workEnds are the last ends, before the stop, of the containers that do the pod's
// work; all is false where one has not ended, or none of it was seen.
func (s *Stop) workEnds() (ends []*event.Exit, all bool) {
	if s.Pod.settings == nil {
		return nil, false
	}
	all = true
	for _, c := range s.Pod.settings.Containers {
		if c.Role != "" {
			continue
		}
		x := s.Pod.lastEnd(c.Name)
		if x == nil || x.Time.After(s.Began) {
			all = false
			continue
		}
		ends = append(ends, x)
	}
	return ends, all
}
