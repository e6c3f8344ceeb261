// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"testing"
	"time"

	"github.com/sigtrace/sigtrace/internal/kubefact"
	corev1 "k8s.io/api/core/v1"
)

// An Event counts only if the writer that it names writes Events of that reason.
func TestEventsOfOthers(t *testing.T) {
	by := func(component, host string) func(*corev1.Event) {
		return func(e *corev1.Event) { e.Source = corev1.EventSource{Component: component, Host: host} }
	}
	reporting := func(controller, instance string) func(*corev1.Event) {
		return func(e *corev1.Event) { e.ReportingController, e.ReportingInstance = controller, instance }
	}
	const liveness = "Container app failed liveness probe, will be restarted"
	for name, c := range map[string]struct {
		reason, message string
		edits           []func(*corev1.Event)
		want            kubefact.Kind // empty: not used
	}{
		"kubelet":                    {"Killing", liveness, nil, kubefact.LivenessFailed},
		"kubelet, both ways":         {"Killing", liveness, []func(*corev1.Event){reporting("kubelet", "n1")}, kubefact.LivenessFailed},
		"kubelet, the new way alone": {"Killing", liveness, []func(*corev1.Event){by("", ""), reporting("kubelet", "n1")}, kubefact.LivenessFailed},
		"of another node":            {"Killing", liveness, []func(*corev1.Event){by("kubelet", "n2")}, ""},
		"of no node":                 {"Killing", liveness, []func(*corev1.Event){by("kubelet", "")}, ""},
		"of nobody":                  {"Killing", liveness, []func(*corev1.Event){by("", "")}, ""},
		"of a program of somebody's": {"Killing", liveness, []func(*corev1.Event){by("chaos", "n1")}, ""},
		"of two writers":             {"Killing", liveness, []func(*corev1.Event){reporting("chaos", "n1")}, ""},
		"of two hosts":               {"Killing", liveness, []func(*corev1.Event){reporting("kubelet", "n2")}, ""},
		"kubelet evicts":             {"Evicted", "The node was low on resource: memory.", nil, kubefact.Evicted},
		"Karpenter evicts":           {"Evicted", "Evicted pod: Underutilized", []func(*corev1.Event){by("karpenter", "")}, kubefact.Disrupted},
		"the scheduler preempts":     {"Preempted", "Preempted by pod x on node n1", []func(*corev1.Event){by("", ""), reporting("default-scheduler", "default-scheduler-m1")}, kubefact.Preempted},
		"kubelet says Preempted":     {"Preempted", "Preempted by pod x on node n1", nil, ""},
		"kubelet preempts":           {"Preempting", "Preempted in order to admit critical pod", nil, kubefact.Preempted},
		"the scheduler Preempting":   {"Preempting", "Preempted in order to admit critical pod", []func(*corev1.Event){by("default-scheduler", "")}, ""},
		"a taint":                    {"TaintManagerEviction", "Marking for deletion Pod shop/web-0", []func(*corev1.Event){by("taint-eviction-controller", "")}, kubefact.Disrupted},
		"a taint that has gone":      {"TaintManagerEviction", "Cancelling deletion of Pod shop/web-0", []func(*corev1.Event){by("taint-eviction-controller", "")}, ""},
		"a taint of somebody's":      {"TaintManagerEviction", "Marking for deletion Pod shop/web-0", []func(*corev1.Event){by("me", "")}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			e := anEvent("1", "n1", c.reason, c.message, 1)
			for _, edit := range c.edits {
				edit(e)
			}
			events := eventTeller{node: "n1"}
			f, ok := events.fact(e, time.Now(), false)
			if !ok {
				f.Kind = ""
			}
			if f.Kind != c.want || ok && !f.FromEvent() {
				t.Errorf("%q, want %q: %+v", f.Kind, c.want, f)
			}
		})
	}
}
