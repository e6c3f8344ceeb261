// SPDX-License-Identifier: Apache-2.0

package kubeevent

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/client-go/rest"
)

// server keeps Events as an API server does: a name once in a namespace, patches
// merged, 404 and 409 where they are due. (The cluster's tests have the real one.)
type server struct {
	*httptest.Server
	mu     sync.Mutex
	events map[string]*corev1.Event
	// gone makes every connection end without an answer; refuse answers this.
	gone   bool
	refuse *metav1.Status
	calls  int
}

func newServer(t *testing.T) *server {
	s := &server{events: map[string]*corev1.Event{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *server) client(t *testing.T) rest.Interface {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	c, err := rest.RESTClientFor(&rest.Config{
		Host: s.URL, APIPath: "/api", QPS: -1,
		ContentConfig: rest.ContentConfig{
			GroupVersion: &corev1.SchemeGroupVersion, NegotiatedSerializer: serializer.NewCodecFactory(scheme).WithoutConversion(),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	if s.gone {
		panic(http.ErrAbortHandler)
	}
	if s.refuse != nil {
		answer(w, int(s.refuse.Code), s.refuse)
		return
	}
	body, _ := io.ReadAll(r.Body)
	// /api/v1/namespaces/NS/events[/NAME]
	path := strings.Split(strings.TrimPrefix(r.URL.Path, "/api/v1/namespaces/"), "/")
	if r.Method == http.MethodPost {
		s.create(w, path[0], body)
		return
	}
	s.patch(w, path[0]+"/"+path[2], body)
}

func (s *server) create(w http.ResponseWriter, namespace string, body []byte) {
	e := &corev1.Event{}
	if err := json.Unmarshal(body, e); err != nil {
		answer(w, 400, failure(400, metav1.StatusReasonBadRequest))
		return
	}
	key := namespace + "/" + e.Name
	if s.events[key] != nil {
		answer(w, 409, failure(409, metav1.StatusReasonAlreadyExists))
		return
	}
	s.events[key] = e
	answer(w, 201, e)
}

func (s *server) patch(w http.ResponseWriter, key string, body []byte) {
	e := s.events[key]
	if e == nil {
		answer(w, 404, failure(404, metav1.StatusReasonNotFound))
		return
	}
	before, _ := json.Marshal(e)
	merged, err := strategicpatch.StrategicMergePatch(before, body, corev1.Event{})
	if err != nil {
		answer(w, 400, failure(400, metav1.StatusReasonBadRequest))
		return
	}
	after := &corev1.Event{}
	_ = json.Unmarshal(merged, after)
	s.events[key] = after
	answer(w, 200, after)
}

func failure(code int32, reason metav1.StatusReason) *metav1.Status {
	return &metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"},
		Status:   metav1.StatusFailure, Code: code, Reason: reason,
	}
}

func answer(w http.ResponseWriter, code int, object any) {
	if e, ok := object.(*corev1.Event); ok {
		e.TypeMeta = metav1.TypeMeta{Kind: "Event", APIVersion: "v1"}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(object)
}

func (s *server) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

func (s *server) list() []*corev1.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*corev1.Event
	for _, e := range s.events {
		all = append(all, e.DeepCopy())
	}
	return all
}
