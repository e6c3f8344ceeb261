// SPDX-License-Identifier: Apache-2.0

package kubeevent

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sigtrace/sigtrace/internal/event"
)

var at = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// death is that of the init of container app of pod shop/web-0.
func death(id string, cause event.Cause) *event.Death {
	init := true
	return &event.Death{
		Header: event.Header{Schema: event.Schema, Type: event.TypeDeath, Time: at},
		ID:     id, Revision: 1, Cause: cause, Confidence: event.Proven,
		Summary: "container app of shop/web-0 was killed: " + id,
		Process: &event.Process{
			PID: 4711, Comm: "app",
			Container: &event.Container{ID: "c0ffee", Name: "app", Init: &init},
			Pod:       &event.Pod{Namespace: "shop", Name: "web-0", UID: "uid-0"},
		},
	}
}

func start(t *testing.T, s *server, o Options) *Sink {
	t.Helper()
	o.Log, o.Node = slog.New(slog.DiscardHandler), "node-1"
	if o.Backoff == 0 {
		o.Backoff = time.Millisecond
	}
	return New(REST(s.client(t)), o)
}

func printAll(t *testing.T, sink *Sink, deaths ...*event.Death) {
	t.Helper()
	for _, d := range deaths {
		if err := sink.Print(d); err != nil {
			t.Fatal(err)
		}
	}
}

func closed(t *testing.T, sink *Sink) Counts {
	t.Helper()
	if err := sink.Close(); err != nil {
		t.Fatal(err)
	}
	return sink.Counts()
}

func TestTold(t *testing.T) {
	s := newServer(t)
	sink := start(t, s, Options{})
	printAll(t, sink, death("d1", event.CauseForeignProcess))
	if err := sink.Print(&event.Signal{Header: event.Header{Type: event.TypeSignal}}); err != nil {
		t.Fatal(err)
	}
	if got := closed(t, sink); got != (Counts{Sent: 1}) {
		t.Errorf("counts %+v", got)
	}
	want := []*corev1.Event{{
		TypeMeta:       metav1.TypeMeta{Kind: "Event", APIVersion: "v1"},
		ObjectMeta:     metav1.ObjectMeta{Namespace: "shop", Name: name("web-0", "d1")},
		InvolvedObject: corev1.ObjectReference{APIVersion: "v1", Kind: "Pod", Namespace: "shop", Name: "web-0", UID: "uid-0", FieldPath: "spec.containers{app}"},
		Reason:         "SigtraceKill", Type: "Warning", Message: "container app of shop/web-0 was killed: d1",
		Source:         corev1.EventSource{Component: "sigtrace", Host: "node-1"},
		FirstTimestamp: metav1.NewTime(at), LastTimestamp: metav1.NewTime(at), Count: 1,
		ReportingController: "sigtrace", ReportingInstance: "node-1",
	}}
	if diff := cmp.Diff(want, s.list()); diff != "" {
		t.Error(diff)
	}
}

// TestRevisions: a later revision takes the first one's place, in this agent and
// in the next.
func TestRevisions(t *testing.T) {
	s := newServer(t)
	first, second, third := death("d1", event.CauseRuntimeStop), death("d1", event.CauseLivenessProbe), death("d1", event.CauseLivenessProbe)
	second.Revision, second.Summary = 2, "its liveness probe failed"
	third.Revision, third.Summary = 3, "its liveness probe failed three times"
	sink := start(t, s, Options{})
	printAll(t, sink, first, second, first) // the old one again changes nothing
	closed(t, sink)
	if got := only(t, s); got.Reason != "SigtraceProbe" || got.Message != second.Summary || got.Count != 1 {
		t.Errorf("%s %q ×%d", got.Reason, got.Message, got.Count)
	}
	sink = start(t, s, Options{})
	printAll(t, sink, third)
	closed(t, sink)
	if got := only(t, s); got.Message != third.Summary {
		t.Errorf("%q", got.Message)
	}
}

func only(t *testing.T, s *server) *corev1.Event {
	t.Helper()
	all := s.list()
	if len(all) != 1 {
		t.Fatalf("%d events, want one: %v", len(all), all)
	}
	return all[0]
}

