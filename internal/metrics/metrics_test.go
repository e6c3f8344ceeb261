// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/sigtrace/sigtrace/internal/event"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

func counted(t *testing.T, events ...event.Event) *Metrics {
	t.Helper()
	clock := noon
	m := New(Options{
		Version: "1", Commit: "c", Go: "go", Now: func() time.Time { return clock },
		EvidenceErrors: func() map[string]uint64 { return map[string]uint64{"api": 1} },
		Recursion:      func() map[string]uint64 { return map[string]uint64{"signal_generate": 4} }, WriteErrors: func() uint64 { return 5 },
		InternalErrors: func() uint64 { return 8 },
		KubeEvents:     func() map[string]uint64 { return map[string]uint64{"sent": 6} },
	})
	clock = clock.Add(2 * time.Second)
	for _, e := range events {
		if err := m.Print(e); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func header(t event.Type) event.Header { return event.Header{Type: t, Time: noon.Add(time.Second)} }

func death(namespace string, revision int) *event.Death {
	d := &event.Death{Header: header(event.TypeDeath), Cause: event.CauseCgroupOOM, Revision: revision, Process: &event.Process{}}
	if namespace != "" {
		d.Process.Pod = &event.Pod{Namespace: namespace}
	}
	return d
}

func get(t *testing.T, h http.Handler, path, accept string) (int, string, string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	if accept != "" {
		r.Header.Set("Accept", accept)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Header().Get("Content-Type"), w.Body.String()
}

func fine() error { return nil }

// Every name of the contract is there, with the labels that it gives.
func TestContract(t *testing.T) {
	old := death("shop", 1)
	old.Time = noon.Add(-time.Hour) // of the time before this agent
	m := counted(t,
		death("shop", 1), death("shop", 2), death("", 1), old,
		&event.Signal{Header: header(event.TypeSignal), Signal: "SIGKILL", Via: event.ViaKill},
		&event.OOM{Header: header(event.TypeOOM), Scope: "cgroup", LimitLevel: "pod"},
		&event.Lost{Header: header(event.TypeLost), Count: 7, Lane: "routine", Reason: "ring_full"},
		&event.Status{Header: header(event.TypeStatus), Hooks: map[string]string{"signal_generate": "attached", "mark_victim": "not there"}})
	code, kind, body := get(t, m.Handler(Health{fine, fine}), "/metrics", "")
	if code != http.StatusOK || !strings.HasPrefix(kind, "application/openmetrics-text") || !strings.HasSuffix(body, "# EOF\n") {
		t.Errorf("%d %s", code, kind)
	}
	for _, line := range []string{
		`sigtrace_deaths_total{cause="cgroup_oom",namespace="shop"} 2.0`,
		`sigtrace_deaths_total{cause="cgroup_oom",namespace=""} 1.0`,
		`sigtrace_signals_total{signal="SIGKILL",via="kill"} 1.0`,
		`sigtrace_oom_kills_total{limit_level="pod",scope="cgroup"} 1.0`,
		`sigtrace_events_total{type="death"} 4.0`,
		`sigtrace_events_lost_total{lane="routine",reason="ring_full"} 7.0`,
		`sigtrace_bpf_recursion_misses_total{program="signal_generate"} 4.0`,
		`sigtrace_hook_attached{hook="signal_generate"} 1.0`,
		`sigtrace_hook_attached{hook="mark_victim"} 0.0`,
		`sigtrace_verdict_seconds_bucket{le="1.0"} 2`,
		`sigtrace_verdict_seconds_count 2`,
		`sigtrace_evidence_errors_total{source="api"} 1.0`,
		`sigtrace_log_write_errors_total 5.0`,
		`sigtrace_internal_errors_total 8.0`,
		`sigtrace_kube_events_total{result="sent"} 6.0`,
		`sigtrace_build_info{commit="c",go="go",version="1"} 1.0`,
	} {
		if !strings.Contains(body, line+"\n") {
			t.Errorf("no line %s", line)
		}
	}
	if t.Failed() {
		t.Log(body)
	}
}

// The count of internal errors is there from the start, so that an alert sees the
// first one.
func TestInternalErrorsFromTheStart(t *testing.T) {
	_, _, body := get(t, New(Options{}).Handler(Health{fine, fine}), "/metrics", "")
	if !strings.Contains(body, "sigtrace_internal_errors_total 0.0\n") {
		t.Error(body)
	}
}

func TestLint(t *testing.T) {
	problems, err := testutil.GatherAndLint(counted(t, death("shop", 1)).registry)
	if err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
}

func TestLabelsAreBounded(t *testing.T) {
	m := counted(t)
	for n := range 10 * namespacesMax {
		_ = m.Print(death(fmt.Sprint("ns-", n), 1))
		_ = m.Print(&event.Lost{Header: header(event.TypeLost), Count: 1, Reason: fmt.Sprint(n)})
	}
	if n := testutil.CollectAndCount(m.deaths); n != namespacesMax+1 {
		t.Errorf("%d series of deaths", n)
	}
	if n := testutil.CollectAndCount(m.lost); n != reasonsMax+1 {
		t.Errorf("%d series of losses", n)
	}
}

func TestHealth(t *testing.T) {
	h := counted(t).Handler(Health{Alive: fine, Ready: func() error { return errors.New("starting") }})
	if code, _, body := get(t, h, "/healthz", ""); code != http.StatusOK || body != "ok\n" {
		t.Errorf("%d %q", code, body)
	}
	if code, _, body := get(t, h, "/readyz", ""); code != http.StatusServiceUnavailable || body != "starting\n" {
		t.Errorf("%d %q", code, body)
	}
	if code, kind, _ := get(t, h, "/metrics", "text/plain"); code != http.StatusOK || !strings.HasPrefix(kind, "text/plain") {
		t.Errorf("%d %s", code, kind)
	}
	if code, _, _ := get(t, h, "/", ""); code != http.StatusNotFound {
		t.Errorf("%d", code)
	}
}

func TestListen(t *testing.T) {
	m := counted(t)
	serve, at, err := Listen("127.0.0.1:0", m.Handler(Health{fine, fine}))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := Listen(at.String(), nil); err == nil || !strings.Contains(err.Error(), "--metrics-addr") {
		t.Errorf("the same address twice: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx) }()
	r, err := http.Get("http://" + at.String() + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(r.Body)
	_ = r.Body.Close()
	if string(b) != "ok\n" {
		t.Errorf("got %q", b)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
