// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"bufio"
	"io"
	"strconv"
	"strings"
)

// probeKey is a probe of a container of a pod.
type probeKey struct{ namespace, pod, uid, container, probe string }

// probeCount is how often it has failed and succeeded since kubelet's start.
type probeCount struct{ failed, succeeded int }

const counterName = "prober_probe_total{"

// probeCounts reads kubelet's /metrics/probes: of its text format (Prometheus
// 0.0.4) the counter prober_probe_total alone, of liveness and startup probes
// (pkg/kubelet/prober/prober_manager.go).
func probeCounts(r io.Reader) (map[probeKey]probeCount, error) {
	counts := map[probeKey]probeCount{}
	s := bufio.NewScanner(r)
	s.Buffer(nil, entryMax)
	for s.Scan() {
		text, ok := strings.CutPrefix(s.Text(), counterName)
		if !ok {
			continue
		}
		labels, value, ok := metricLabels(text)
		probe := strings.ToLower(labels["probe_type"])
		if !ok || probe != "liveness" && probe != "startup" {
			continue
		}
		k := probeKey{labels["namespace"], labels["pod"], labels["pod_uid"], labels["container"], probe}
		c := counts[k]
		switch labels["result"] {
		case "failed":
			c.failed += value
		case "successful":
			c.succeeded += value
		}
		counts[k] = c
	}
	return counts, s.Err()
}

// metricLabels reads `name="value",…} 3`.
func metricLabels(text string) (labels map[string]string, value int, ok bool) {
	labels = map[string]string{}
	for {
		name, rest, found := strings.Cut(text, "=")
		if !found {
			return nil, 0, false
		}
		quoted, err := strconv.QuotedPrefix(rest)
		if err != nil {
			return nil, 0, false
		}
		labels[strings.Trim(name, ", ")], _ = strconv.Unquote(quoted)
		text = rest[len(quoted):]
		if after, end := strings.CutPrefix(text, "}"); end {
			number, _, _ := strings.Cut(strings.TrimSpace(after), " ")
			f, err := strconv.ParseFloat(number, 64)
			return labels, int(f), err == nil && f >= 0 && f < 1e15
		}
	}
}
