// SPDX-License-Identifier: Apache-2.0

//go:build cluster

package cluster

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	core "k8s.io/api/core/v1"
)

// A real cluster, and every scenario in it, while a sigtrace with each set of
// sources watches: what each says is held against what was done.
func TestMatrix(t *testing.T) {
	b := startBed(t)
	book := newPodBook(t, b)
	m := newMatrix(t, sets(b))
	t.Run("scenarios", func(t *testing.T) {
		for _, sc := range chosen(scenarios()) {
			t.Run(sc.name, func(t *testing.T) {
				t.Parallel()
				m.play(t, b, book, sc)
			})
		}
	})
	for _, sc := range chosen([]scenario{kubeletRestarted()}) {
		t.Run(sc.name, func(t *testing.T) { m.play(t, b, book, sc) })
	}
}

// chosen are those that SCENARIO, a regular expression, names; all without it.
func chosen(list []scenario) []scenario {
	wanted := regexp.MustCompile(os.Getenv("SCENARIO"))
	return slices.DeleteFunc(list, func(s scenario) bool { return !wanted.MatchString(s.name) })
}

type sourceSet struct {
	name  string
	flags []string
}

// sets are the columns: each source alone, none, and all.
func sets(b *testBed) []sourceSet {
	var (
		base       = []string{"--cgroup", b.CgroupRoot, "--node-name", b.Node, "--cri-endpoint", b.CRISocket}
		kubeconfig = []string{"--kubeconfig", b.AgentKubeconfig}
		kubeletLog = []string{"--kubelet-log", b.KubeletLog}
		kubeletURL = []string{"--kubelet-url", b.KubeletURL}
	)
	off := func(flags ...string) []string {
		var args []string
		for _, f := range flags {
			args = append(args, f, "off")
		}
		return args
	}
	return []sourceSet{
		{kernel, slices.Concat(base, off("--kubeconfig", "--kubelet-log", "--kubelet-url"))},
		{api, slices.Concat(base, kubeconfig, off("--kubelet-log", "--kubelet-url"))},
		{log, slices.Concat(base, kubeletLog, off("--kubeconfig", "--kubelet-url"))},
		{counters, slices.Concat(base, kubeletURL, []string{"--kubelet-kubeconfig", b.AgentKubeconfig}, off("--kubeconfig", "--kubelet-log"))},
		{all, slices.Concat(base, kubeconfig, kubeletLog, kubeletURL)},
	}
}

type matrix struct {
	columns []*watcher
	mu      sync.Mutex
	rows    []row
}

type row struct {
	name, truth string
	cells       []string
}

// newMatrix has a sigtrace watch with each set of sources, and is printed in the
// end.
func newMatrix(t *testing.T, sets []sourceSet) *matrix {
	t.Helper()
	m := &matrix{}
	for _, set := range sets {
		m.columns = append(m.columns, watch(t, set.name, set.flags...))
	}
	t.Cleanup(func() { m.print(t) })
	return m
}

// settle is how long a record may still be revised: events of the API are
// written after the fact.
const settle = 6 * time.Second

// play lets a scenario happen and judges what each column says of it.
func (m *matrix) play(t *testing.T, b *testBed, book *podBook, sc scenario) {
	s := &stage{T: t, bed: b, book: book, name: sc.name}
	v := sc.play(s)
	for _, w := range m.columns {
		eventually(t, sc.name+": "+w.name+" reports the death", func() bool { return len(w.of(v.is)) > 0 })
	}
	time.Sleep(settle)
	r := row{name: sc.name, truth: sc.cause}
	for _, w := range m.columns {
		r.cells = append(r.cells, sc.judge(t, w.name, w.of(v.is)))
	}
	m.mu.Lock()
	m.rows = append(m.rows, r)
	m.mu.Unlock()
	sc.compare(t, s, m.columns[len(m.columns)-1].of(v.is))
	s.tidy()
}

// tidy ends what would go on to be restarted.
func (s *stage) tidy() {
	if s.book == nil {
		s.removeStatic()
		return
	}
	_ = exec.Command(s.bed.Kubectl, "--kubeconfig", s.bed.Kubeconfig, "-n", namespace,
		"delete", "pod", s.name, s.name+"-important", "--ignore-not-found", "--force", "--grace-period=0").Run()
	_ = os.Remove(s.bed.StaticPods + "/critical.yaml")
}

// is reports whether a record is about the victim.
func (v victim) is(d death) bool {
	p := d.Process
	if v.container == "" {
		return strings.Contains(p.Cgroup, v.pod) && d.Cause != "exited"
	}
	if p.Container == nil || p.Container.ID != v.container {
		return false
	}
	return v.anyProcess || p.Container.Init != nil && *p.Container.Init
}

