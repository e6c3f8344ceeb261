// SPDX-License-Identifier: Apache-2.0

package kubereason

import (
	"slices"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/kubefact"
)

// ofContainer are the reasons that kubelet gives for stopping one container.
var ofContainer = map[kubefact.Kind]event.Cause{
	kubefact.LivenessFailed:    event.CauseLivenessProbe,
	kubefact.StartupFailed:     event.CauseStartupProbe,
	kubefact.DefinitionChanged: event.CauseContainerChanged,
	kubefact.ResizeRestarts:    event.CauseContainerChanged,
	kubefact.PostStartFailed:   event.CausePoststartHook,
}

// ofPod are the reasons for which all of a pod is stopped.
var ofPod = map[kubefact.Kind]event.Cause{
	kubefact.Deleted:          event.CausePodDeleted,
	kubefact.Evicted:          event.CauseEvicted,
	kubefact.Preempted:        event.CausePreempted,
	kubefact.NodeShutdown:     event.CauseNodeShutdown,
	kubefact.DeadlineExceeded: event.CauseDeadlineExceeded,
	kubefact.SandboxChanged:   event.CauseSandboxChanged,
	kubefact.Finished:         event.CausePodFinished,
	kubefact.Replaced:         event.CauseContainerChanged,
}

// Reason is why Kubernetes stopped a container, with those who say so.
type Reason struct {
	// Cause is empty where no source gives a reason.
	Cause event.Cause
	Facts []*kubefact.Fact
	// Disagreeing facts give another reason.
	Disagreeing []*kubefact.Fact
	// Requests go along: who asked for a deletion, that kubelet asked.
	Requests []*kubefact.Fact
	// Probes are rows of probe results that no fact puts in so many words.
	Probes []event.Evidence
	// Ends are the last ends of the containers that did the pod's work, where it is
	// because of them that the pod has finished.
	Ends []*event.Exit
	// Failure is the probe's, where that is the cause.
	Failure Failure
	// sources of Probes.
	sources []string
}

// ReasonFor finds the reason for a stop; cause is empty if there is none.
func (c *Cluster) ReasonFor(s *Stop) Reason {
	own, pods := s.own(), s.whole()
	r := Reason{Requests: s.asked()}
	switch {
	case len(own) > 0 && (len(pods) == 0 || !own[0].Time.After(first(pods).Time.Add(slack(own[0])))):
		r.Cause = ofContainer[own[0].Kind]
	case len(pods) > 0:
		r.Cause = ofPod[gravest(pods).Kind]
	}
	for _, f := range append(own, pods...) {
		switch cause := causeOfFact(f); {
		case cause == r.Cause:
			r.Facts = append(r.Facts, f)
		case cause == event.CausePodDeleted || cause == event.CausePodFinished || f.Kind == kubefact.SandboxChanged:
			r.Requests = append(r.Requests, f) // what comes of it is no contradiction
		default:
			r.Disagreeing = append(r.Disagreeing, f)
		}
	}
	c.probed(s, &r)
	if r.Cause == "" || r.Cause == event.CauseSandboxChanged && s.leftover() {
		c.finished(s, &r)
	}
	switch r.Cause {
	case event.CausePodDeleted:
		r.Requests = append(r.Requests, s.disruptions()...)
	case event.CausePodFinished:
		r.Ends, _ = s.workEnds()
	case event.CauseLivenessProbe:
		r.Failure = s.failure("liveness")
	case event.CauseStartupProbe:
		r.Failure = s.failure("startup")
	}
	return r
}

// disruptions are what says who asked for the pod's deletion. An Event that its
// drainer writes goes with the condition that the eviction API sets.
func (s *Stop) disruptions() []*kubefact.Fact {
	evicted := slices.ContainsFunc(s.Pod.facts, func(f *kubefact.Fact) bool {
		return f.Kind == kubefact.Disrupted && f.Reason == viaEvictionAPI
	})
	var list []*kubefact.Fact
	for _, f := range s.Pod.facts {
		if f.Kind == kubefact.Requested || f.Kind == kubefact.Disrupted && (f.Reporter == "" || evicted) {
			list = append(list, f)
		}
	}
	return list
}

// OfContainer reports whether a kind of fact is a reason to stop one container.
func OfContainer(kind kubefact.Kind) bool { return ofContainer[kind] != "" }

func causeOfFact(f *kubefact.Fact) event.Cause {
	if c := ofContainer[f.Kind]; c != "" {
		return c
	}
	return ofPod[f.Kind]
}

// own are the reasons that kubelet gave for this container before the stop.
func (s *Stop) own() []*kubefact.Fact {
	var list []*kubefact.Fact
	for _, f := range s.Pod.facts {
		if ofContainer[f.Kind] != "" && s.mine(f) && s.before(f) && !s.long(f) && !s.isRefuted(f) {
			list = append(list, f)
		}
	}
	slices.SortStableFunc(list, byTime)
	return list
}

