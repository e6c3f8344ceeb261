// SPDX-License-Identifier: Apache-2.0

package deploy_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/metrics"
)

// exported is every metric with its labels, the Go runtime's and the process's
// too, read off the agent's real /metrics after one event of each kind.
func exported(t *testing.T) map[string][]string {
	t.Helper()
	one := func() map[string]uint64 { return map[string]uint64{"one": 1} }
	m := metrics.New(metrics.Options{Version: "v", Commit: "c", Go: "g", Recursion: one, EvidenceErrors: one, KubeEvents: one})
	for _, e := range []event.Event{
		&event.Death{Header: event.Header{Type: event.TypeDeath}, Cause: event.CauseCgroupOOM, Revision: 1, Process: &event.Process{Pod: &event.Pod{Namespace: "shop"}}},
		&event.Signal{Header: event.Header{Type: event.TypeSignal}, Signal: "SIGKILL", Via: event.ViaKill},
		&event.OOM{Header: event.Header{Type: event.TypeOOM}, Scope: "cgroup", LimitLevel: "pod"},
		&event.Lost{Header: event.Header{Type: event.TypeLost}, Count: 1, Lane: "critical", Reason: "ring_full"},
		&event.Status{Header: event.Header{Type: event.TypeStatus}, Hooks: map[string]string{"signal_generate": "attached"}},
	} {
		if err := m.Print(e); err != nil {
			t.Fatal(err)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	r.Header.Set("Accept", "text/plain")
	w := httptest.NewRecorder()
	m.Handler(metrics.Health{}).ServeHTTP(w, r)
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	for name, family := range families {
		add(all, name, family)
	}
	return all
}

func add(all map[string][]string, name string, family *dto.MetricFamily) {
	labels := []string{}
	for _, pair := range family.Metric[0].Label {
		labels = append(labels, pair.GetName())
	}
	if family.GetType() == dto.MetricType_HISTOGRAM {
		all[name+"_bucket"] = append([]string{"le"}, labels...)
		all[name+"_sum"], all[name+"_count"] = labels, labels
		return
	}
	all[name] = labels
}

// sigtraceOf cuts the prefix off a metric of sigtrace's own.
func sigtraceOf(metric string) (string, bool) { return strings.CutPrefix(metric, "sigtrace_") }

func knownCauses() []string {
	var names []string
	for _, c := range event.Causes() {
		names = append(names, string(c))
	}
	return names
}
