// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/kubefact"
	"github.com/sigtrace/sigtrace/internal/proctree"
)

const (
	// early is by how much a word of the API may seem to come after the signal
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

// stop is a stop of a pod's container, for which Kubernetes may have a reason.
type stop struct {
	pod             *podFacts
	container, id   string // container is empty for the pod's sandbox
	started         time.Time
	began, ended    time.Time
	byHook, sandbox bool
	// beside: what was signalled is not the container's init. With the init it
	// goes for the same reason; alone it is an exec probe or a hook whose time
	// was up, or a session's.
	beside bool
}

// stopOf reports whether a finding is such a stop: the runtime sent the signal, or
// a process that came into the container from outside, as a preStop hook does.
func (e *Engine) stopOf(st *story, f *finding) (stop, bool) {
	p := st.process
	if f.first == nil || p.Pod == nil || p.Container == nil {
		return stop{}, false
	}
	hook := f.cause == event.CauseExecSession
	if f.cause != event.CauseRuntimeStop && !hook {
		return stop{}, false
	}
	s := stop{
		pod: e.podOf(p), container: p.Container.Name, id: p.Container.ID, byHook: hook,
		began: e.began(f.first), ended: st.exit.Time, sandbox: p.Container.Name == "",
		beside: !proctree.IsInit(f.first.Target),
	}
	if s.pod == nil {
		s.pod = &podFacts{}
	}
	if p.StartTime != nil && proctree.IsInit(p) {
		s.started = *p.StartTime
	}
	return s, true
}

// began is when the stop began: a SIGKILL at the end of the grace period has
// the stop signal before it.
func (e *Engine) began(first *noted) time.Time {
	if first.SignalNumber != int(unix.SIGKILL) {
		return first.Time
	}
	st := e.find(first.Target)
	if st == nil {
		return first.Time
	}
	for i := len(st.signals) - 1; i >= 0; i-- {
		s := &st.signals[i]
		if s.BoottimeNS < first.BoottimeNS && s.SignalNumber != int(unix.SIGKILL) && s.Sender != nil && proctree.IsRuntime(s.Sender, s.Target) {
			return s.Time
		}
	}
	return first.Time
}

// mine reports whether a fact is about this container: by its id, or by its name
// and time where the source tells no id.
func (s *stop) mine(f *kubefact.Fact) bool {
	if f.ContainerID != "" {
		return f.ContainerID == s.id
	}
	if f.Container == "" && f.Probe != "" {
		return s.probedOne(f)
	}
	if f.Container == "" || f.Container != s.container || s.ofPredecessor(f) {
		return false
	}
	return s.started.IsZero() || !f.Time.Before(s.started.Add(-time.Second))
}

// ofPredecessor reports whether a fact by name is about the container before this
// one, which may have ended within the second before this one's start.
func (s *stop) ofPredecessor(f *kubefact.Fact) bool {
	when := f.Time
	if !f.Since.IsZero() {
		when = f.Since
	}
	for _, x := range s.pod.ends[s.container] {
		if x.Process.Container.ID != s.id && x.Time.Before(s.began) && !when.After(x.Time) {
			return true
		}
	}
	return false
}

// probedOne is for the word that a probe of the pod has failed for good, which
// names no container: it may be this one's if it has such a probe and was
// stopped right after.
func (s *stop) probedOne(f *kubefact.Fact) bool {
	if s.sandbox || s.pod.settings != nil && s.settings(f.Probe) == nil {
		return false
	}
	wait := early
	if c := s.pod.container(s.container); c != nil && c.PreStop {
		wait += s.grace()
	}
	return f.Time.After(s.began.Add(-wait))
}

// before reports whether a fact came before the stop began, or with it.
func (s *stop) before(f *kubefact.Fact) bool { return !f.Time.After(s.began.Add(slack(f))) }

func slack(f *kubefact.Fact) time.Duration {
	if f.Source == kubefact.SourceKubeletLog || ofContainer[f.Kind] != "" || f.Kind == kubefact.SandboxChanged {
		return exact
	}
	return early
}

// asked are the facts by which kubelet asked for this stop, whatever its
// reason: "Stopping container", "Killing container with a grace period". The
// latter comes once a preStop hook is done, perhaps after the end.
func (s *stop) asked() []*kubefact.Fact {
	var list []*kubefact.Fact
	for _, f := range s.pod.facts {
		if f.Kind != kubefact.Stopping || !s.mine(f) || f.Time.After(s.ended.Add(early)) {
			continue
		}
		if f.ContainerID != "" || !f.Time.Before(s.began.Add(-s.grace()-early)) {
			list = append(list, f)
		}
	}
	return list
}

// hooked reports whether a preStop hook of kubelet's was or may have been what
// sent the signal.
func (s *stop) hooked() bool {
	for _, f := range s.pod.facts {
		if f.Kind == kubefact.PreStopHook && s.mine(f) && s.before(f) {
			return true
		}
	}
	c := s.pod.container(s.container)
	return c == nil && s.pod.settings == nil || c != nil && c.PreStop
}

// quiet makes evidence's text of a fact.
func quiet(f *kubefact.Fact) event.Evidence {
	text := f.Text
	if text == "" {
		text = strings.ReplaceAll(string(f.Kind), "_", " ")
	}
	return event.Evidence{Time: f.Time, Source: f.Source, Text: text}
}