// TestGone: what happens while the API is away is reported afterwards, each once, and
// nobody waits for it meanwhile.
func TestGone(t *testing.T) {
	s := newServer(t)
	s.set(func() { s.gone = true })
	sink := start(t, s, Options{Patience: 20 * time.Second})
	before := time.Now()
	for i := range 8 {
		d := death(fmt.Sprint("d", i), event.CauseCgroupOOM)
		d.Process.Pod.Name, d.Process.Pod.UID = fmt.Sprint("web-", i), fmt.Sprint("uid-", i)
		printAll(t, sink, d)
	}
	if took := time.Since(before); took > time.Second {
		t.Errorf("printing took %v", took)
	}
	for sink.Counts().Retries < 3 {
		time.Sleep(time.Millisecond)
	}
	s.set(func() { s.gone = false })
	if got := closed(t, sink); got.Sent != 8 || got.Dropped+got.Failed != 0 {
		t.Errorf("counts %+v", got)
	}
	if n := len(s.list()); n != 8 {
		t.Errorf("%d events, want 8", n)
	}
}

// TestFull: what has no room is counted, and so is what is left at the end.
func TestFull(t *testing.T) {
	s := newServer(t)
	s.set(func() { s.gone = true })
	sink := start(t, s, Options{Room: 4, Patience: 20 * time.Millisecond})
	for i := range 100 {
		printAll(t, sink, death(fmt.Sprint("d", i), event.CauseCgroupOOM))
	}
	if got := closed(t, sink); got.Sent != 0 || got.Dropped != 100 {
		t.Errorf("counts %+v, want 100 dropped", got)
	}
}

// TestCrashLoop: many deaths of one pod become few Events.
func TestCrashLoop(t *testing.T) {
	s := newServer(t)
	sink := start(t, s, Options{})
	for i := range 200 {
		printAll(t, sink, death(fmt.Sprint("d", i), event.CauseKernelFault))
	}
	got := closed(t, sink)
	if got.Sent+got.Limited != 200 || got.Limited < 150 {
		t.Errorf("counts %+v", got)
	}
	all, combined := s.list(), 0
	for _, e := range all {
		if strings.HasPrefix(e.Message, "(combined from similar events)") {
			combined++
		}
	}
	if len(all) > 10 || combined != 1 {
		t.Errorf("%d events, %d of them combined", len(all), combined)
	}
}

// TestRefused: an answer is final, and the next death is reported all the same.
func TestRefused(t *testing.T) {
	s := newServer(t)
	terminating := failure(403, metav1.StatusReasonForbidden)
	terminating.Details = &metav1.StatusDetails{Causes: []metav1.StatusCause{{Type: corev1.NamespaceTerminatingCause}}}
	s.set(func() { s.refuse = terminating })
	sink := start(t, s, Options{})
	printAll(t, sink, death("d1", event.CausePodDeleted))
	for sink.Counts().Failed == 0 {
		time.Sleep(time.Millisecond)
	}
	s.set(func() { s.refuse = nil })
	printAll(t, sink, death("d2", event.CauseForeignProcess))
	if got := closed(t, sink); got != (Counts{Sent: 1, Failed: 1}) {
		t.Errorf("counts %+v", got)
	}
	only(t, s)
}

// TestOverloaded: 429 and 503 pass.
func TestOverloaded(t *testing.T) {
	for code, reason := range map[int32]metav1.StatusReason{429: metav1.StatusReasonTooManyRequests, 503: metav1.StatusReasonServiceUnavailable, 401: metav1.StatusReasonUnauthorized} {
		s := newServer(t)
		s.set(func() { s.refuse = failure(code, reason) })
		sink := start(t, s, Options{Patience: 20 * time.Second})
		printAll(t, sink, death("d1", event.CauseForeignProcess))
		for sink.Counts().Retries == 0 {
			time.Sleep(time.Millisecond)
		}
		s.set(func() { s.refuse = nil })
		if got := closed(t, sink); got.Sent != 1 || got.Failed != 0 {
			t.Errorf("%d: counts %+v", code, got)
		}
	}
}
