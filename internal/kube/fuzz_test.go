// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"

	"github.com/sigtrace/sigtrace/internal/fuzzing"
	"github.com/sigtrace/sigtrace/internal/kubefact"
)

// Whatever a log holds, the parser neither fails nor hands on more than it may.
func FuzzLogParser(f *testing.F) {
	for _, file := range []string{"1.25.log", "1.36.log", "1.25.json"} {
		text, err := os.ReadFile("../../testdata/kubelet-log/" + file)
		if err != nil {
			f.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			f.Add(strings.TrimSuffix(line, "\n"), "\tmore", true)
		}
	}
	f.Add(`Nov 25 18:00:00 node kubelet[1]: I1125 18:00:00.000000 1 a.go:1] "SyncLoop DELETE" pods=[a/b`, " >", false)
	read := time.Date(2026, 11, 25, 20, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, first, second string, live bool) {
		p := LogParser{Live: live}
		var facts []kubefact.Fact
		for _, line := range []string{first, second, first} {
			facts = append(facts, p.Line(line, read)...)
		}
		facts = append(facts, p.Flush()...)
		checkFacts(t, facts)
		if p.Pending() {
			t.Error("still pending after Flush")
		}
		if len(facts) > 0 {
			fuzzing.Outcome(f.Name(), facts)
		}
	})
}

func checkFacts(t *testing.T, facts []kubefact.Fact) {
	for _, f := range facts {
		if f.Time.IsZero() || f.Kind == "" || f.Source == "" {
			t.Errorf("%+v", f)
		}
		if utf8.RuneCountInString(f.Text) > textMax || strings.Contains(f.Text, "\n") {
			t.Errorf("text %q", f.Text)
		}
		if f.ContainerID != "" && len(f.ContainerID) != 64 {
			t.Errorf("id %q", f.ContainerID)
		}
	}
}

func FuzzCounters(f *testing.F) {
	for _, file := range []string{"probes.metrics", "one-probe.metrics"} {
		text, err := os.ReadFile("testdata/" + file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add("# TYPE prober_probe_total counter\n" + `prober_probe_total{container="app",namespace="shop",pod="web-0",pod_uid="u",probe_type="Liveness",result="failed"} 3` + "\n")
	f.Add("# TYPE prober_probe_total counter\n" + `prober_probe_total{a="\"}",probe_type="Liveness",result="failed"} 1e300 17` + "\n")
	f.Fuzz(func(t *testing.T, text string) {
		counts, _ := probeCounts(strings.NewReader(text))
		for k, c := range counts {
			if c.failed < 0 || c.succeeded < 0 || k.probe != "liveness" && k.probe != "startup" {
				t.Errorf("%+v %+v", k, c)
			}
		}
		if len(counts) > 0 {
			fuzzing.Outcome(f.Name(), counts)
		}
	})
}

func FuzzJournal(f *testing.F) {
	f.Add(`{"MESSAGE":"I1125 18:00:00.000000 1 a.go:1] \"x\"","__REALTIME_TIMESTAMP":"1795630819209927"}`)
	f.Add(`{"MESSAGE":[73,49,300,-1,"x"],"__REALTIME_TIMESTAMP":"1"}`)
	f.Fuzz(func(t *testing.T, line string) {
		text, at, ok := journalEntry(line)
		if ok && at.IsZero() {
			t.Error("an entry without a time")
		}
		if ok {
			fuzzing.Outcome(f.Name(), text, at.UnixNano())
		}
	})
}

// Whatever kubelet answers to /pods, each fact names its source, has a time, and
// says no more than it may; and the counters are read neither too often nor too
// seldom.
func FuzzKubeletPods(f *testing.F) {
	text, err := os.ReadFile("testdata/kubelet-pods.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text, uint32(0), uint8(1))
	read := time.Date(2026, 11, 25, 20, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text []byte, n uint32, how uint8) {
		var list corev1.PodList
		if decodePods(bytes.NewReader(fuzzing.Alter(text, n, how)), &list) != nil {
			return
		}
		teller := podTeller{seen: map[string]*podSeen{}}
		var facts []kubefact.Fact
		for i := range list.Items {
			pod := &list.Items[i]
			if every := frequency(settingsOf(pod)); every < quickly || every > slowly {
				t.Errorf("the counters are read every %v", every)
			}
			facts = append(facts, teller.changed(pod, read)...)
			if again := teller.changed(pod, read); len(again) > 0 && len(facts) < toldMax {
				t.Errorf("what is known is news: %+v", again)
			}
		}
		teller.listed(read)
		facts = append(facts, teller.listed(read)...)
		checkFacts(t, facts)
		var outcome []any
		for _, f := range facts {
			outcome = append(outcome, f.Kind, f.Time, f.UID, f.Reason, f.Text)
		}
		if len(facts) > 0 {
			fuzzing.Outcome(f.Name(), outcome...)
		}
	})
}
