// SPDX-License-Identifier: Apache-2.0

package live

import (
	"fmt"
	"strings"
	"testing"
)

const oomLimit = 16 << 20

// The limit of an ancestor is hit, while the victim's own cgroup has none.
func TestOOMByTheParentsLimit(t *testing.T) {
	w := watch(t)
	parent := memoryCgroup(t, oomLimit)
	if root, v2 := memoryRoot(t); v2 {
		write(t, parent+"/cgroup.subtree_control", "+memory")
		_ = root
	}
	child := newCgroup(t, parent, "child")
	said := zoo(t, "oom", child, fmt.Sprint(oomLimit))
	d := w.deathOf(t, said.Victim)
	d.expectLimit(t, parent)
}

// A target filter is about who is hit, by the OOM killer as well.
func TestOOMOfAnother(t *testing.T) {
	mine := memoryCgroup(t, oomLimit)
	root, _ := memoryRoot(t)
	others := newCgroup(t, root, uniqueName(t)+"-other")
	limitMemory(t, others, oomLimit)
	w := watch(t, "--cgroup", mine)
	zoo(t, "oom", others, fmt.Sprint(oomLimit))
	said := zoo(t, "oom", mine, fmt.Sprint(oomLimit))
	w.deathOf(t, said.Victim).expectLimit(t, mine)
	ooms := w.find(func(e event) bool { return e.Type == "oom" })
	if len(ooms) != 1 || ooms[0].Victim.PID != said.Victim {
		t.Errorf("%d OOM kills are reported, want that of %d alone: %+v", len(ooms), said.Victim, ooms)
	}
}

func (e event) expectLimit(t *testing.T, dir string) {
	t.Helper()
	e.expect(t, "cgroup_oom", "*", 0)
	if e.OOM == nil || e.OOM.LimitCgroup == "" || !strings.HasSuffix(dir, e.OOM.LimitCgroup) ||
		e.OOM.LimitBytes == nil || *e.OOM.LimitBytes != oomLimit {
		t.Errorf("the limit of %s was hit; reported was %+v", dir, e.OOM)
	}
}

// Every way to see an OOM kill shows the same limit.
func TestOOMWays(t *testing.T) {
	for name, flags := range map[string][]string{
		"best":        nil,
		"kprobe":      {"--force-without", "fentry"},
		"tracepoints": {"--force-without", "fentry,kprobe"},
		"raw":         {"--force-raw-tracepoints"},
		"no symbols":  {"--force-without", "fentry,kprobe,symbols"},
	} {
		t.Run(name, func(t *testing.T) {
			w := watch(t, flags...)
			dir := memoryCgroup(t, oomLimit)
			said := zoo(t, "oom-other", dir, fmt.Sprint(oomLimit))
			d := w.deathOf(t, said.Victim)
			d.expectLimit(t, dir)
			d.expectKernelLog(t)
			ooms := w.find(func(e event) bool { return e.Type == "oom" && e.Victim != nil && e.Victim.PID == said.Victim })
			if len(ooms) != 1 {
				t.Fatalf("%d oom events", len(ooms))
			}
			if rss := ooms[0].Victim.RSSBytes; rss == nil || rss.Anon < oomLimit/4 || rss.Anon > oomLimit {
				t.Errorf("the victim's memory: %+v", rss)
			}
			if pidOf(ooms[0].Trigger) != said.Trigger {
				t.Errorf("trigger %d, want %d", pidOf(ooms[0].Trigger), said.Trigger)
			}
		})
	}
}

// expectKernelLog: the second source is in the evidence.
func (e event) expectKernelLog(t *testing.T) {
	t.Helper()
	for _, seen := range e.Evidence {
		if seen.Source == "kernel log" && strings.Contains(seen.Text, fmt.Sprintf("Killed process %d ", e.Process.PID)) {
			return
		}
	}
	t.Errorf("the kernel log is not in the evidence: %+v", e.Evidence)
}
