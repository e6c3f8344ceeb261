// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"slices"
	"time"

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

// statusWait is how long the record of a stop, whose reason is known, waits for the
// status that Kubernetes gives the container: with many pods deleted at once that
// takes seconds, and a later one makes a revision.
const statusWait = uint64(800 * time.Millisecond)

// awaits reports whether Kubernetes may still have something to say that changes
// the record of a death, and is heard.
func (e *Engine) awaits(st *story, seen uint64) bool {
	p := st.process
	if st.undecided != "" || p.Pod == nil || p.Container == nil || st.exit.Context || !e.kube.HasSources() {
		return false
	}
	pod := e.kube.PodOf(p)
	if pod == nil || st.heard != pod.News()+1 { // else nothing new has come
		e.beginRules(st)
		st.awaited = e.awaited(st)
		e.endRules(st, false)
	}
	if pod != nil {
		st.heard = pod.News() + 1
	}
	switch st.awaited {
	case awaitsReason, awaitsStatus:
		return true
	case awaitsStopsStatus:
		return seen < st.exit.BoottimeNS+statusWait
	}
	return false
}

// awaited is what a record waits for.
type awaited int

const (
	awaitsNothing awaited = iota
	// awaitsReason: a source that can speak of this stop has not done so.
	awaitsReason
	// awaitsStatus: Kubernetes has not yet said how the container ended.
	awaitsStatus
	// awaitsStopsStatus: the same, of a container that Kubernetes stopped.
	awaitsStopsStatus
)

func (e *Engine) awaited(st *story) awaited {
	s, isStop := e.stopOf(st, e.decide(st))
	known := false
	if isStop {
		r := e.kube.ReasonFor(&s)
		for _, name := range e.kube.Available() {
			if !r.GivenBy(name) && e.kube.MaySpeak(name, &s, &r) {
				return awaitsReason
			}
		}
		known = r.Cause != ""
	}
	switch {
	case !e.lacksStatus(st):
		return awaitsNothing
	case known:
		return awaitsStopsStatus
	}
	return awaitsStatus
}

// lacksStatus: the container of that init has not got the status that Kubernetes
// will give it. A sandbox gets none.
func (e *Engine) lacksStatus(st *story) bool {
	if !proctree.IsInit(st.process) || st.process.Container.Name == "" || e.kube.PodOf(st.process).Status(st.process.Container.ID) != nil {
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
	if len(e.reported) >= revisableMax {
		e.reported = e.reported[1:]
	}
	t := toldOf{story: st, death: d}
	if pod := e.kube.PodOf(st.process); pod != nil {
		t.news, t.dropped = pod.News(), pod.Dropped()
	}
	e.reported = append(e.reported, t)
}

// revised returns the records that evidence has changed since they went out.
func (e *Engine) revised(now uint64) []event.Event {
	var out []event.Event
	still := e.reported[:0]
	for _, t := range e.reported {
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
	clear(e.reported[len(still):])
	e.reported = still
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
		!sameSays(a.KubernetesSays, b.KubernetesSays) || !sameRequester(a.Requester, b.Requester)
}

func sameRequester(a, b *event.Requester) bool {
	return a == b || a != nil && b != nil && *a == *b
}

func sameSays(a, b *event.KubernetesSays) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Reason == b.Reason && a.Agrees == b.Agrees && (a.ExitCode == nil) == (b.ExitCode == nil) &&
		(a.ExitCode == nil || *a.ExitCode == *b.ExitCode)
}
