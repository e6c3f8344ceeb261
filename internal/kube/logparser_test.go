// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"testing"
	"time"
)

const deleteLine = `] "SyncLoop DELETE" source="api" pods=["shop/web-0"]`

func TestTimesOfLines(t *testing.T) {
	berlin := time.FixedZone("", 3600)
	newYear := time.Date(2026, 1, 1, 0, 0, 5, 0, time.UTC)
	for name, c := range map[string]struct {
		parser LogParser
		stamp  string
		read   time.Time
		want   time.Time
	}{
		"UTC":                  {LogParser{}, "0102 03:04:05.000006", time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC), time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)},
		"kubelet's zone":       {LogParser{Zone: berlin}, "0102 04:04:05.000000", time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)},
		"live tells the zone":  {LogParser{Live: true}, "0102 08:34:05.000000", time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)},
		"west of Greenwich":    {LogParser{Live: true}, "0101 20:04:05.000000", time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)},
		"last year":            {LogParser{}, "1231 23:59:59.000000", newYear, time.Date(2025, 12, 31, 23, 59, 59, 0, time.UTC)},
		"an hour ago, no live": {LogParser{}, "0102 02:04:05.000000", time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC), time.Date(2026, 1, 2, 2, 4, 5, 0, time.UTC)},
	} {
		t.Run(name, func(t *testing.T) {
			facts := c.parser.Line("I"+c.stamp+"    1 kubelet.go:1"+deleteLine, c.read)
			if len(facts) != 2 || !facts[1].Time.Equal(c.want) {
				t.Errorf("%+v, want %v", facts, c.want)
			}
		})
	}
}

// Syslog's line is kubelet's where its tag says so; another program's words are
// not, whatever they look like.
func TestTags(t *testing.T) {
	stamp := "I0102 03:04:05.000006    1 kubelet.go:1"
	for prefix, want := range map[string]int{
		"": 2, "Jan  2 03:04:05 node kubelet[812]: ": 2, "2026-01-02T03:04:05+00:00 node k3s[1]: ": 2,
		"Jan  2 03:04:05 node app[812]: ": 0, "Jan  2 03:04:05 node app[1]: kubelet[812]: ": 0,
	} {
		var p LogParser
		if facts := p.Line(prefix+stamp+deleteLine, time.Now()); len(facts) != want {
			t.Errorf("%q: %+v", prefix, facts)
		}
	}
}

// A probe's output cannot pretend to be an entry: klog indents it.
func TestOutputIsNoEntry(t *testing.T) {
	var p LogParser
	now := time.Now()
	p.Line(`I0102 03:04:05.000006    1 prober.go:120] "Probe failed" probeType="Liveness" pod="shop/web-0" containerName="app" output=<`, now)
	p.Line("\tI0102 03:04:05.000006    1 kubelet.go:1"+deleteLine, now)
	p.Line(" >", now)
	if facts := p.Flush(); len(facts) != 1 || facts[0].Probe != "liveness" {
		t.Errorf("%+v", facts)
	}
}
