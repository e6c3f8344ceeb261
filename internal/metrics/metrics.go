// SPDX-License-Identifier: Apache-2.0

// Package metrics counts what goes by, for Prometheus. Every label has a bounded
// number of values, whatever others call their namespaces.
package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/sigtrace/sigtrace/internal/event"
)

// Options are where the figures come from that no event carries.
type Options struct {
	Version, Commit, Go string
	// Recursion counts, by program, the calls that the kernel skipped.
	Recursion func() map[string]uint64
	// WriteErrors counts the attempts to write the log directory that failed.
	WriteErrors func() uint64
	// EvidenceErrors counts, by source, the failures of what verdicts rest on
	// besides the kernel's events; nil: there are no such sources.
	EvidenceErrors func() map[string]uint64
	// InternalErrors counts the panics that were caught; nil: none can be.
	InternalErrors func() uint64
	// KubeEvents counts, by result, the Kubernetes Events; nil: none are reported.
	KubeEvents func() map[string]uint64
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Metrics is a printer of events that counts them. Figures may be read at any
// time.
type Metrics struct {
	o        Options
	began    time.Time
	registry *prometheus.Registry

	deaths    *prometheus.CounterVec
	signals   *prometheus.CounterVec
	oomKills  *prometheus.CounterVec
	events    *prometheus.CounterVec
	lost      *prometheus.CounterVec
	attached  *prometheus.GaugeVec
	verdict   prometheus.Histogram
	namespace bounded
	reason    bounded
}

const (
	namespacesMax = 200
	reasonsMax    = 32
)

// New makes the metrics, all at zero.
func New(o Options) *Metrics {
	if o.Now == nil {
		o.Now = time.Now
	}
	m := &Metrics{
		o: o, began: o.Now(), registry: prometheus.NewRegistry(),
		deaths:   counter("deaths_total", "Deaths, by cause and the namespace of the dead.", "cause", "namespace"),
		signals:  counter("signals_total", "Signals that matter, by name and how they came about.", "signal", "via"),
		oomKills: counter("oom_kills_total", "Processes that the kernel's OOM killer killed.", "scope", "limit_level"),
		events:   counter("events_total", "Events emitted, by type.", "type"),
		lost:     counter("events_lost_total", "Events that were dropped.", "lane", "reason"),
		attached: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: "sigtrace", Name: "hook_attached", Help: "1 where a hook of the kernel is attached.",
		}, []string{"hook"}),
		verdict: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "sigtrace", Name: "verdict_seconds", Help: "From exit to verdict.",
			Buckets: []float64{.05, .1, .15, .2, .3, .5, 1, 2, 3, 5, 10},
		}),
		namespace: limit(namespacesMax), reason: limit(reasonsMax),
	}
	m.registry.MustRegister(m.deaths, m.signals, m.oomKills, m.events, m.lost, m.attached, m.verdict,
		newTally("bpf_recursion_misses_total", "Calls of a BPF program that the kernel skipped because one was running.", "program", o.Recursion),
		newTally("evidence_errors_total", "Failures of sources of evidence.", "source", o.EvidenceErrors),
		newTally("kube_events_total", "Kubernetes Events, by what has become of them: sent, limited, dropped, failed, retried.", "result", o.KubeEvents),
		count("log_write_errors_total", "Attempts to write the log directory that failed.", o.WriteErrors),
		count("internal_errors_total", "Panics that were caught: each has cost one event or made its record plain.", o.InternalErrors),
		m.buildInfo(),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "sigtrace", Name: name, Help: help}, labels)
}

// count is a counter that others keep; it is 0 where nobody does.
func count(name, help string, read func() uint64) prometheus.Collector {
	return prometheus.NewCounterFunc(prometheus.CounterOpts{Namespace: "sigtrace", Name: name, Help: help}, func() float64 {
		if read == nil {
			return 0
		}
		return float64(read())
	})
}

func (m *Metrics) buildInfo() prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "sigtrace", Name: "build_info", Help: "Always 1.",
		ConstLabels: prometheus.Labels{"version": m.o.Version, "commit": m.o.Commit, "go": m.o.Go},
	}, func() float64 { return 1 })
}

// Print counts an event.
func (m *Metrics) Print(e event.Event) error {
	m.events.WithLabelValues(string(e.Common().Type)).Inc()
	switch e := e.(type) {
	case *event.Signal:
		m.signals.WithLabelValues(e.Signal, string(e.Via)).Inc()
	case *event.OOM:
		m.oomKills.WithLabelValues(e.Scope, e.LimitLevel).Inc()
	case *event.Death:
		m.death(e)
	case *event.Lost:
		m.lost.WithLabelValues(e.Lane, m.reason.of(e.Reason)).Add(float64(e.Count))
	case *event.Status:
		m.status(e)
	}
	return nil
}

// death counts a death once, whatever its later revisions say.
func (m *Metrics) death(d *event.Death) {
	if d.Revision > 1 {
		return
	}
	namespace := ""
	if d.Process != nil && d.Process.Pod != nil {
		namespace = m.namespace.of(d.Process.Pod.Namespace)
	}
	m.deaths.WithLabelValues(string(d.Cause), namespace).Inc()
	if d.Time.After(m.began) { // not one of the time before
		m.verdict.Observe(m.o.Now().Sub(d.Time).Seconds())
	}
}

func (m *Metrics) status(s *event.Status) {
	for hook, state := range s.Hooks {
		value := 0.0
		if state == "attached" {
			value = 1
		}
		m.attached.WithLabelValues(hook).Set(value)
	}
}

// Tick, Flush and Close are a printer's; there is nothing to do.
func (m *Metrics) Tick(time.Time) error { return nil }

// Flush does nothing.
func (m *Metrics) Flush() error { return nil }

// Close does nothing.
func (m *Metrics) Close() error { return nil }
