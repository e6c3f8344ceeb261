// SPDX-License-Identifier: Apache-2.0

package kubereason

import (
	"strings"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/kubefact"
)

const (
	// early is by how much a report of the API may seem to come after the signal
	// that it led to: other machines' clocks, and a watch takes its time.
	early = 2 * time.Second
	// exact is the same for what kubelet itself says, in its log or in Events (whose
	// seconds are rounded down). Its clock is this node's: what it says after the stop
	// is what came of it ("No ready sandbox", a probe of one that is being stopped by
	// hand) and not the reason.
	exact = 100 * time.Millisecond
	// done is how long after a container's end kubelet may say that it is done
	// with evicting its pod.
	done = 60 * time.Second
)

// Stop is a stop of a pod's container, for which Kubernetes may have a reason.
type Stop struct {
	Pod *Pod
	// Container is the container's name, empty for the pod's sandbox.
	Container, ContainerID string
	// Started is when the container's init was, zero where that is not known.
	Started      time.Time
	Began, Ended time.Time
	// ByHook: a process that came into the container from outside sent the signal,
	// as a preStop hook does.
	ByHook, Sandbox bool
	// Beside: what was signalled is not the container's init. With the init it
	// goes for the same reason; alone it is an exec probe or a hook whose time
	// was up, or a session's.
	Beside bool
}

// mine reports whether a fact is about this container: by its id, or by its name
// and time where the source shows no id.
func (s *Stop) mine(f *kubefact.Fact) bool {
	if f.ContainerID != "" {
		return f.ContainerID == s.ContainerID
	}
	if s.predates(f) {
		return false
	}
	if f.Container == "" && f.Probe != "" {
		return s.probedOne(f)
	}
	return f.Container != "" && f.Container == s.Container && !s.ofPredecessor(f)
}

// predates reports whether a fact is older than the container. Times of the API are
// in whole seconds, rounded down; a reading of counters that began before holds what
// came since.
func (s *Stop) predates(f *kubefact.Fact) bool {
	rounded := time.Duration(0)
	if f.Source != kubefact.SourceKubeletLog {
		rounded = time.Second
	}
	return !s.Started.IsZero() && f.Time.Before(s.Started.Add(-rounded))
}

// ofPredecessor reports whether a fact by name is about the container before this
// one, which may have ended within the second before this one's start.
func (s *Stop) ofPredecessor(f *kubefact.Fact) bool {
	when := f.Time
	if !f.Since.IsZero() {
		when = f.Since
	}
	if f.Container == "" {
		return false
	}
	for _, x := range s.Pod.ends[s.Container] {
		if x.Process.Container.ID != s.ContainerID && x.Time.Before(s.Began) && !when.After(x.Time) {
			return true
		}
	}
	return false
}

// probedOne is for the word that a probe of the pod has failed for good, which
// names no container: it may be this one's if it has such a probe and was
// stopped right after.
func (s *Stop) probedOne(f *kubefact.Fact) bool {
	if s.Sandbox || s.Pod.settings != nil && s.settings(f.Probe) == nil {
		return false
	}
	wait := early
	if c := s.Pod.container(s.Container); c != nil && c.PreStop {
		wait += s.grace()
	}
	return f.Time.After(s.Began.Add(-wait))
}

// before reports whether a fact came before the stop began, or with it.
func (s *Stop) before(f *kubefact.Fact) bool { return !f.Time.After(s.Began.Add(slack(f))) }

func slack(f *kubefact.Fact) time.Duration {
	if f.Source == kubefact.SourceKubeletLog && f.Kind == kubefact.SandboxChanged {
		return 0 // that there is no ready sandbox is logged up to 40 ms after it was stopped
	}
	if f.Source == kubefact.SourceKubeletLog || ofContainer[f.Kind] != "" || f.Kind == kubefact.SandboxChanged {
		return exact
	}
	return early
}

// asked are the facts by which kubelet asked for this stop, whatever its
// reason: "Stopping container", "Killing container with a grace period". The
// latter comes once a preStop hook is done, perhaps after the end.
func (s *Stop) asked() []*kubefact.Fact {
	var list []*kubefact.Fact
	for _, f := range s.Pod.facts {
		if f.Kind != kubefact.Stopping || !s.mine(f) || f.Time.After(s.Ended.Add(early)) {
			continue
		}
		if f.ContainerID != "" || !f.Time.Before(s.Began.Add(-s.grace()-early)) {
			list = append(list, f)
		}
	}
	return list
}

// Hooked reports whether a preStop hook of kubelet's was or may have been what
// sent the signal.
func (s *Stop) Hooked() bool {
	for _, f := range s.Pod.facts {
		if f.Kind == kubefact.PreStopHook && s.mine(f) && s.before(f) {
			return true
		}
	}
	c := s.Pod.container(s.Container)
	return c == nil && s.Pod.settings == nil || c != nil && c.PreStop
}

// quiet makes evidence's text of a fact.
func quiet(f *kubefact.Fact) event.Evidence {
	text := f.Text
	if text == "" {
		text = strings.ReplaceAll(string(f.Kind), "_", " ")
	}
	return event.Evidence{Time: f.Time, Source: f.Source, Text: text}
}
