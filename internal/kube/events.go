// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"strings"
	"sync"
	"time"

	"github.com/sigtrace/sigtrace/internal/kubefact"
	corev1 "k8s.io/api/core/v1"
)

// seenEventsMax bounds the memory of how often an Event has been counted.
const seenEventsMax = 4096

// eventTeller makes facts of Events.
type eventTeller struct {
	node string

	mu   sync.Mutex
	seen map[string]int32 // count, by the Event's UID
}

// routine is a selector that leaves out what every pod's start says: the API
// server filters, and a big cluster has much of it. Selectors know no "or".
func routine() string {
	terms := []string{"involvedObject.kind=Pod"}
	for _, reason := range []string{"Scheduled", "Pulling", "Pulled", "Created", "Started", "BackOff", "FailedScheduling", "FailedMount"} {
		terms = append(terms, "reason!="+reason)
	}
	return strings.Join(terms, ",")
}

// The writers of Events about pods. Taint eviction had another name up to 1.28
// (pkg/controller/tainteviction, before in nodelifecycle).
const (
	byKubelet       = "kubelet"
	byScheduler     = "default-scheduler"
	byTaintEviction = "taint-eviction-controller"
	byTaintManager  = "taint-controller"
)

// reporter is the component that an Event names as its writer. Older clients fill
// in source alone, those of events.k8s.io reportingComponent alone, and what names
// two different ones was written by none of them.
func reporter(e *corev1.Event) string {
	switch a, b := e.Source.Component, e.ReportingController; {
	case a == "":
		return b
	case b == "" || a == b:
		return a
	}
	return ""
}

// host is the host that an Event names, by the same rule. Schedulers append theirs
// to their name.
func host(e *corev1.Event) string {
	switch a, b := e.Source.Host, e.ReportingInstance; {
	case a == "":
		return b
	case b == "" || a == b:
		return a
	}
	return ""
}

// fits reports whether the writer that an Event names is one that writes Events of
// that reason. It keeps out mistakes and other programs' Events of the same
// reason, not forgeries.
func (t *eventTeller) fits(e *corev1.Event) bool {
	switch by := reporter(e); e.Reason {
	case "Preempted":
		return by == byScheduler
	case "TaintManagerEviction": // also of a deletion that it calls off
		return (by == byTaintEviction || by == byTaintManager) && strings.HasPrefix(e.Message, "Marking for deletion")
	default:
		return by == byKubelet && host(e) == t.node
	}
}

// isDrainers reports whether something that drains nodes, and not kubelet, says
// that it has evicted the pod: Karpenter and the descheduler write such Events
// beside their requests to the eviction API.
func isDrainers(e *corev1.Event) bool {
	by := reporter(e)
	return e.Reason == "Evicted" && by != "" && by != byKubelet
}

// fact makes a fact of an Event; old ones come in a list, and of these only the
// last time is known.
func (t *eventTeller) fact(e *corev1.Event, read time.Time, old bool) (kubefact.Fact, bool) {
	f, ok := eventFact(e.Reason, e.Message)
	if !ok || e.InvolvedObject.Kind != "Pod" {
		return f, false
	}
	switch {
	case t.fits(e):
	case isDrainers(e):
		f.Kind, f.Reporter = kubefact.Disrupted, reporter(e)
	default:
		return f, false
	}
	f.Event = true
	n := t.counted(e)
	if n == 0 {
		return f, false // it has been reported
	}
	f.Source, f.Read, f.Time = kubefact.SourceAPI, read, eventTime(e, read)
	f.Namespace, f.Pod, f.UID = e.InvolvedObject.Namespace, e.InvolvedObject.Name, string(e.InvolvedObject.UID)
	f.Container, f.Text = ofFieldPath(e.InvolvedObject.FieldPath), bounded(f.Text)
	if f.Kind == kubefact.ProbeResults && !old {
		f.Failed = int(n)
	}
	return f, true
}

// counted is how often it has happened since it was last looked at.
func (t *eventTeller) counted(e *corev1.Event) int32 {
	count := max(e.Count, 1)
	if e.Series != nil {
		count = max(count, e.Series.Count)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.seen == nil || len(t.seen) >= seenEventsMax {
		t.seen = map[string]int32{}
	}
	n := count - t.seen[string(e.UID)]
	t.seen[string(e.UID)] = count
	return max(n, 0)
}

// eventTime is when it last happened; kubelet's Events have whole seconds.
func eventTime(e *corev1.Event, read time.Time) time.Time {
	last := e.LastTimestamp.Time
	if e.Series != nil && e.Series.LastObservedTime.After(last) {
		last = e.Series.LastObservedTime.Time
	}
	if last.IsZero() {
		last = e.EventTime.Time
	}
	if last.IsZero() {
		return read
	}
	return last
}
