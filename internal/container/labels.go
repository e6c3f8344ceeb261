// SPDX-License-Identifier: Apache-2.0

package container

import (
	"maps"

	"github.com/sigtrace/sigtrace/internal/event"
)

// The labels that kubelet puts on sandboxes and containers
// (k8s.io/kubelet/pkg/types/labels.go).
const (
	labelPodName       = "io.kubernetes.pod.name"
	labelPodNamespace  = "io.kubernetes.pod.namespace"
	labelPodUID        = "io.kubernetes.pod.uid"
	labelContainerName = "io.kubernetes.container.name"
)

// podOfLabels gives the pod that kubelet's labels name, nil if they name none.
// The other labels are not the pod's on a container and are left out.
func podOfLabels(labels map[string]string) *event.Pod {
	pod := event.Pod{Namespace: labels[labelPodNamespace], Name: labels[labelPodName], UID: labels[labelPodUID]}
	if pod.Name == "" && pod.UID == "" {
		return nil
	}
	return &pod
}

// userLabels are a sandbox's labels without kubelet's own: the pod's labels.
func userLabels(labels map[string]string) map[string]string {
	own := maps.Clone(labels)
	for _, key := range []string{labelPodName, labelPodNamespace, labelPodUID, labelContainerName} {
		delete(own, key)
	}
	if len(own) == 0 {
		return nil
	}
	return own
}
