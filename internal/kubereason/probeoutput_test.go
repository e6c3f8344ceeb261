// SPDX-License-Identifier: Apache-2.0

package kubereason

import (
	"strings"
	"testing"

	"github.com/sigtrace/sigtrace/internal/kubefact"
)

// Kubelet's words, but for the last as they stand in the recording of Kubernetes
// 1.34 and in testdata/kubelet-log.
func TestShortOutput(t *testing.T) {
	settings := &kubefact.ProbeSettings{TimeoutSeconds: 1}
	for text, want := range map[string]string{
		"Liveness probe failed: HTTP probe failed with statuscode: 500":                                                                   "HTTP 500",
		"Unhealthy: Liveness probe failed: HTTP probe failed with statuscode: 503":                                                        "HTTP 503",
		`Unhealthy: Liveness probe failed: Get "http://127.77.1.2:20001/healthz": dial tcp 127.77.1.2:20001: connect: connection refused`: "connection refused",
		`Liveness probe failed: Get "http://10.0.0.7:8080/": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`:  "timed out after 1 s",
		`Liveness probe failed: command timed out: "sh -c sleep 9" timed out after 1s`:                                                    "timed out after 1 s",
		"Startup probe failed: rpc error: code = DeadlineExceeded":                                                                        "timed out after 1 s",
		"Liveness probe failed: dial tcp 127.77.1.2:20006: connect: connection refused":                                                   "connection refused",
		`Liveness probe failed: service unhealthy (responded with "NOT_SERVING")`:                                                         `service unhealthy (responded with "NOT_SERVING")`,
		"Liveness probe failed: cat: can't open '/tmp/healthy': No such file":                                                             "cat: can't open '/tmp/healthy': No such file",
		"Liveness probe failed:":                             "",
		"Liveness probe failed: " + strings.Repeat("x", 100): strings.Repeat("x", 79) + "…",
		"Liveness probe failed: a\x1b[2J":                    `a\x1b[2J`,
	} {
		if got, answered := shortOutput(text, settings); got != want || answered != strings.HasPrefix(want, "HTTP ") {
			t.Errorf("%q, want %q, of %q", got, want, text)
		}
	}
	if got, _ := shortOutput("Liveness probe failed: i/o timeout", nil); got != "timed out" {
		t.Error(got)
	}
}
