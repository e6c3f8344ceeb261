// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"slices"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/kubefact"
	"github.com/sigtrace/sigtrace/internal/kubereason"
	"github.com/sigtrace/sigtrace/internal/proctree"
)

const (
	// kubeWait is how long a record waits for what Kubernetes has to say.
	kubeWait = uint64(kubereason.MaxWait)
	// revisable is how long after a death late evidence still changes its
	// record: an API server that was away has Events for an hour, and who reads
	// records has long acted on them.
	revisable    = 10 * 60 * second
	revisableMax = 256
)

// toldOf is a record that went out and may be revised.
type toldOf struct {
	story *story
	death *event.Death
	news  uint64
	// dropped is how many of the pod's facts had been too many by then.
	dropped uint64
}

// awaits reports whether Kubernetes may still have something to say that changes
// the record of a death, and is heard.
func (e *Engine) awaits(st *story) bool {
	p := st.process
	if st.undecided != "" || p.Pod == nil || p.Container == nil || st.exit.Context || !e.kube.HasSources() {
		return false
	}
	if pod := e.kube.PodOf(p); pod != nil && st.heard == pod.News()+1 {
		return true // nothing new: still waiting
	}
	e.beginRules(st)
	waits := e.awaitsReason(st) || e.awaitsStatus(st)
	e.endRules(st, false)
	if pod := e.kube.PodOf(p); pod != nil && waits {
		st.heard = pod.News() + 1
	}
	return waits
}

// awaitsReason: every source that tells reasons and sees has not yet spoken of
// this stop.
func (e *Engine) awaitsReason(st *story) bool {
	s, ok := e.stopOf(st, e.decide(st))
	if !ok {
		return false
	}
	r := e.kube.ReasonFor(&s)
	for _, name := range e.kube.Available() {
		if name != kubefact.SourceCRI && !r.GivenBy(name) {
			return true
		}
	}
	return false
}

func (e *Engine) awaitsStatus(st *story) bool {
	if !proctree.IsInit(st.process) || e.kube.PodOf(st.process).Status(st.process.Container.ID) != nil {
		return false
	}
	available := e.kube.Available()
	return slices.Contains(available, kubefact.SourceCRI) || slices.Contains(available, kubefact.SourceAPI)
}

// keep remembers a record that later evidence may change.
func (e *Engine) keep(st *story, d *event.Death) {
	if d.Process.Pod == nil || d.Process.Container == nil || !e.kube.HasSources() {
		return
	}
	if len(e.told) >= revisableMax {
		e.told = e.told[1:]
	}
	t := toldOf{story: st, death: d}
	if pod := e.kube.PodOf(st.process); pod != nil {
		t.news, t.dropped = pod.News(), pod.Dropped()
	}
	e.told = append(e.told, t)
}

// revised returns the records that evidence has changed since they went out.
func (e *Engine) revised(now uint64) []event.Event {
	var out []event.Event
	still := e.told[:0]
	for _, t := range e.told {
		if t.story.exit.BoottimeNS+revisable < now {
			continue
		}
		var d *event.Death
		if !e.o.Fence.Run(t.story.name, func() { d = e.revise(&t) }) {
			continue // the record stays as it went out
		}
		if d != nil {
			out = append(out, d)
		}
		still = append(still, t)
	}
	clear(e.told[len(still):])
	e.told = still
	return out
}

// revise makes a record anew if there is news of its pod; nil if that changes nothing.
func (e *Engine) revise(t *toldOf) *event.Death {
	pod := e.kube.PodOf(t.story.process)
	if pod == nil || pod.News() == t.news || t.story.undecided != "" {
		return nil
	}
	t.news = pod.News()
	e.beginRules(t.story)
	d := e.record(t.story)
	e.endRules(t.story, false)
	if d == nil || !differs(d, t.death) || pod.Dropped() != t.dropped && weaker(d, t.death) {
		return nil
	}
	d.Revision = t.death.Revision + 1
	t.death = d
	return d
}

// weaker reports whether a record names less than it did: a reason that has been
// forgotten is still one.
func weaker(a, b *event.Death) bool {
	return a.RequestedBy == "" && b.RequestedBy != "" || a.Cause == b.Cause && b.Confidence == event.Proven && a.Confidence != event.Proven
}

// differs reports whether a record says something else than it did; one more
// witness of the same is not worth another record.
func differs(a, b *event.Death) bool {
	return a.Cause != b.Cause || a.Confidence != b.Confidence || a.RequestedBy != b.RequestedBy ||
		!sameSays(a.KubernetesSays, b.KubernetesSays)
}

func sameSays(a, b *event.KubernetesSays) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Reason == b.Reason && a.Agrees == b.Agrees && (a.ExitCode == nil) == (b.ExitCode == nil) &&
		(a.ExitCode == nil || *a.ExitCode == *b.ExitCode)
}
