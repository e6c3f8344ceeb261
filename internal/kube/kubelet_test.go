// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/kubefact"
)

// kubeletServer is kubelet's port, as far as a client goes.
type kubeletServer struct {
	mu      sync.Mutex
	failed  int
	ok      int
	refuse  bool
	noPods  bool
	asked   map[string]int
	tokens  []string
	podList corev1.PodList
}

func (k *kubeletServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.asked[r.URL.Path]++
	k.tokens = append(k.tokens, r.Header.Get("Authorization"))
	switch {
	case k.refuse || k.noPods && r.URL.Path == "/pods":
		w.WriteHeader(http.StatusForbidden)
	case r.URL.Path == "/pods":
		_ = json.NewEncoder(w).Encode(k.podList)
	case r.URL.Path == "/metrics/probes":
		const labels = `container="app",namespace="shop",pod="web-0",pod_uid="uid-1",probe_type="Liveness"`
		fmt.Fprintf(w, "# TYPE prober_probe_total counter\nprober_probe_total{%s,result=\"failed\"} %d\nprober_probe_total{%s,result=\"successful\"} %d\n"+
			"prober_probe_duration_seconds_bucket{%s,le=\"1\"} 9\n", labels, k.failed, labels, k.ok, labels)
	}
}

func (k *kubeletServer) set(failed, ok int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.failed, k.ok = failed, ok
}

func newKubeletServer() *kubeletServer {
	return &kubeletServer{asked: map[string]int{}, podList: corev1.PodList{Items: []corev1.Pod{*aPod()}}}
}

func TestCountersAreReadAtOnce(t *testing.T) {
	k := newKubeletServer()
	k.set(5, 7) // before our time
	s := httptest.NewServer(k)
	defer s.Close()
	source, err := NewKubelet(s.URL, Access{}, false)
	if err != nil {
		t.Fatal(err)
	}
	reported := follow(t, source)
	next(t, reported, kubefact.Available)
	if f := next(t, reported, kubefact.Pod); f.Source != kubefact.SourceKubeletPods || f.Settings.Containers[0].Liveness.PeriodSeconds != 2 {
		t.Errorf("%+v", f)
	}
	k.set(7, 7)
	set := NewSet()
	set.Add(source)
	begun := time.Now()
	set.Signalled(&event.Signal{Target: &event.Process{Pod: &event.Pod{UID: "uid-1"}}, Sender: &event.Process{}, SignalDetail: event.SignalDetail{Matters: true}})
	f := next(t, reported, kubefact.ProbeResults)
	if f.Failed != 2 || f.Succeeded != 0 || f.Probe != "liveness" || f.UID != "uid-1" || f.Container != "app" || f.Since.IsZero() {
		t.Errorf("%+v", f)
	}
	if d := time.Since(begun); d > 1500*time.Millisecond { // else it was the poll of every two seconds
		t.Errorf("after %v", d)
	}
	k.set(1, 0) // kubelet was restarted: from zero
	if f := next(t, reported, kubefact.ProbeResults); f.Failed != 1 {
		t.Errorf("%+v", f)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, token := range k.tokens {
		if token != "" {
			t.Error("credentials went over plain HTTP")
		}
	}
}

func TestKubeletRefuses(t *testing.T) {
	k := newKubeletServer()
	k.noPods = true
	s := httptest.NewServer(k)
	defer s.Close()
	source, err := NewKubelet(s.URL, Access{}, false)
	if err != nil {
		t.Fatal(err)
	}
	reported := follow(t, source)
	next(t, reported, kubefact.Available) // the pods may be refused
	k.mu.Lock()
	k.refuse = true
	k.mu.Unlock()
	source.look(happened{})
	if f := next(t, reported, kubefact.Unavailable); !strings.Contains(f.Text, "403") || !strings.Contains(f.Text, "nodes/metrics") {
		t.Errorf("%+v", f)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.asked["/pods"] != 1 {
		t.Errorf("asked %d times for pods that are refused", k.asked["/pods"])
	}
}

func TestKubeletsCertificateIsChecked(t *testing.T) {
	k := newKubeletServer()
	s := httptest.NewTLSServer(k)
	defer s.Close()
	right := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	for name, c := range map[string]struct {
		ca       []byte
		insecure bool
		want     kubefact.Kind
	}{
		"by the cluster's authority": {right, false, kubefact.Available},
		"by another":                 {nil, false, kubefact.Unavailable},
		"not at all, as told":        {nil, true, kubefact.Available},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "kubeconfig")
			config := map[string]any{
				"apiVersion": "v1", "kind": "Config", "current-context": "c",
				"contexts": []any{map[string]any{"name": "c", "context": map[string]any{"cluster": "c", "user": "u"}}},
				"clusters": []any{map[string]any{"name": "c", "cluster": map[string]any{"server": "https://elsewhere", "certificate-authority-data": c.ca}}},
				"users":    []any{map[string]any{"name": "u", "user": map[string]any{"token": "secret"}}},
			}
			text, _ := json.Marshal(config)
			if err := os.WriteFile(file, text, 0o600); err != nil {
				t.Fatal(err)
			}
			source, err := NewKubelet(s.URL, Access{Kubeconfig: file}, c.insecure)
			if err != nil {
				t.Fatal(err)
			}
			reported := follow(t, source)
			f := next(t, reported, c.want)
			if c.want == kubefact.Unavailable && !strings.Contains(f.Text, "certificate") {
				t.Errorf("%+v", f)
			}
		})
	}
}

func TestKubeletURL(t *testing.T) {
	for _, bad := range []string{"node:10250", "ftp://node", "https://", "::"} {
		if _, err := NewKubelet(bad, Access{}, false); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
