// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"fmt"
	"strings"

	"github.com/sigtrace/sigtrace/internal/kubefact"
	"github.com/sigtrace/sigtrace/internal/safetext"
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
	handler, checks := probeChecks(&p.ProbeHandler)
	return &kubefact.ProbeSettings{
		Handler: handler, Checks: checks,
		PeriodSeconds: or(p.PeriodSeconds, 10), TimeoutSeconds: or(p.TimeoutSeconds, 1),
		FailureThreshold: or(p.FailureThreshold, 3), GraceSeconds: p.TerminationGracePeriodSeconds,
	}
}

// checksMax bounds what is kept of a probe's command or page, in characters.
const checksMax = 60

// probeChecks is what a probe checks, without what may be secret.
func probeChecks(h *corev1.ProbeHandler) (kubefact.ProbeHandler, string) {
	short := func(text string) string {
		text = strings.Join(strings.Fields(text), " ")
		if r := []rune(text); len(r) > checksMax {
			text = string(r[:checksMax-1]) + "…"
		}
		return safetext.Quote(text)
	}
	switch {
	case h.HTTPGet != nil:
		page, query, _ := strings.Cut(h.HTTPGet.Path, "?")
		if query != "" {
			page += "?…"
		}
		handler := kubefact.ProbeHTTP
		if h.HTTPGet.Scheme == corev1.URISchemeHTTPS {
			handler = kubefact.ProbeHTTPS
		}
		return handler, short(h.HTTPGet.Host + ":" + h.HTTPGet.Port.String() + page)
	case h.TCPSocket != nil:
		return kubefact.ProbeTCP, short(h.TCPSocket.Host + ":" + h.TCPSocket.Port.String())
	case h.GRPC != nil:
		service := ""
		if h.GRPC.Service != nil && *h.GRPC.Service != "" {
			service = " " + *h.GRPC.Service
		}
		return kubefact.ProbeGRPC, short(fmt.Sprintf(":%d%s", h.GRPC.Port, service))
	case h.Exec != nil:
		return kubefact.ProbeExec, short(strings.Join(safetext.Mask(h.Exec.Command), " "))
	}
	return "", ""
}

func or(n int32, unset int) int {
	if n <= 0 {
		return unset
	}
	return int(n)
}
