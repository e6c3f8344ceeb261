// SPDX-License-Identifier: Apache-2.0

//go:build cluster

package cluster

import (
	"io"
	"os"
	"strings"
	"testing"
)

// outage is what goes away before a container falls ill, and comes back after
// its end has been judged.
type outage struct {
	name string
	// weaker are the sets of sources that cannot know meanwhile.
	weaker map[string]string
	// unavailable is the source that the record has to name as unavailable where
	// sigtrace has all sources; empty where nothing may be missing.
	unavailable string
	begin       func(*stage)
	end         func(*stage)
}

// What the evidence comes from goes away, one after the other: the verdict
// stands on what is left, names what was unavailable, and rests on all of it
// again afterwards.
func TestOutages(t *testing.T) {
	b := startBed(t)
	book := newPodBook(t, b)
	m := newMatrix(t, sets(b))
	for _, o := range outages() {
		t.Run(o.name, func(t *testing.T) {
			m.withOutage(t, b, book, o)
			m.withOutage(t, b, book, outage{name: o.name + "-over", weaker: o.after(), begin: nothing, end: nothing})
		})
	}
}

func nothing(*stage) {}

// after: a token that is gone stays gone.
func (o outage) after() map[string]string {
	if o.name == "token-revoked" {
		return o.weaker
	}
	return probes
}

func outages() []outage {
	part := func(what, name string) func(*stage) {
		return func(s *stage) { s.bed.command(what + " " + name) }
	}
	// Kubelet, too, asks the API server whose token it was shown, and keeps the
	// answer for a while.
	noAPI := map[string]string{kernel: "runtime_stop", api: "runtime_stop", counters: "runtime_stop"}
	return []outage{
		{"apiserver-gone", noAPI, "kubernetes api", part("stop", "kube-apiserver"), part("start", "kube-apiserver")},
		{"containerd-restarted", probes, "", func(s *stage) {
			s.bed.command("stop containerd")
			s.bed.command("start containerd")
		}, nothing},
		{"log-truncated", probes, "", func(s *stage) {
			s.keepCopy(s.bed.KubeletLog)
			if err := os.Truncate(s.bed.KubeletLog, 0); err != nil {
				s.Fatal(err)
			}
		}, nothing},
		{"log-renamed", probes, "", func(s *stage) {
			s.bed.command("stop kubelet")
			if err := os.Rename(s.bed.KubeletLog, s.bed.KubeletLog+".1"); err != nil {
				s.Fatal(err)
			}
			s.bed.command("start kubelet")
		}, nothing},
		// The API server does not end a watch when its token goes; a restart does.
		{"token-revoked", noAPI, "kubernetes api", func(s *stage) {
			s.kubectl("-n", "kube-system", "delete", "serviceaccount", "sigtrace-bed-agent")
			s.bed.command("stop kube-apiserver")
			s.bed.command("start kube-apiserver")
		}, nothing},
	}
}

// withOutage has a liveness probe fail while something is away.
func (m *matrix) withOutage(t *testing.T, b *testBed, book *podBook, o outage) {
	s := &stage{T: t, bed: b, book: book, name: o.name}
	var v victim
	m.play(t, b, book, scenario{o.name, "liveness_probe", o.weaker, 0, 0, func(s *stage) victim {
		s.create(app(heeds), liveness(byExec()))
		v = s.running("app")
		o.begin(s)
		s.ill(v)
		return v
	}})
	records := m.columns[len(m.columns)-1].of(v.is)
	if last := records[len(records)-1]; o.unavailable != "" && !namesUnavailable(last, o.unavailable) {
		t.Errorf("the record does not name %s as unavailable:\n%s", o.unavailable, details(last))
	}
	if p := records[len(records)-1].Process; p.Container == nil || p.Container.Name != "app" {
		t.Errorf("the container is %+v", p.Container)
	}
	o.end(s)
}

func namesUnavailable(d death, source string) bool {
	for _, e := range d.Evidence {
		if e.Source == source && strings.Contains(e.Text, "blind") {
			return true
		}
	}
	return false
}

// ill has the liveness probe fail from now on.
func (s *stage) ill(v victim) {
	s.Helper()
	if err := os.WriteFile(s.volume(v.pod, "sick"), nil, 0o644); err != nil {
		s.Fatal(err)
	}
}

// keepCopy is what logrotate's copytruncate does first.
func (s *stage) keepCopy(name string) {
	s.Helper()
	from, err := os.Open(name)
	if err != nil {
		s.Fatal(err)
	}
	defer from.Close()
	to, err := os.Create(name + ".1")
	if err != nil {
		s.Fatal(err)
	}
	defer to.Close()
	if _, err := io.Copy(to, from); err != nil {
		s.Fatal(err)
	}
}
