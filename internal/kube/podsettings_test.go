// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"strings"
	"testing"

	"github.com/sigtrace/sigtrace/internal/kubefact"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func TestWhatAProbeChecks(t *testing.T) {
	service := "shop.Health"
	for want, h := range map[string]corev1.ProbeHandler{
		"http :8080/healthz":                          {HTTPGet: &corev1.HTTPGetAction{Path: "/healthz", Port: intstr.FromInt32(8080)}},
		"https localhost:web/?…":                      {HTTPGet: &corev1.HTTPGetAction{Path: "/?token=abc", Port: intstr.FromString("web"), Host: "localhost", Scheme: corev1.URISchemeHTTPS}},
		"tcp :5432":                                   {TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(5432)}},
		"grpc :9000 shop.Health":                      {GRPC: &corev1.GRPCAction{Port: 9000, Service: &service}},
		"exec cat /tmp/healthy":                       {Exec: &corev1.ExecAction{Command: []string{"cat", "/tmp/healthy"}}},
		"exec check --password=***":                   {Exec: &corev1.ExecAction{Command: []string{"check", "--password=hunter2"}}},
		"exec sh -c " + strings.Repeat("x", 53) + "…": {Exec: &corev1.ExecAction{Command: []string{"sh", "-c", strings.Repeat("x", 100)}}},
		"": {},
	} {
		got := probeSettings(&corev1.Probe{ProbeHandler: h, TimeoutSeconds: 2})
		if got.Target() != want || got.TimeoutSeconds != 2 {
			t.Errorf("%q, want %q: %+v", got.Target(), want, got)
		}
	}
	if (*kubefact.ProbeSettings)(nil).Target() != "" {
		t.Error("a probe that is not known checks something")
	}
}
