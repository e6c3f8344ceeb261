// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"strings"

	"github.com/sigtrace/sigtrace/internal/event"
)

// killKind reads the words with which kubelet kills a container: the message of
// an Event of reason Killing and of its log (kuberuntime computePodActions,
// killContainer). "Stopping container X" names no reason.
func killKind(message string) event.KubeKind {
	switch {
	case strings.Contains(message, "failed liveness probe"):
		return event.KubeLiveness
	case strings.Contains(message, "failed startup probe"):
		return event.KubeStartup
	case strings.Contains(message, "definition changed"):
		return event.KubeChanged
	case strings.Contains(message, "resize requires restart"):
		return event.KubeResized
	case strings.Contains(message, "FailedPostStartHook"):
		return event.KubePostStart
	}
	return event.KubeStopping
}

// podKinds are the reasons of Events about a pod that is on its way out. The
// scheduler says Preempted, kubelet Preempting.
var podKinds = map[string]event.KubeKind{
	"Evicted": event.KubeEvicted, "Preempting": event.KubePreempt, "Preempted": event.KubePreempt,
	"DeadlineExceeded": event.KubeDeadline, "SandboxChanged": event.KubeSandbox,
	"NodeShutdown": event.KubeShutdown, "Terminated": event.KubeShutdown,
	"TaintManagerEviction": event.KubeDisrupted,
	"FailedPostStartHook":  event.KubePostStart,
}

// combined is what stands before the message of an Event that stands for several
// which differ in a detail (client-go's tools/record/events_cache.go).
const combined = "(combined from similar events): "

// eventFact reads an Event; ok is false where it tells nothing of a kill.
func eventFact(reason, message string) (f event.KubeFact, ok bool) {
	f.Text = reason + ": " + message
	message = strings.TrimPrefix(message, combined)
	switch reason {
	case "Killing":
		f.Kind = killKind(message)
		return f, true
	case "Unhealthy":
		probe, _, found := strings.Cut(message, " probe ")
		f.Kind, f.Probe, f.Failed = event.KubeProbe, strings.ToLower(probe), 1
		return f, found && (f.Probe == "liveness" || f.Probe == "startup")
	}
	f.Kind, ok = podKinds[reason]
	return f, ok
}

// ofFieldPath takes the container out of "spec.containers{NAME}".
func ofFieldPath(path string) string {
	_, rest, ok := strings.Cut(path, "{")
	if !ok {
		return ""
	}
	return strings.TrimSuffix(rest, "}")
}