// judge holds the records of one death against what this set of sources can
// know. No revision may name a wrong cause: the weaker one is right, only less.
func (sc scenario) judge(t *testing.T, set string, records []death) string {
	want := sc.cause
	if weaker, ok := sc.weaker[set]; ok {
		want = weaker
	}
	last := records[len(records)-1]
	for _, d := range records {
		if d.Cause != want && d.Cause != sc.cause && d.Cause != sc.weaker[kernel] {
			t.Errorf("%s: %s, which is wrong: %s\n%s", set, d.Cause, d.Summary, details(d))
		}
	}
	if last.Cause != want && last.Cause != sc.cause {
		t.Errorf("%s: %s, want %s: %s\n%s", set, last.Cause, want, last.Summary, details(last))
	}
	if last.Cause != want && last.Cause != sc.cause {
		return last.Cause + " (!)"
	}
	if first := records[0]; first.Cause != last.Cause {
		return first.Cause + " → " + last.Cause
	}
	return last.Cause
}

// details is a record's exit, signals and evidence, for a failed test.
func details(d death) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\trevision %d, %s, exit %d", d.Revision, d.Confidence, d.Exit.Code)
	for _, s := range d.Signals {
		fmt.Fprintf(&b, ", %s", s.Signal)
	}
	for _, e := range d.Evidence {
		fmt.Fprintf(&b, "\n\t%s: %s", e.Source, e.Text)
	}
	return b.String()
}

// compare holds the fullest record against the rest of the truth: how it
// ended, after which grace, and what Kubernetes itself has written.
func (sc scenario) compare(t *testing.T, s *stage, records []death) {
	d := records[len(records)-1]
	if sc.code >= 0 && d.Exit.Code != sc.code {
		t.Errorf("exit %d, want %d\n%s", d.Exit.Code, sc.code, details(d))
	}
	if sc.gap > 0 {
		sc.compareGap(t, d)
	}
	if d.Process.Pod == nil || !strings.HasPrefix(d.Process.Pod.Name, s.name) {
		t.Errorf("of pod %+v, want %s", d.Process.Pod, s.name)
	}
	compareKubernetes(t, s, d)
}

// compareGap: a second or two of kubelet's own work may go with the grace.
func (sc scenario) compareGap(t *testing.T, d death) {
	if len(d.Signals) < 2 {
		t.Errorf("signals %+v, want SIGTERM and SIGKILL", d.Signals)
		return
	}
	last := d.Signals[len(d.Signals)-1]
	if d.Signals[0].Signal != "SIGTERM" || last.Signal != "SIGKILL" || last.GapSeconds == nil ||
		*last.GapSeconds < sc.gap-1 || *last.GapSeconds > sc.gap+3 {
		t.Errorf("signals %+v, want SIGTERM and SIGKILL %vs later", d.Signals, sc.gap)
	}
}

// compareKubernetes: what sigtrace quotes is what the API holds.
func compareKubernetes(t *testing.T, s *stage, d death) {
	if s.book == nil || d.KubernetesSays == nil || d.Process.Container == nil {
		return
	}
	pod := s.book.get(s.name)
	if pod == nil {
		return
	}
	for _, c := range slices.Concat(pod.Status.ContainerStatuses, pod.Status.InitContainerStatuses) {
		for _, end := range []*core.ContainerStateTerminated{c.State.Terminated, c.LastTerminationState.Terminated} {
			if end == nil || bare(end.ContainerID) != d.Process.Container.ID {
				continue
			}
			if d.KubernetesSays.Reason != end.Reason {
				t.Errorf("kubernetes_says %s, the API has %s", d.KubernetesSays.Reason, end.Reason)
			}
		}
	}
}

func (m *matrix) print(t *testing.T) {
	m.mu.Lock()
	defer m.mu.Unlock()
	slices.SortFunc(m.rows, func(a, b row) int { return strings.Compare(a.name, b.name) })
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "SCENARIO\tTRUTH\t%s\n", strings.ToUpper(strings.Join(m.names(), "\t")))
	for _, r := range m.rows {
		fmt.Fprintf(w, "%s\t%s\t%s\n", r.name, r.truth, strings.Join(r.cells, "\t"))
	}
	_ = w.Flush()
	t.Logf("scenario × sources of evidence:\n%s", &out)
}

func (m *matrix) names() []string {
	var names []string
	for _, w := range m.columns {
		names = append(names, w.name)
	}
	return names
}
