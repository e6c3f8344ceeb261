// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func explained(t *testing.T, words ...string) (string, error) {
	t.Helper()
	var out, errs bytes.Buffer
	err := run(t.Context(), append([]string{"explain"}, words...), &out, &errs)
	return out.String(), err
}

func TestExplain(t *testing.T) {
	for words, want := range map[string]string{
		"137":              "SIGKILL",
		"-1":               "out of range",
		"cgroup_oom":       "how sigtrace knows",
		"OOMKilled":        "cgroup_oom",
		"CrashLoopBackOff": "causes that may be behind it",
		"evicted":          "(group kubernetes)",
		"Evicted":          "Drainers may write",
		"--help":           "sigtrace explain cgroup_oom",
		"-h":               "sigtrace explain cgroup_oom",
		"137 --help":       "sigtrace explain cgroup_oom",
		"-1 TERM exited":   "how sigtrace knows",
	} {
		got, err := explained(t, strings.Fields(words)...)
		if err != nil || !strings.Contains(got, want) {
			t.Errorf("explain %s: %v, %q is missing in:\n%s", words, err, want, got)
		}
	}
	for _, bad := range []string{"", "OOMKill", "cgroup-oom", "--nothing"} {
		_, err := explained(t, strings.Fields(bad)...)
		if u := (usageError{}); !errors.As(err, &u) {
			t.Errorf("explain %s: %v, want a usage error", bad, err)
		}
	}
}

// In JSON there is one object for each word, in the order of the words.
func TestExplainJSON(t *testing.T) {
	got, err := explained(t, "-o", "json", "OOMKilled", "137", "exited")
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(strings.NewReader(got))
	for _, want := range []string{"OOMKilled", "137", "exited"} {
		var o struct{ Name, Input string }
		if err := d.Decode(&o); err != nil || o.Name != want && o.Input != want {
			t.Errorf("%+v, %v, want %s", o, err, want)
		}
	}
}
