// SPDX-License-Identifier: Apache-2.0

package kubereason

import (
	"maps"
	"slices"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/kubefact"
)

// sight is what a source of Kubernetes' words could see, and when.
type sight struct {
	sees, complete bool
	since          time.Time // of sees
	why            string    // it is unavailable
	// gaps are the last times that it was unavailable.
	gaps []gap
}

type gap struct {
	from, to time.Time // to is zero while it lasts
	why      string
}

const gapsMax = 16

func (c *Cluster) see(f *kubefact.Fact) {
	if c.sights == nil {
		c.sights = map[string]*sight{}
	}
	s := c.sights[f.Source]
	if s == nil {
		s = &sight{}
		c.sights[f.Source] = s
	}
	open := len(s.gaps) > 0 && s.gaps[len(s.gaps)-1].to.IsZero()
	if f.Kind == kubefact.Available {
		s.complete = f.Complete
		if !s.sees {
			s.sees, s.since, s.why = true, f.Time, ""
		}
		if open {
			s.gaps[len(s.gaps)-1].to = f.Time
		}
		return
	}
	s.sees, s.complete, s.why = false, false, f.Text
	if open {
		return
	}
	if len(s.gaps) >= gapsMax {
		s.gaps = s.gaps[1:]
	}
	s.gaps = append(s.gaps, gap{from: f.Time, why: f.Text})
}

// blindIn returns why a source could not see all of a window; empty if it did.
func (s *sight) blindIn(from, to time.Time) string {
	for _, g := range s.gaps {
		if g.from.Before(to) && (g.to.IsZero() || g.to.After(from)) {
			return g.why
		}
	}
	if !s.sees {
		return s.why
	}
	return ""
}

// complete reports whether a source would have reported of kubelet's asking for a stop
// in that window: its silence means that kubelet did not.
func (c *Cluster) complete(source string, from, to time.Time) bool {
	s := c.sights[source]
	return s != nil && s.sees && s.complete && !s.since.After(from) && s.blindIn(from, to) == ""
}

// NotByKubelet reports whether kubelet would have been heard asking for a stop, and was
// not. The API's silence about a pod that kubelet has reported a lot proves nothing.
func (c *Cluster) NotByKubelet(s *Stop) bool {
	return c.complete(kubefact.SourceKubeletLog, s.Began, s.Ended) ||
		c.complete(kubefact.SourceAPI, s.Began, s.Ended) && !s.Pod.limited()
}

const (
	// Kubelet drops Events of a pod after a burst of 25, until one more is let
	// through in five minutes (defaultSpamBurst and defaultSpamQPS, client-go's
	// tools/record/events_cache.go).
	eventsBurst = 25
	// eventsOfStart are those of one container's start and end: Pulled, Created,
	// Started, Killing.
	eventsOfStart = 4
)

// limited reports whether kubelet may have dropped Events of the pod, as those of a
// container that restarts over and over.
func (p *Pod) limited() bool {
	if p.settings == nil {
		return true // it is not known how much there was to report
	}
	reported := eventsOfStart * (len(p.settings.Containers) + p.settings.Restarts + 1)
	for _, f := range p.facts {
		if f.Source == kubefact.SourceAPI {
			reported++
		}
	}
	return reported >= eventsBurst
}

// unavailable lists, as evidence, the sources that could not see all of a window.
func (c *Cluster) blind(from, to time.Time) []event.Evidence {
	var list []event.Evidence
	for _, name := range slices.Sorted(maps.Keys(c.sights)) {
		if why := c.sights[name].blindIn(from, to); why != "" {
			list = append(list, event.Evidence{Time: to, Source: name, Text: "was blind in this window: " + why})
		}
	}
	return list
}

// MaySpeak reports whether a source, which has not given a stop's reason, may still
// say something of it that counts.
func (c *Cluster) MaySpeak(source string, s *Stop, r *Reason) bool {
	ofProbe := r.Cause == "" || r.Cause == event.CauseLivenessProbe || r.Cause == event.CauseStartupProbe
	switch source {
	case kubefact.SourceCRI, kubefact.SourceKubeletPods:
		return false
	case kubefact.SourceCounters:
		return ofProbe && !s.Sandbox && !s.Beside &&
			(s.Pod.settings == nil || s.settings("liveness") != nil || s.settings("startup") != nil)
	case kubefact.SourceKubeletLog:
		// One of a low verbosity says nothing of most reasons, and none says that
		// a pod's work is done.
		return r.Cause == "" || r.Cause != event.CausePodFinished && c.sights[source].complete
	}
	return true
}

// HasSources reports whether any source has reported itself.
func (c *Cluster) HasSources() bool { return len(c.sights) > 0 }

// Available lists the sources that can be read, sorted.
func (c *Cluster) Available() []string { return c.sources(true) }

// Unavailable lists the sources that cannot be read, sorted.
func (c *Cluster) Unavailable() []string { return c.sources(false) }

func (c *Cluster) sources(available bool) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(c.sights)) {
		if c.sights[name].sees == available {
			names = append(names, name)
		}
	}
	return names
}
