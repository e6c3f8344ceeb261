// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"fmt"
	"slices"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/kubefact"
)

// byKubelet is what requested_by says.
const byKubelet = "kubelet"

// joined is a finding with what Kubernetes says of it. The finding of the story
// stays as the kernel showed it: more may be said later.
type joined struct {
	finding
	requestedBy string
	// byHand: kubelet would have been heard, and did not ask for it.
	byHand bool
	words  []event.Evidence
}

// join gives a stop of a pod's container the reason that Kubernetes had.
func (e *Engine) join(st *story) joined {
	j := joined{finding: *e.decide(st)}
	s, ok := e.stopOf(st, &j.finding)
	if !ok {
		e.joinSetOff(&j)
		return j
	}
	r := e.reasonFor(&s)
	if s.byHook && (r.cause == "" || !s.hooked()) {
		return j
	}
	j.words = e.said(&s, &r)
	if r.cause == "" {
		switch {
		case s.beside: // the container itself was not stopped
		case len(r.told) > 0:
			j.requestedBy = byKubelet
		default:
			j.byHand = e.kube.byHand(&s)
		}
		return j
	}
	j.cause, j.actor, j.requestedBy = r.cause, nil, byKubelet
	j.hops = append([]event.Hop{{What: firstCause(&s, &r)}, {What: kubeletAsked(&r)}}, j.hops...)
	if j.confidence == event.Proven && (r.supporters() < 2 || len(r.others) > 0) {
		j.confidence = event.Likely
	}
	return j
}

// joinSetOff: whoever set this death off may have been stopped by kubelet.
func (e *Engine) joinSetOff(j *joined) {
	if j.setOffBy == nil || j.setOffBy.exit == nil || j.setOffBy.process.Pod == nil || j.cause == event.CauseRuntimeCleanup {
		return
	}
	other, ok := e.joinOther(j.setOffBy)
	if !ok || other.requestedBy == "" {
		return
	}
	j.requestedBy, j.words = other.requestedBy, other.words
	if other.cause != event.CauseRuntimeStop {
		j.actor, j.hops = nil, other.hops
		j.why = string(other.cause)
	}
}

// joinOther joins the death that set off another; it answers false where the walk
// goes no further.
func (e *Engine) joinOther(st *story) (joined, bool) {
	if !e.joining.enter(st) {
		return joined{}, false
	}
	defer e.joining.leave()
	return e.join(st), true
}

// said lists, as evidence, what Kubernetes said of a stop: its reason, that it
// asked for it, what does not agree, and who could not see.
func (e *Engine) said(s *stop, r *grounds) []event.Evidence {
	var list []event.Evidence
	for _, f := range r.facts {
		list = append(list, quiet(f))
	}
	list = append(list, r.words...)
	for _, f := range r.told {
		list = append(list, quiet(f))
	}
	slices.SortStableFunc(list, func(a, b event.Evidence) int { return a.Time.Compare(b.Time) })
	list = slices.Compact(list)
	if n := len(list); n > wordsMax {
		list = append(list[:wordsMax/2], list[n-wordsMax/2:]...)
	}
	for _, f := range r.others {
		ev := quiet(f)
		ev.Text = "does not agree: " + ev.Text
		list = append(list, ev)
	}
	until := s.ended
	if r.cause == "" {
		until = until.Add(early) // who goes blind now may have had the word
	}
	return append(list, e.kube.blind(s.began.Add(-time.Second), until)...)
}

// wordsMax bounds what one record quotes.
const wordsMax = 12

// firstCause is the first hop of a chain.
func firstCause(s *stop, r *grounds) string {
	switch r.cause {
	case event.CauseLivenessProbe:
		return "liveness probe failed"
	case event.CauseStartupProbe:
		return "startup probe failed"
	case event.CausePodDeleted:
		return "pod deleted" + askedBy(r)
	case event.CauseEvicted:
		return "pod evicted by kubelet"
	case event.CausePreempted:
		return "pod preempted"
	case event.CauseNodeShutdown:
		return "node shutting down"
	case event.CauseDeadlineExceeded:
		return "pod's activeDeadlineSeconds exceeded"
	case event.CauseContainerChanged:
		return "container's definition changed"
	case event.CausePoststartHook:
		return "postStart hook failed"
	case event.CauseSandboxChanged:
		return "pod's sandbox changed"
	case event.CausePodFinished:
		return "pod finished"
	}
	return string(r.cause)
}

func askedBy(r *grounds) string {
	for _, f := range r.told {
		if f.Kind == kubefact.Disrupted {
			return " (" + f.Text + ")"
		}
	}
	return ""
}

func kubeletAsked(r *grounds) string {
	for _, f := range r.told {
		if f.GraceSeconds != nil {
			return fmt.Sprintf("kubelet had the container stopped (grace period %d s)", *f.GraceSeconds)
		}
	}
	return "kubelet had the container stopped"
}
