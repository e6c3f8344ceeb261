// SPDX-License-Identifier: Apache-2.0

package kubereason

import (
	"fmt"
	"slices"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
)

// Evidence lists what Kubernetes said of a stop: its reason, that it
// asked for it, what does not agree, and who could not see.
func (c *Cluster) Evidence(s *Stop, r *Reason) []event.Evidence {
	var list []event.Evidence
	for _, f := range r.Facts {
		list = append(list, quiet(f))
	}
	list = append(list, r.Probes...)
	for _, f := range r.Requests {
		list = append(list, quiet(f))
	}
	slices.SortStableFunc(list, func(a, b event.Evidence) int { return a.Time.Compare(b.Time) })
	list = slices.Compact(list)
	if n := len(list); n > wordsMax {
		list = append(list[:wordsMax/2], list[n-wordsMax/2:]...)
	}
	for _, f := range r.Disagreeing {
		ev := quiet(f)
		ev.Text = "does not agree: " + ev.Text
		list = append(list, ev)
	}
	until := s.Ended
	if r.Cause == "" {
		until = until.Add(early) // who goes unavailable now may have had the word
	}
	return append(list, c.blind(s.Began.Add(-time.Second), until)...)
}

// FirstHop is the first hop of the causal chain: what happened to the pod.
func (r *Reason) FirstHop() string {
	if r.Cause == event.CausePodDeleted {
		return r.Cause.Row().FirstHop + r.Requester().String()
	}
	return r.Cause.Row().FirstHop
}

// SecondHop is what kubelet did about it.
func (r *Reason) SecondHop() string {
	for _, f := range r.Requests {
		if f.GraceSeconds != nil {
			return fmt.Sprintf("kubelet had the container stopped (grace period %d s)", *f.GraceSeconds)
		}
	}
	return "kubelet had the container stopped"
}

// Quote is what Kubernetes itself said of the reason, the longest such text.
func (r *Reason) Quote() string {
	best := ""
	for _, f := range r.Facts {
		if len(f.Text) > len(best) {
			best = f.Text
		}
	}
	for _, p := range r.Probes {
		if len(p.Text) > len(best) {
			best = p.Text
		}
	}
	return best
}

// wordsMax bounds what one record quotes.
const wordsMax = 12
