// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"slices"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/kubefact"
)

// ofContainer are the reasons that kubelet gives for stopping one container.
var ofContainer = map[kubefact.Kind]event.Cause{
	kubefact.LivenessFailed:  event.CauseLivenessProbe,
	kubefact.StartupFailed:   event.CauseStartupProbe,
	kubefact.DefinitionChanged:   event.CauseContainerChanged,
	kubefact.ResizeRestarts:   event.CauseContainerChanged,
	kubefact.PostStartFailed: event.CausePoststartHook,
}

// ofPod are the reasons for which all of a pod is stopped.
var ofPod = map[kubefact.Kind]event.Cause{
	kubefact.Deleted:  event.CausePodDeleted,
	kubefact.Evicted:  event.CauseEvicted,
	kubefact.Preempted:  event.CausePreempted,
	kubefact.NodeShutdown: event.CauseNodeShutdown,
	kubefact.DeadlineExceeded: event.CauseDeadlineExceeded,
	kubefact.SandboxChanged:  event.CauseSandboxChanged,
	kubefact.Finished: event.CausePodFinished,
}

// grounds are why Kubernetes stopped a container, with those who say so.
type grounds struct {
	cause event.Cause
	facts []*kubefact.Fact
	// others say something else.
	others []*kubefact.Fact
	// told are what goes along: who asked for a deletion, that kubelet asked.
	told []*kubefact.Fact
	// words, where no fact says it in so many.
	words []event.Evidence
	// sources of words.
	sources []string
}

// reasonFor finds the reason for a stop; cause is empty if there is none.
func (e *Engine) reasonFor(s *stop) grounds {
	own, pods := s.own(), s.whole()
	r := grounds{told: s.asked()}
	switch {
	case len(own) > 0 && (len(pods) == 0 || !own[0].Time.After(first(pods).Time.Add(slack(own[0])))):
		r.cause = ofContainer[own[0].Kind]
	case len(pods) > 0:
		r.cause = ofPod[gravest(pods).Kind]
	}
	for _, f := range append(own, pods...) {
		switch cause := causeOfFact(f); {
		case cause == r.cause:
			r.facts = append(r.facts, f)
		case cause == event.CausePodDeleted || cause == event.CausePodFinished || f.Kind == kubefact.SandboxChanged:
			r.told = append(r.told, f) // what comes of it is no contradiction
		default:
			r.others = append(r.others, f)
		}
	}
	e.probed(s, &r)
	if r.cause == "" {
		e.finished(s, &r)
	}
	for _, f := range s.pod.facts {
		if f.Kind == kubefact.Disrupted && r.cause == event.CausePodDeleted {
			r.told = append(r.told, f)
		}
	}
	return r
}

func causeOfFact(f *kubefact.Fact) event.Cause {
	if c := ofContainer[f.Kind]; c != "" {
		return c
	}
	return ofPod[f.Kind]
}

// own are the reasons that kubelet gave for this container before the stop.
func (s *stop) own() []*kubefact.Fact {
	var list []*kubefact.Fact
	for _, f := range s.pod.facts {
		if ofContainer[f.Kind] != "" && s.mine(f) && s.before(f) && !s.long(f) {
			list = append(list, f)
		}
	}
	slices.SortStableFunc(list, byTime)
	return list
}

// long reports whether a word about the container came too long before to be about
// what goes on beside its init, such as an exec probe: that init lives on.
func (s *stop) long(f *kubefact.Fact) bool {
	return s.beside && f.Time.Before(s.began.Add(-s.grace()-early))
}

// whole are the reasons to stop all of the pod: they stay true, except that a
// sandbox is made anew, and a static pod's mirror, too; what was said of one by
// this name, without a UID, before it was there, was another one. Kubelet tells of
// an eviction also when it is done.
func (s *stop) whole() []*kubefact.Fact {
	var list []*kubefact.Fact
	for _, f := range s.pod.facts {
		switch {
		case ofPod[f.Kind] == "" || f.Kind == kubefact.Finished && !s.leftover():
		case f.UID == "" && f.Time.Before(s.born()) || f.Kind == kubefact.Deleted && s.mirroredSince(f):
		case f.After && f.Time.After(s.began.Add(-early)) && !f.Time.After(s.ended.Add(done)):
			list = append(list, f)
		case !s.before(f):
		case f.Kind == kubefact.SandboxChanged && f.Time.Before(s.began.Add(-s.grace()-early)):
		case f.Kind == kubefact.SandboxChanged && f.Time.Before(s.started):
			// The sandbox that changed was the one before.
		default:
			list = append(list, f)
		}
	}
	slices.SortStableFunc(list, byTime)
	return list
}

// born is when the pod was there at the earliest: at its creation, in whole
// seconds, or else when its container was started. (A pod on its way out starts
// none, but for the sandbox of a static one.)
func (s *stop) born() time.Time {
	if p := s.pod.settings; p != nil && !p.Created.IsZero() {
		return p.Created.Add(time.Second)
	}
	return s.started
}

// mirroredSince reports whether only a static pod's mirror was deleted: it has had
// another one since, before the stop.
func (s *stop) mirroredSince(deleted *kubefact.Fact) bool {
	return slices.ContainsFunc(s.pod.facts, func(f *kubefact.Fact) bool {
		return f.Kind == kubefact.Mirrored && !f.Time.Before(deleted.Time) && f.Time.Before(s.began)
	})
}

// leftover reports whether it is what is stopped once a pod's work is done.
func (s *stop) leftover() bool {
	c := s.pod.container(s.container)
	return s.sandbox || c != nil && c.Role == kubefact.RoleSidecar
}

func byTime(a, b *kubefact.Fact) int { return a.Time.Compare(b.Time) }

func first(list []*kubefact.Fact) *kubefact.Fact { return list[0] }

// gravest is the reason that explains the others: an eviction, a preemption, a
// shutdown and a deadline end in the pod's deletion, or make it finished. Of a
// deletion and a sandbox that is not ready the first counts: a pod that is
// taken down has none.
func gravest(list []*kubefact.Fact) *kubefact.Fact {
	for _, kinds := range [][]kubefact.Kind{
		{kubefact.Evicted, kubefact.Preempted, kubefact.NodeShutdown, kubefact.DeadlineExceeded},
		{kubefact.Deleted, kubefact.SandboxChanged},
	} {
		for _, f := range list {
			if slices.Contains(kinds, f.Kind) {
				return f
			}
		}
	}
	return list[0]
}

// supporters are the sources that say the same, each counted once.
func (r *grounds) supporters() int {
	names := slices.Clone(r.sources)
	for _, f := range r.facts {
		names = append(names, f.Source)
	}
	slices.Sort(names)
	return len(slices.Compact(names))
}
