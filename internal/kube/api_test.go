// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sigtrace/sigtrace/internal/kubefact"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// server answers lists and watches of pods and events as an API server does, so
// far as a client's errors are concerned. What a real one does is shown in the
// cluster test bed.
type server struct {
	*httptest.Server
	refuse atomic.Int32 // an HTTP status
	mu     sync.Mutex
	lists  map[string][]any
	asked  []string
	pushed map[string]chan any
}

func newServer(t *testing.T) *server {
	s := &server{lists: map[string][]any{}, pushed: map[string]chan any{"pods": make(chan any, 16), "events": make(chan any, 16)}}
	s.Server = httptest.NewServer(http.HandlerFunc(s.answer))
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return s
}

func (s *server) answer(w http.ResponseWriter, r *http.Request) {
	resource := strings.TrimPrefix(r.URL.Path, "/api/v1/")
	s.mu.Lock()
	s.asked = append(s.asked, r.URL.String())
	items := s.lists[resource]
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if code := int(s.refuse.Load()); code != 0 {
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: "Failure", Message: "Unauthorized", Reason: metav1.StatusReasonUnauthorized, Code: int32(code)})
		return
	}
	if r.URL.Query().Get("watch") == "" {
		kind := map[string]string{"pods": "PodList", "events": "EventList"}[resource[strings.LastIndexByte(resource, '/')+1:]]
		if kind == "" && len(items) == 1 {
			_ = json.NewEncoder(w).Encode(items[0])
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"kind": kind, "apiVersion": "v1", "metadata": map[string]any{"resourceVersion": "7"}, "items": items})
		return
	}
	w.WriteHeader(http.StatusOK)
	w.(http.Flusher).Flush()
	for {
		select {
		case e := <-s.pushed[resource]:
			_ = json.NewEncoder(w).Encode(e)
			w.(http.Flusher).Flush()
		case <-r.Context().Done():
			return
		case <-time.After(50 * time.Millisecond):
			if s.refuse.Load() != 0 {
				return // a restart ends watches
			}
		}
	}
}

