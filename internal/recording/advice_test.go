// SPDX-License-Identifier: Apache-2.0

package recording

import (
	"path/filepath"
	"strings"
	"testing"
)

// What was recorded in guests and a cluster has the advice that fits, in the records
// as they are emitted.
func TestAdviceOfRecordings(t *testing.T) {
	want := map[string]map[string]string{
		"kube-1.34": {
			"shop/liveness-tcp-ignores/app":      "Check the port of the liveness probe",
			"shop/liveness-http/app":             "Ask the path of the liveness probe yourself",
			"shop/liveness-exec-ignores/app":     "Give it a handler for SIGTERM, or run it under an init",
			"shop/evicted-by-emptydir-limit/app": "Raise sizeLimit of the emptyDir",
			"shop/stopped-by-crictl/app":         "Look in the container runtime's log at",
			"shop/limit-too-small-for-a-sandbox": "Raise the memory limit: the runtime itself did not fit into it",
			"shop/startup/app":                   "raise failureThreshold × periodSeconds of the startup probe",
			"shop/shim-killed/app":               "Begin with what ended the shim",
		},
		"zoo-6.12": {
			"abort": "Read the last lines on its stderr",
			"alarm": "Raise the time limit that the program sets for itself",
		},
		"TestDockerStop":                 {"sleep": "Give it a handler for SIGTERM, or run it under an init"},
		"TestContainerOverItsLimit-init": {"dd": "Raise the memory limit"},
	}
	for name, scenarios := range want {
		all := map[string][]string{}
		for _, d := range replayed(t, filepath.Join("../../testdata/replay", name+".jsonl.gz")) {
			scenario := scenarioOf(d.Process)
			for _, a := range d.Advice {
				all[scenario] = append(all[scenario], a.Text+" "+a.Because)
			}
		}
		for scenario, text := range scenarios {
			if got := strings.Join(all[scenario], "\n"); !strings.Contains(got, text) {
				t.Errorf("%s, %s: no advice %q, but:\n%s", name, scenario, text, got)
			}
		}
	}
}
