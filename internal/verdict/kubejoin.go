// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/kubereason"
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
	// quote is what Kubernetes said of the reason.
	quote string
	// requester is who had the pod deleted, nil where that is not known.
	requester *kubereason.Requester
	// outcome is how the work of a finished pod has ended.
	outcome string
	// failure is how the probe has failed.
	failure kubereason.Failure
}

// join gives a stop of a pod's container the reason that Kubernetes had.
func (e *Engine) join(st *story) joined {
	j := joined{finding: *e.decide(st)}
	e.joinStart(st, &j)
	s, ok := e.stopOf(st, &j.finding)
	if !ok {
		e.joinSetOff(&j)
		return j
	}
	r := e.kube.ReasonFor(&s)
	if s.ByHook && (r.Cause == "" || !s.Hooked()) {
		return j
	}
	j.words = append(e.kube.Evidence(&s, &r), e.probeKilled(st, &s, &r)...)
	if r.Cause == "" {
		switch {
		case j.bySomebody(): // who it was is unknown, and so is for whom
		case s.Beside: // the container itself was not stopped
		case len(r.Requests) > 0:
			j.requestedBy = byKubelet
		default:
			j.byHand = e.kube.NotByKubelet(&s)
		}
		if j.byHand && j.confidence == event.Proven {
			j.confidence = event.Likely // that a source is silent is no proof
		}
		return j
	}
	if j.bySomebody() {
		j.confidence = event.Likely
	}
	j.cause, j.actor, j.requestedBy = r.Cause, nil, byKubelet
	j.quote, j.requester, j.outcome, j.failure = r.Quote(), r.Requester(), e.outcome(r.Ends), r.Failure
	j.hops = append([]event.Hop{{What: r.FirstHop()}, {What: r.SecondHop()}}, j.hops...)
	if j.confidence == event.Proven && !r.IsProven() {
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
