// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"github.com/sigtrace/sigtrace/internal/kubefact"
	corev1 "k8s.io/api/core/v1"
)

// settingsOf keeps of a pod what verdicts need: of its specification, and how
// often it has been restarted.
func settingsOf(pod *corev1.Pod) *kubefact.PodSettings {
	s := &kubefact.PodSettings{
		RestartPolicy: string(pod.Spec.RestartPolicy), GraceSeconds: pod.Spec.TerminationGracePeriodSeconds,
		Created: pod.CreationTimestamp.UTC(),
	}
	for i := range pod.Spec.InitContainers {
		c := &pod.Spec.InitContainers[i]
		role := kubefact.RoleInit
		if c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			role = kubefact.RoleSidecar
		}
		s.Containers = append(s.Containers, containerSettings(c, role))
	}
	for i := range pod.Spec.Containers {
		s.Containers = append(s.Containers, containerSettings(&pod.Spec.Containers[i], ""))
	}
	for i := range pod.Spec.EphemeralContainers {
		s.Containers = append(s.Containers, kubefact.ContainerSettings{Name: pod.Spec.EphemeralContainers[i].Name, Role: kubefact.RoleEphemeral})
	}
	for _, list := range [][]corev1.ContainerStatus{pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses} {
		for i := range list {
			s.Restarts += int(list[i].RestartCount)
		}
	}
	return s
}

func containerSettings(c *corev1.Container, role string) kubefact.ContainerSettings {
	return kubefact.ContainerSettings{
		Name: c.Name, Role: role, Liveness: probeSettings(c.LivenessProbe), Startup: probeSettings(c.StartupProbe),
		PreStop: c.Lifecycle != nil && c.Lifecycle.PreStop != nil,
	}
}

// probeSettings fills in what the API server would (pkg/apis/core/v1/
// defaults.go): kubelet's own list has static pods as well.
func probeSettings(p *corev1.Probe) *kubefact.ProbeSettings {
	if p == nil {
		return nil
	}
	return &kubefact.ProbeSettings{
		PeriodSeconds: or(p.PeriodSeconds, 10), TimeoutSeconds: or(p.TimeoutSeconds, 1),
		FailureThreshold: or(p.FailureThreshold, 3), GraceSeconds: p.TerminationGracePeriodSeconds,
	}
}

func or(n int32, unset int) int {
	if n <= 0 {
		return unset
	}
	return int(n)
}
