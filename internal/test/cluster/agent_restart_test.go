// SPDX-License-Identifier: Apache-2.0

//go:build cluster && agent

package cluster

import (
	"os"
	"path/filepath"
	"testing"
)

// restarts: the agent's pod is deleted and created again. It appends to its
// files where they ended, and the next death is reported like the ones before.
func (a *deployed) restarts(t *testing.T, book *podBook) {
	stream := filepath.Join(a.postmortem, "events.jsonl")
	before := readDeaths(t, stream)
	a.kubectl(t, "-n", "sigtrace", "delete", "pod", "-l", "app.kubernetes.io/name=sigtrace", "--wait")
	a.kubectl(t, "-n", "sigtrace", "rollout", "status", "daemonset/sigtrace", "--timeout=2m")
	for _, k := range chosenKills(t) {
		if k.name != "killed-from-the-host" {
			continue
		}
		k.name += "-again"
		a.play(t, book, k)
	}
	after := readDeaths(t, stream)
	for _, d := range before {
		n := 0
		for _, e := range after {
			if e.ID == d.ID && e.Revision == d.Revision {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%s, revision %d, stands %d times in the files after a restart", d.ID, d.Revision, n)
		}
	}
}

// kept are the records of a death in the files.
func (a *deployed) kept(t *testing.T, v victim) []death {
	t.Helper()
	return of(readDeaths(t, filepath.Join(a.postmortem, "events.jsonl")), v.is)
}

func readDeaths(t *testing.T, name string) []death {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return deaths(t, name, text)
}
