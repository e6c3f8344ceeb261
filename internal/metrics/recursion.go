// SPDX-License-Identifier: Apache-2.0

package metrics

import "github.com/prometheus/client_golang/prometheus"

// recursion collects the calls that the kernel skipped because a program was
// running on that CPU already. It reads them when it is asked.
type recursion func() map[string]uint64

func recursionDesc() *prometheus.Desc {
	return prometheus.NewDesc("sigtrace_bpf_recursion_misses_total",
		"Calls of a BPF program that the kernel skipped because one was running.", []string{"program"}, nil)
}

// Describe is prometheus.Collector's.
func (r recursion) Describe(to chan<- *prometheus.Desc) { to <- recursionDesc() }

// Collect is prometheus.Collector's.
func (r recursion) Collect(to chan<- prometheus.Metric) {
	if r == nil {
		return
	}
	desc := recursionDesc()
	for program, n := range r() {
		to <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(n), program)
	}
}
