// SPDX-License-Identifier: Apache-2.0

package container

import (
	"testing"

	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
)

func TestStopSignal(t *testing.T) {
	for reported, want := range map[string]string{
		"": "SIGTERM", "SIGWINCH": "SIGWINCH", "WINCH": "SIGWINCH", "28": "SIGWINCH", "quit": "SIGQUIT",
		"SIGRTMIN+3": "SIGRTMIN+3", "37": "SIGRTMIN+3", "nonsense": "", "999": "",
	} {
		if got := stopSignal(reported); got != want {
			t.Errorf("%q: %q, want %q", reported, got, want)
		}
	}
	for reported, want := range map[runtimeapi.Signal]string{
		runtimeapi.Signal_SIGNAL_SIGUSR1:       "SIGUSR1",
		runtimeapi.Signal_SIGNAL_SIGRTMINPLUS3: "SIGRTMIN+3",
	} {
		if got := stopSignal(criSignal(reported)); got != want {
			t.Errorf("%v: %q, want %q", reported, got, want)
		}
	}
}

func TestImageStopSignal(t *testing.T) {
	for info, want := range map[string]string{
		`{"imageSpec":{"config":{"StopSignal":"SIGWINCH"}}}`: "SIGWINCH", // containerd, CRI-O
		`{"imageSpec":{"config":{}}}`:                        "SIGTERM",
		`{}`:                                                 "",
		`no JSON`:                                            "",
	} {
		if got := imageStopSignal(map[string]string{"info": info}); got != want {
			t.Errorf("%s: %q, want %q", info, got, want)
		}
	}
}
