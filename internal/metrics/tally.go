// SPDX-License-Identifier: Apache-2.0

package metrics

import "github.com/prometheus/client_golang/prometheus"

// tally is a counter that others keep, by one label: it is read when it is asked
// for.
type tally struct {
	desc *prometheus.Desc
	read func() map[string]uint64
}

// newTally's read may be nil: nothing is counted then.
func newTally(name, help, label string, read func() map[string]uint64) tally {
	return tally{prometheus.NewDesc("sigtrace_"+name, help, []string{label}, nil), read}
}

// Describe is prometheus.Collector's.
func (t tally) Describe(to chan<- *prometheus.Desc) { to <- t.desc }

// Collect is prometheus.Collector's.
func (t tally) Collect(to chan<- prometheus.Metric) {
	if t.read == nil {
		return
	}
	for value, n := range t.read() {
		to <- prometheus.MustNewConstMetric(t.desc, prometheus.CounterValue, float64(n), value)
	}
}