func (s *server) kubeconfig(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "kubeconfig")
	text := fmt.Sprintf(`{"apiVersion":"v1","kind":"Config","current-context":"c","contexts":[{"name":"c","context":{"cluster":"c","user":"u"}}],
"clusters":[{"name":"c","cluster":{"server":%q}}],"users":[{"name":"u","user":{"token":"t"}}]}`, s.URL)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func aPod() *corev1.Pod {
	return &corev1.Pod{
		TypeMeta:   metav1.TypeMeta{Kind: "Pod", APIVersion: "v1"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web-0", UID: "uid-1", ResourceVersion: "5"},
		Spec: corev1.PodSpec{NodeName: "n1", RestartPolicy: corev1.RestartPolicyAlways, Containers: []corev1.Container{{
			Name: "app", LivenessProbe: &corev1.Probe{PeriodSeconds: 2},
		}}},
	}
}

func anEvent(uid, host, reason, message string, count int32) *corev1.Event {
	return &corev1.Event{
		TypeMeta:       metav1.TypeMeta{Kind: "Event", APIVersion: "v1"},
		ObjectMeta:     metav1.ObjectMeta{Namespace: "shop", Name: "e." + uid, UID: types.UID(uid + reason), ResourceVersion: "9"},
		InvolvedObject: corev1.ObjectReference{Kind: "Pod", Namespace: "shop", Name: "web-0", UID: "uid-1", FieldPath: "spec.containers{app}"},
		Source:         corev1.EventSource{Component: "kubelet", Host: host}, Reason: reason, Message: message, Count: count,
		LastTimestamp: metav1.NewTime(time.Now().Truncate(time.Second)),
	}
}

func TestAPIThroughARestart(t *testing.T) {
	s := newServer(t)
	s.lists["pods"] = []any{aPod()}
	api := NewAPI(Access{Kubeconfig: s.kubeconfig(t)}, "n1")
	reported := follow(t, api)
	if f := next(t, reported, kubefact.Pod); f.UID != "uid-1" || f.Settings.Containers[0].Liveness.FailureThreshold != 3 {
		t.Errorf("%+v", f)
	}
	if f := next(t, reported, kubefact.Available); !f.Complete || api.State() != Connected {
		t.Errorf("%+v, state %s", f, api.State())
	}
	s.pushed["events"] <- map[string]any{"type": "ADDED", "object": anEvent("1", "n2", "Unhealthy", "Liveness probe failed: of another host", 7)}
	s.pushed["events"] <- map[string]any{"type": "ADDED", "object": anEvent("1", "n1", "Unhealthy", "Liveness probe failed: no", 1)}
	s.pushed["events"] <- map[string]any{"type": "MODIFIED", "object": anEvent("1", "n1", "Unhealthy", "Liveness probe failed: no", 3)}
	if f := next(t, reported, kubefact.ProbeResults); f.Failed != 1 || f.Container != "app" || !f.Event {
		t.Errorf("%+v", f)
	}
	if f := next(t, reported, kubefact.ProbeResults); f.Failed != 2 {
		t.Errorf("%+v", f)
	}

	s.refuse.Store(http.StatusUnauthorized) // a revoked token
	if f := next(t, reported, kubefact.Unavailable); !strings.Contains(f.Text, "nauthorized") {
		t.Errorf("%+v", f)
	}
	if state := api.State(); state == Connected {
		t.Error("still said to be connected")
	}
	gone := aPod()
	gone.UID, gone.Name = "uid-2", "web-1"
	s.mu.Lock()
	s.lists["pods"] = []any{gone}
	s.mu.Unlock()
	s.refuse.Store(0)
	if f := next(t, reported, kubefact.Available); f.Time.IsZero() {
		t.Error("when it sees again is not told")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, url := range s.asked {
		if strings.Contains(url, "/pods") && !strings.Contains(url, "spec.nodeName%3Dn1") {
			t.Errorf("asked for pods of other nodes: %s", url)
		}
	}
}

func TestPodFacts(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	grace := int64(30)
	deleted := metav1.NewTime(now.Add(30 * time.Second))
	condition := func(reason, message string) func(*corev1.Pod) {
		return func(p *corev1.Pod) {
			p.Status.Conditions = []corev1.PodCondition{{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: reason, Message: message, LastTransitionTime: metav1.NewTime(now)}}
		}
	}
	status := func(phase corev1.PodPhase, reason, message string) func(*corev1.Pod) {
		return func(p *corev1.Pod) { p.Status.Phase, p.Status.Reason, p.Status.Message = phase, reason, message }
	}
	for name, c := range map[string]struct {
		edit func(*corev1.Pod)
		want kubefact.Kind
	}{
		"deleted":            {func(p *corev1.Pod) { p.DeletionTimestamp, p.DeletionGracePeriodSeconds = &deleted, &grace }, kubefact.Deleted},
		"drained":            {condition("EvictionByEvictionAPI", "Eviction API: evicting"), kubefact.Disrupted},
		"tainted":            {condition("DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint"), kubefact.Disrupted},
		"scheduler preempts": {condition("PreemptionByScheduler", "default-scheduler: preempting to accommodate a higher priority pod"), kubefact.Preempted},
		"kubelet preempts":   {condition("TerminationByKubelet", "Pod was preempted by Kubelet to accommodate a critical pod."), kubefact.Preempted},
		"kubelet evicts":     {condition("TerminationByKubelet", "The node was low on resource: memory."), kubefact.Evicted},
		"shutdown":           {condition("TerminationByKubelet", "Pod was terminated in response to imminent node shutdown."), kubefact.NodeShutdown},
		"evicted":            {status(corev1.PodFailed, "Evicted", "Usage of EmptyDir volume"), kubefact.Evicted},
		"shut down":          {status(corev1.PodFailed, "Terminated", "Pod was terminated in response to imminent node shutdown."), kubefact.NodeShutdown},
		"deadline":           {status(corev1.PodFailed, "DeadlineExceeded", "Pod was active on the node longer than the specified deadline"), kubefact.DeadlineExceeded},
		"done":               {status(corev1.PodSucceeded, "", ""), kubefact.Finished},
	} {
		t.Run(name, func(t *testing.T) {
			teller := podTeller{seen: map[string]*podSeen{}}
			pod := aPod()
			teller.changed(pod, now)
			c.edit(pod)
			facts := teller.changed(pod, now.Add(time.Second))
			if len(facts) != 1 || facts[0].Kind != c.want || facts[0].UID != "uid-1" || facts[0].Namespace != "shop" {
				t.Fatalf("%+v", facts)
			}
			if facts[0].Time.After(now) != facts[0].After {
				t.Errorf("at %v", facts[0].Time)
			}
			if again := teller.changed(pod, now.Add(2*time.Second)); len(again) != 0 {
				t.Errorf("told twice: %+v", again)
			}
		})
	}
}

func TestStaticPodsHaveKubeletsUID(t *testing.T) {
	pod := aPod()
	mirrors(pod, "0123456789abcdef0123456789abcdef")
	teller := &podTeller{seen: map[string]*podSeen{}}
	kinds := func(facts []kubefact.Fact) string {
		var all []string
		for _, f := range facts {
			if f.UID != "0123456789abcdef0123456789abcdef" {
				t.Errorf("%+v", f)
			}
			all = append(all, string(f.Kind))
		}
		return strings.Join(all, " ")
	}
	if got := kinds(teller.changed(pod, time.Now())); got != "static_pod_mirrored pod" {
		t.Errorf("at first: %s", got)
	}
	if got := kinds(teller.changed(pod, time.Now())); got != "" {
		t.Errorf("again: %s", got)
	}
	// Somebody deletes the mirror: its containers live on, and kubelet makes another.
	pod.DeletionTimestamp = &metav1.Time{Time: time.Now()}
	teller.gone(pod, time.Now())
	pod.DeletionTimestamp, pod.UID = nil, "another"
	if got := kinds(teller.changed(pod, time.Now())); got != "static_pod_mirrored pod" {
		t.Errorf("of the other mirror: %s", got)
	}
}

func TestContainerStatuses(t *testing.T) {
	id := strings.Repeat("0a", 32)
	pod := aPod()
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "app", LastTerminationState: corev1.ContainerState{
		Terminated: &corev1.ContainerStateTerminated{ExitCode: 137, Reason: "OOMKilled", ContainerID: "containerd://" + id},
	}}}
	facts := (&podTeller{seen: map[string]*podSeen{}}).changed(pod, time.Now())
	if len(facts) != 2 || facts[1].Kind != kubefact.Terminated || facts[1].ContainerID != id || facts[1].Reason != "OOMKilled" || *facts[1].ExitCode != 137 {
		t.Errorf("%+v", facts)
	}
}
