// SPDX-License-Identifier: Apache-2.0

package metrics

import "github.com/prometheus/client_golang/prometheus"

// kubeEvents collects what has become of the Kubernetes Events, by result. It
// reads them when it is asked.
type kubeEvents func() map[string]uint64

func kubeEventsDesc() *prometheus.Desc {
	return prometheus.NewDesc("sigtrace_kube_events_total",
		"Kubernetes Events, by what has become of them: sent, limited, dropped, failed, retried.", []string{"result"}, nil)
}

// Describe is prometheus.Collector's.
func (k kubeEvents) Describe(to chan<- *prometheus.Desc) { to <- kubeEventsDesc() }

// Collect is prometheus.Collector's.
func (k kubeEvents) Collect(to chan<- prometheus.Metric) {
	if k == nil {
		return
	}
	desc := kubeEventsDesc()
	for result, n := range k() {
		to <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(n), result)
	}
}
