// SPDX-License-Identifier: Apache-2.0

//go:build cluster && agent

package cluster

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// compareFiles: the stream of the postmortem directory has the same death, and
// there is a page on it for a person.
func (a *deployed) compareFiles(t *testing.T, d death) {
	t.Helper()
	stream, err := os.ReadFile(filepath.Join(a.postmortem, "events.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	found := of(deaths(t, "events.jsonl", stream), func(e death) bool { return e.ID == d.ID })
	if len(found) == 0 {
		t.Errorf("events.jsonl has no death %s", d.ID)
		return
	}
	same(t, "events.jsonl", found[len(found)-1], d)
	pages, err := filepath.Glob(filepath.Join(a.postmortem, "deaths", "*_"+d.Process.Pod.Namespace+"_"+d.Process.Pod.Name+"_*.log"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range pages {
		page, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(page), d.Cause) && strings.Contains(unwrapped(string(page)), unwrapped(d.Summary)) {
			private(t, name)
			return
		}
	}
	t.Errorf("none of %v reports %s: %s", pages, d.Cause, d.Summary)
}

// private: 0600 in 0700, also where kubelet has made the directory.
func private(t *testing.T, name string) {
	t.Helper()
	for path, want := range map[string]os.FileMode{name: 0o600, filepath.Dir(name): 0o700, filepath.Dir(filepath.Dir(name)): 0o700} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: mode %v, want %v (%v)", path, info.Mode().Perm(), want, err)
		}
	}
}

// unwrapped undoes line breaks and indentation.
func unwrapped(text string) string { return strings.Join(strings.Fields(text), " ") }

// compareWhy asks `why` in the agent's own pod.
func (a *deployed) compareWhy(t *testing.T, s *stage, v victim, d death) {
	t.Helper()
	out := a.kubectl(t, "-n", "sigtrace", "exec", "daemonset/sigtrace", "--", "sigtrace", "why", namespace+"/"+s.name, "--last", "100", "-o", "json")
	found := of(deaths(t, "why", []byte(out)), v.is)
	if len(found) == 0 {
		t.Errorf("why knows no such death:\n%s", out)
		return
	}
	for _, f := range found {
		if f.ID == d.ID {
			same(t, "why", f, d)
			return
		}
	}
	t.Errorf("why knows of %d deaths there, and not of %s", len(found), d.ID)
}

// compareEvent: kubectl describe shows it; where the pod is gone, the API has it.
func (a *deployed) compareEvent(t *testing.T, s *stage, v victim, k kill, d death) {
	t.Helper()
	var ours []core.Event
	eventually(t, "the pod has its Event", func() bool {
		ours = nil
		list, err := s.book.client.CoreV1().Events(namespace).List(t.Context(), meta.ListOptions{FieldSelector: "involvedObject.uid=" + v.pod})
		if err != nil {
			return false
		}
		for _, e := range list.Items {
			if e.Source.Component == "sigtrace" && strings.HasPrefix(d.Summary, strings.TrimSuffix(e.Message, "…")) {
				ours = append(ours, e)
			}
		}
		return len(ours) > 0
	})
	if len(ours) != 1 || ours[0].Reason != k.reason || ours[0].Count != 1 {
		text, _ := json.Marshal(ours)
		t.Errorf("want one Event %s: %s", k.reason, text)
	}
	described := a.said("-n", namespace, "describe", "pod", s.name)
	if strings.Contains(described, "NotFound") {
		return
	}
	line := ""
	for l := range strings.Lines(described) {
		if strings.Contains(l, k.reason) && strings.Contains(l, unwrapped(ours[0].Message)) {
			line = l
		}
	}
	if !strings.Contains(line, "sigtrace") {
		t.Errorf("kubectl describe pod does not say %s %q:\n%s", k.reason, ours[0].Message, described)
	}
}
