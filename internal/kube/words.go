// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"strings"

	"github.com/sigtrace/sigtrace/internal/kubefact"
)

// killKind reads the words with which kubelet kills a container: the message of
// an Event of reason Killing and of its log (kuberuntime computePodActions,
// killContainer). "Stopping container X" names no reason.
func killKind(message string) kubefact.Kind {
	switch {
	case strings.Contains(message, "failed liveness probe"):
		return kubefact.LivenessFailed
	case strings.Contains(message, "failed startup probe"):
		return kubefact.StartupFailed
	case strings.Contains(message, "definition changed"):
		return kubefact.DefinitionChanged
	case strings.Contains(message, "resize requires restart"):
		return kubefact.ResizeRestarts
	case strings.Contains(message, "FailedPostStartHook"):
		return kubefact.PostStartFailed
	}
	return kubefact.Stopping
}

// podKinds are the reasons of Events about a pod that is on its way out. The
// scheduler says Preempted, kubelet Preempting.
var podKinds = map[string]kubefact.Kind{
	"Evicted": kubefact.Evicted, "Preempting": kubefact.Preempted, "Preempted": kubefact.Preempted,
	"DeadlineExceeded": kubefact.DeadlineExceeded, "SandboxChanged": kubefact.SandboxChanged,
	"NodeShutdown": kubefact.NodeShutdown, "Terminated": kubefact.NodeShutdown,
	"TaintManagerEviction": kubefact.Disrupted,
	"FailedPostStartHook":  kubefact.PostStartFailed,
}

// combined is what stands before the message of an Event that stands for several
// which differ in a detail (client-go's tools/record/events_cache.go).
const combined = "(combined from similar events): "

// eventFact reads an Event; ok is false where it shows nothing of a kill.
func eventFact(reason, message string) (f kubefact.Fact, ok bool) {
	f.Text = reason + ": " + message
	message = strings.TrimPrefix(message, combined)
	switch reason {
	case "Killing":
		f.Kind = killKind(message)
		return f, true
	case "Unhealthy":
		probe, _, found := strings.Cut(message, " probe ")
		f.Kind, f.Probe, f.Failed = kubefact.ProbeResults, strings.ToLower(probe), 1
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
