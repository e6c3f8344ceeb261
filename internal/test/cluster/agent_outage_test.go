// SPDX-License-Identifier: Apache-2.0

//go:build cluster && agent

package cluster

import (
	"testing"
	"time"
)

// apiGone: the API server is away for a minute in which a pod dies. What the log
// and the files report at once is reported as an Event once the server is back.
func (a *deployed) apiGone(t *testing.T, book *podBook) {
	const away = time.Minute
	for _, k := range chosenKills(t) {
		if k.name != "killed-from-the-host" {
			continue
		}
		k.name += "-api-gone"
		s := &stage{T: t, bed: a.bed, book: book, name: k.name}
		s.create(app(heeds))
		v := s.running("app")
		pid := s.pid(v)
		a.bed.command("stop kube-apiserver")
		s.kill(pid)
		from := time.Now()
		eventually(t, "events.jsonl reports the death", func() bool { return len(a.kept(t, v)) > 0 })
		time.Sleep(away - time.Since(from))
		a.bed.command("start kube-apiserver")
		records := a.kept(t, v)
		d := records[len(records)-1]
		if d.Cause != k.cause || !k.actor(v, d) {
			t.Errorf("%s by %+v: %s", d.Cause, d.Actor, d.Summary)
		}
		a.compareEvent(t, s, v, k, d)
		s.tidy()
	}
}
