// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"
)

// What asks no kernel reads no types.
func TestWatches(t *testing.T) {
	for line, want := range map[string]bool{
		"": true, "--pod shop/web-0": true, "-o json": true, "watch --pid 7": true, "agent --pin": true,
		"why web-0": false, "explain -1": false, "version": false, "replay kill.jsonl": false, "report": false,
	} {
		if got := watches(strings.Fields(line)); got != want {
			t.Errorf("%q: %v", line, got)
		}
	}
}
