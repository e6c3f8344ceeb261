// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

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
		for _, line := range []string{first, second, first} {
			checkFacts(t, p.Line(line, read))
		}
		checkFacts(t, p.Flush())
		if p.Pending() {
			t.Error("still pending after Flush")
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
	f.Add("# TYPE prober_probe_total counter\n" + `prober_probe_total{container="app",namespace="shop",pod="web-0",pod_uid="u",probe_type="Liveness",result="failed"} 3` + "\n")
	f.Add("# TYPE prober_probe_total counter\n" + `prober_probe_total{a="\"}",probe_type="Liveness",result="failed"} 1e300 17` + "\n")
	f.Fuzz(func(t *testing.T, text string) {
		counts, _ := probeCounts(strings.NewReader(text))
		for k, c := range counts {
			if c.failed < 0 || c.succeeded < 0 || k.probe != "liveness" && k.probe != "startup" {
				t.Errorf("%+v %+v", k, c)
			}
		}
	})
}

func FuzzJournal(f *testing.F) {
	f.Add(`{"MESSAGE":"I1125 18:00:00.000000 1 a.go:1] \"x\"","__REALTIME_TIMESTAMP":"1795630819209927"}`)
	f.Add(`{"MESSAGE":[73,49,300,-1,"x"],"__REALTIME_TIMESTAMP":"1"}`)
	f.Fuzz(func(t *testing.T, line string) {
		if _, at, ok := journalEntry(line); ok && at.IsZero() {
			t.Error("an entry without a time")
		}
	})
}
