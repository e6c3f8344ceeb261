// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"fmt"
	"io"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// probeKey is a probe of a container of a pod.
type probeKey struct{ namespace, pod, uid, container, probe string }

// probeCount is how often it has failed and succeeded since kubelet's start.
type probeCount struct{ failed, succeeded int }

const counterName = "prober_probe_total"

// probeCounts reads of kubelet's /metrics/probes the counter prober_probe_total
// alone, of liveness and startup probes (pkg/kubelet/prober/prober_manager.go).
func probeCounts(r io.Reader) (map[probeKey]probeCount, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(r)
	if err != nil {
		return nil, fmt.Errorf("read the probes' counters: %w", err)
	}
	counts := map[probeKey]probeCount{}
	for _, m := range families[counterName].GetMetric() {
		labels := labelsOf(m)
		probe := strings.ToLower(labels["probe_type"])
		value := m.GetCounter().GetValue()
		if probe != "liveness" && probe != "startup" || !(value >= 0 && value < 1<<53) {
			continue
		}
		k := probeKey{labels["namespace"], labels["pod"], labels["pod_uid"], labels["container"], probe}
		c := counts[k]
		switch labels["result"] {
		case "failed":
			c.failed += int(value)
		case "successful":
			c.succeeded += int(value)
		}
		counts[k] = c
	}
	return counts, nil
}

func labelsOf(m *dto.Metric) map[string]string {
	labels := make(map[string]string, len(m.GetLabel()))
	for _, pair := range m.GetLabel() {
		labels[pair.GetName()] = pair.GetValue()
	}
	return labels
}
