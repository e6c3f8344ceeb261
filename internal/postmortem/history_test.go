// SPDX-License-Identifier: Apache-2.0

package postmortem

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sigtrace/sigtrace/internal/event"
)

// later is when the tests ask.
var later = noon.Add(time.Hour)

func status(n int, away *event.Away) *event.Status {
	return &event.Status{
		Header: event.Header{Schema: event.Schema, Type: event.TypeStatus, Time: noon.Add(time.Duration(n) * time.Millisecond), Node: "n1"},
		State:  event.StateStarted, Away: away,
	}
}

func ask(t *testing.T, q Query, dirs ...string) *History {
	t.Helper()
	h, err := Read(dirs, q, later)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func pids(h *History) []int {
	var pids []int
	for _, p := range h.Deaths {
		pids = append(pids, p.Death.Process.PID)
	}
	return pids
}

func target(t *testing.T, text string) Target {
	t.Helper()
	target, err := ParseTarget(text)
	if err != nil {
		t.Fatal(err)
	}
	return target
}

func TestReadAnswersQueries(t *testing.T) {
	dir := t.TempDir()
	w := open(t, Options{Dir: dir, Limits: Limits{Size: 1000, Files: 100, Deaths: 10}, Presence: Presence{Node: "n1"}})
	oom := aDeath(3)
	oom.Cause = event.CauseCgroupOOM
	pod := inPod(aDeath(4), true)
	s := aSignal(9)
	s.Time = noon.Add(3500 * time.Microsecond)
	s.Target.Pod = pod.Process.Pod
	put(t, w, status(0, nil), aDeath(1), aDeath(2), oom)
	put(t, w, s)
	put(t, w, pod)
	if names, err := rotated(os.DirFS(dir)); err != nil || len(names) == 0 {
		t.Fatalf("not rotated: %v", err)
	}
	for text, c := range map[string]struct {
		q    Query
		want []int
		more int
	}{
		"all, newest first": {Query{}, []int{4, 3, 2, 1}, 0},
		"the latest":        {Query{Last: 1}, []int{4}, 3},
		"pod":               {Query{Target: target(t, "pod/web-0")}, []int{4}, 0},
		"namespace/pod":     {Query{Target: target(t, "shop/web-0")}, []int{4}, 0},
		"pod/ns/pod":        {Query{Target: target(t, "pod/shop/web-0")}, []int{4}, 0},
		"a bare name":       {Query{Target: target(t, "web-0")}, []int{4}, 0},
		"another namespace": {Query{Target: target(t, "other/web-0")}, nil, 0},
		"container id":      {Query{Target: target(t, "0123456")}, []int{4}, 0},
		"containerd://id":   {Query{Target: target(t, "containerd://0123456789abcdef0123")}, []int{4}, 0},
		"pid":               {Query{Target: target(t, "2")}, []int{2}, 0},
		"comm":              {Query{Target: target(t, "app")}, []int{4, 3, 2, 1}, 0},
		"-n":                {Query{Namespace: "shop"}, []int{4}, 0},
		"-c":                {Query{Container: "app"}, []int{4}, 0},
		"--cause":           {Query{Causes: map[event.Cause]bool{event.CauseCgroupOOM: true}}, []int{3}, 0},
		"--since, --until":  {Query{Since: noon.Add(2 * time.Millisecond), Until: noon.Add(3 * time.Millisecond)}, []int{3, 2}, 0},
	} {
		h := ask(t, c.q, dir)
		if !cmp.Equal(pids(h), c.want) || h.More != c.more {
			t.Errorf("%s: got %v and %d more, want %v", text, pids(h), h.More, c.want)
		}
		if len(h.Gaps) != 0 {
			t.Errorf("%s: gaps of an agent that runs: %+v", text, h.Gaps)
		}
	}
	h := ask(t, Query{Last: 1}, dir)
	if len(h.Deaths[0].Before) != 1 || !strings.Contains(h.Deaths[0].Before[0].Text, "SIGTERM to app(9)") {
		t.Errorf("before it: %+v", h.Deaths[0].Before)
	}
	if !cmp.Equal(h.Nodes, []string{"n1"}) || !h.From.Equal(noon) {
		t.Errorf("of %v from %v", h.Nodes, h.From)
	}
}

func TestBadTargets(t *testing.T) {
	for _, bad := range []string{"/", "a/", "/b", "0", "-4", "docker://xyz"} {
		if _, err := ParseTarget(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestLaterRevisionsWin(t *testing.T) {
	dir := t.TempDir()
	again := aDeath(1)
	again.Revision, again.Cause = 2, event.CauseLivenessProbe
	put(t, open(t, Options{Dir: dir}), aDeath(1), again)
	if h := ask(t, Query{}, dir); len(h.Deaths) != 1 || h.Deaths[0].Death.Cause != event.CauseLivenessProbe {
		t.Errorf("got %+v", h.Deaths)
	}
	if h := ask(t, Query{Causes: map[event.Cause]bool{event.CauseForeignProcess: true}}, dir); len(h.Deaths) != 0 {
		t.Errorf("what was thought before is told: %+v", h.Deaths[0].Death)
	}
}

func TestManyNodesAreMerged(t *testing.T) {
	root := t.TempDir()
	for i, node := range []string{"n1", "n2", "n3"} {
		d := aDeath(i + 1)
		d.Node = node
		dir := filepath.Join(root, "cluster", node)
		w := open(t, Options{Dir: dir, Presence: Presence{Node: node}})
		put(t, w, d)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	h := ask(t, Query{}, root)
	if !cmp.Equal(pids(h), []int{3, 2, 1}) || !cmp.Equal(h.Nodes, []string{"n1", "n2", "n3"}) || len(h.Gaps) != 3 {
		t.Errorf("%v of %v, gaps %+v", pids(h), h.Nodes, h.Gaps)
	}
	// The same files twice, by a copy, are the same deaths.
	if h := ask(t, Query{}, root, filepath.Join(root, "cluster", "n2")); len(h.Deaths) != 3 {
		t.Errorf("%v", pids(h))
	}
}

func TestGapsAreTold(t *testing.T) {
	dir := t.TempDir()
	w := open(t, Options{Dir: dir, Now: func() time.Time { return noon.Add(time.Minute) }, Presence: Presence{Node: "n1"}})
	lost := &event.Lost{
		Header: event.Header{Schema: event.Schema, Type: event.TypeLost, Time: noon.Add(9 * time.Millisecond), Node: "n1"},
		Count:  12, Lane: "critical", Reason: "ring_full", Since: noon.Add(8 * time.Millisecond),
	}
	kept := status(20, &event.Away{Since: noon.Add(10 * time.Millisecond), Until: noon.Add(20 * time.Millisecond), Stopped: true})
	kept.Pins = &event.Pins{State: "reused"}
	put(t, w, status(0, nil), aDeath(1),
		status(5, &event.Away{Since: noon.Add(2 * time.Millisecond), Until: noon.Add(5 * time.Millisecond), Rebooted: true}),
		lost, kept, aDeath(30))
	reasons := func(h *History) []string {
		var all []string
		for _, g := range h.Gaps {
			all = append(all, g.Reason)
		}
		return all
	}
	h := ask(t, Query{}, dir)
	if want := []string{GapKept, GapLost, GapNotRunning}; !cmp.Equal(reasons(h), want) {
		t.Errorf("got %v, want %v", reasons(h), want)
	}
	at := func(t time.Time) string { return t.UTC().Format("15:04:05.000") }
	for i, part := range []string{
		"no agent was running on n1 from 12:00:00.010 to 12:00:00.020", "12 critical events were lost on n1", "the machine was started anew",
	} {
		if text := h.Gaps[i].Text(at); !strings.Contains(text, part) {
			t.Errorf("%q has no %q", text, part)
		}
	}
	// What lies before the deaths that are shown touches them not.
	if h := ask(t, Query{Last: 1}, dir); len(h.Gaps) != 0 {
		t.Errorf("got %v", reasons(h))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	h = ask(t, Query{Last: 1}, dir)
	if len(h.Gaps) != 1 || !h.Gaps[0].Open || !isTrue(h.Gaps[0].Stopped) || !h.Gaps[0].Since.Equal(noon.Add(time.Minute)) {
		t.Errorf("after its end: %+v", h.Gaps)
	}
}

// Of files that were copied from another node it is not said that its agent had
// crashed; of this machine's it is.
func TestFilesOfAnotherNode(t *testing.T) {
	dir := t.TempDir()
	w := open(t, Options{Dir: dir, Now: func() time.Time { return noon }, Presence: Presence{Node: "n1", BootID: "boot-of-n1"}})
	put(t, w, status(0, nil), aDeath(1))
	copied := t.TempDir()
	if err := os.CopyFS(filepath.Join(copied, "n1"), os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	for boot, want := range map[string]string{"boot-of-n1": GapNotRunning, "another": GapUnknown, "": GapUnknown} {
		h := ask(t, Query{BootID: boot}, copied)
		if len(h.Gaps) != 1 || h.Gaps[0].Reason != want || !h.Gaps[0].Open || want == GapUnknown && h.Gaps[0].Stopped != nil {
			t.Errorf("boot id %q: %+v, want %s", boot, h.Gaps, want)
		}
	}
}

// What was seen before a reboot was not minutes before what was seen after it.
func TestMinutesBeforeEndAtABoot(t *testing.T) {
	dir := t.TempDir()
	w := open(t, Options{Dir: dir})
	at := func(after time.Duration, boottime time.Duration) event.Header {
		return event.Header{Schema: event.Schema, Type: event.TypeSignal, Time: noon.Add(after), BoottimeNS: uint64(boottime)}
	}
	ssh := func(pid int) *event.Process { return &event.Process{PID: pid, Comm: "sshd", Unit: "ssh.service"} }
	old := &event.Signal{Header: at(0, 40*time.Hour), Signal: "SIGTERM", SignalNumber: 15, Target: ssh(500)}
	recent := &event.Signal{Header: at(time.Hour, 59*time.Second), Signal: "SIGHUP", SignalNumber: 1, Target: ssh(7)}
	old.Matters, recent.Matters = true, true
	d := aDeath(7)
	d.Header, d.Process = at(time.Hour+time.Second, time.Minute), ssh(7)
	d.Type = event.TypeDeath
	put(t, w, old, recent, d)
	h := ask(t, Query{}, dir)
	if len(h.Deaths) != 1 || len(h.Deaths[0].Before) != 1 || h.Deaths[0].Before[0].BoottimeNS != recent.BoottimeNS {
		t.Errorf("%+v", h.Deaths)
	}
}

// Where there are more deaths than can be held, the newest stay.
func TestTheNewestStay(t *testing.T) {
	dir := t.TempDir()
	var lines bytes.Buffer
	for n := range deathsMax + 50 {
		fmt.Fprintf(&lines, `{"schema":"sigtrace/v1","type":"death","time":%q,"boottime_ns":%d,"id":"%016x","process":{"pid":%d},"cause":"exited","revision":1}`+"\n",
			noon.Add(time.Duration(n)*time.Second).Format(time.RFC3339), n+1, n, n+1)
	}
	if err := os.WriteFile(filepath.Join(dir, journalName), lines.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	h := ask(t, Query{Last: 2}, dir)
	if got := pids(h); !cmp.Equal(got, []int{deathsMax + 50, deathsMax + 49}) || !h.Beyond || h.More != deathsMax+48 {
		t.Errorf("got %v, %d more, beyond: %v", got, h.More, h.Beyond)
	}
}

func TestReadTakesWhatACrashOrACopyLeft(t *testing.T) {
	dir := t.TempDir()
	w := open(t, Options{Dir: dir})
	put(t, w, aDeath(1), aDeath(2))
	b, err := os.ReadFile(filepath.Join(dir, journalName))
	if err != nil {
		t.Fatal(err)
	}
	lines := slices.Collect(strings.Lines(string(b)))
	copied := t.TempDir()
	text := lines[0][100:] + lines[1] + `{"type":"of the future"}` + "\n" + strings.Repeat("x", lineMax+10) + "\n" + lines[0] + `{"schema":"sigtr`
	if err := os.WriteFile(filepath.Join(copied, journalName), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	h := ask(t, Query{}, copied)
	if !cmp.Equal(pids(h), []int{2, 1}) || h.BadLines != 3 {
		t.Errorf("%v, %d bad lines", pids(h), h.BadLines)
	}
	// The copy does not say until when it goes.
	if len(h.Gaps) != 1 || h.Gaps[0].Reason != GapUnknown {
		t.Errorf("got %+v", h.Gaps)
	}
}

func TestReadSaysWhatIsNotThere(t *testing.T) {
	if _, err := Read([]string{"/nowhere"}, Query{}, later); err == nil || !strings.Contains(err.Error(), "--log-dir") {
		t.Errorf("got %v", err)
	}
	if _, err := Read([]string{t.TempDir()}, Query{}, later); err == nil || errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "no events.jsonl") {
		t.Errorf("got %v", err)
	}
}