// isRefuted reports whether an Event gives as the reason a probe that the
// container does not have.
func (s *Stop) isRefuted(f *kubefact.Fact) bool {
	probe := map[kubefact.Kind]string{kubefact.LivenessFailed: "liveness", kubefact.StartupFailed: "startup"}[f.Kind]
	return probe != "" && f.FromEvent() && s.Pod.settings != nil && s.settings(probe) == nil
}

// long reports whether a word about the container came too long before to be about
// what goes on beside its init, such as an exec probe: that init lives on.
func (s *Stop) long(f *kubefact.Fact) bool {
	return s.Beside && f.Time.Before(s.Began.Add(-s.grace()-early))
}

// whole are the reasons to stop all of the pod: they stay true, except that a
// sandbox is made anew, and a static pod's mirror, too; what was said of one by
// this name, without a UID, before it was there, was another one. Kubelet reports
// an eviction also when it is done.
func (s *Stop) whole() []*kubefact.Fact {
	var list []*kubefact.Fact
	for _, f := range s.Pod.facts {
		switch {
		case ofPod[f.Kind] == "" || f.Kind == kubefact.Finished && !s.leftover():
		case f.UID == "" && f.Time.Before(s.born()) || f.Kind == kubefact.Deleted && s.mirroredSince(f):
		case !s.Started.IsZero() && f.Time.Before(s.Started.Add(-inFlight)):
			// A pod on its way out starts no container: it was said before a reboot.
		case f.After && f.Time.After(s.Began.Add(-early)) && !f.Time.After(s.Ended.Add(done)):
			list = append(list, f)
		case !s.before(f):
		case f.Kind == kubefact.SandboxChanged && f.Time.Before(s.Began.Add(-s.grace()-early)):
		case f.Kind == kubefact.SandboxChanged && f.Time.Before(s.Started):
			// The sandbox that changed was the one before.
		default:
			list = append(list, f)
		}
	}
	slices.SortStableFunc(list, byTime)
	return list
}

// inFlight bounds how long kubelet may take to start a container of a pod for whose
// end there has been a reason meanwhile: it pulls an image.
const inFlight = time.Minute

// born is when the pod was there at the earliest: at its creation, in whole
// seconds, or else when its container was started. (A pod on its way out starts
// none, but for the sandbox of a static one.)
func (s *Stop) born() time.Time {
	if p := s.Pod.settings; p != nil && !p.Created.IsZero() {
		return p.Created.Add(time.Second)
	}
	return s.Started
}

// mirroredSince reports whether only a static pod's mirror was deleted: it has had
// another one since, before the stop.
func (s *Stop) mirroredSince(deleted *kubefact.Fact) bool {
	return slices.ContainsFunc(s.Pod.facts, func(f *kubefact.Fact) bool {
		return f.Kind == kubefact.Mirrored && !f.Time.Before(deleted.Time) && f.Time.Before(s.Began)
	})
}

// leftover reports whether it is what is stopped once a pod's work is done.
func (s *Stop) leftover() bool {
	c := s.Pod.container(s.Container)
	return s.Sandbox || c != nil && c.Role == kubefact.RoleSidecar
}

func byTime(a, b *kubefact.Fact) int { return a.Time.Compare(b.Time) }

func first(list []*kubefact.Fact) *kubefact.Fact { return list[0] }

// finishedFirst: of a pod that has finished and was not deleted before, kubelet makes
// no new sandbox, whatever it says of the old one.
func finishedFirst(list []*kubefact.Fact) *kubefact.Fact {
	var finished *kubefact.Fact
	for _, f := range list {
		switch f.Kind {
		case kubefact.Deleted:
			return nil
		case kubefact.Finished:
			finished = f
		}
	}
	return finished
}

// gravest is the reason that explains the others: an eviction, a preemption, a
// shutdown and a deadline end in the pod's deletion, or make it finished, and of a
// static pod that is replaced kubelet's log says that it was removed. Of a
// deletion and a sandbox that is not ready the first counts: a pod that is
// taken down has none.
func gravest(list []*kubefact.Fact) *kubefact.Fact {
	for _, kinds := range [][]kubefact.Kind{
		{kubefact.Evicted, kubefact.Preempted, kubefact.NodeShutdown, kubefact.DeadlineExceeded, kubefact.Replaced},
		{kubefact.Deleted, kubefact.SandboxChanged},
	} {
		if f := finishedFirst(list); f != nil && slices.Contains(kinds, kubefact.SandboxChanged) {
			return f
		}
		for _, f := range list {
			if slices.Contains(kinds, f.Kind) {
				return f
			}
		}
	}
	return list[0]
}

// IsProven reports whether the reason may be called proven: two sources agree, not
// only Events say so, and nothing says otherwise. Events, rows of them and the
// API's objects are one source.
func (r *Reason) IsProven() bool {
	names := slices.Clone(r.sources)
	ownWords := slices.ContainsFunc(r.sources, func(name string) bool { return name != kubefact.SourceAPI })
	for _, f := range r.Facts {
		names = append(names, f.Source)
		ownWords = ownWords || !f.FromEvent()
	}
	slices.Sort(names)
	return ownWords && len(slices.Compact(names)) >= 2 && len(r.Disagreeing) == 0
}
