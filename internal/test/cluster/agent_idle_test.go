// SPDX-License-Identifier: Apache-2.0

//go:build cluster && agent

package cluster

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	core "k8s.io/api/core/v1"

	"github.com/sigtrace/sigtrace/internal/usage"
)

const (
	idlePods, idleContainers = 10, 10 // a hundred containers
	// rssMax is the budget of RssAnon with the API's sources on, in KiB.
	rssMax = 80 << 10
)

// idle measures the agent on a node with a hundred containers where nothing dies.
// The processor's share is printed and not judged: other tests' machines are busy.
func (a *deployed) idle(t *testing.T, book *podBook) {
	for i := range idlePods {
		s := &stage{T: t, bed: a.bed, book: book, name: fmt.Sprint("idle-", i)}
		s.create(func(p *core.Pod) {
			for n := range idleContainers - 1 {
				p.Spec.Containers = append(p.Spec.Containers, s.container(fmt.Sprint("side-", n), heeds))
			}
		})
		t.Cleanup(s.tidy)
	}
	for i := range idlePods {
		s := &stage{T: t, bed: a.bed, book: book, name: fmt.Sprint("idle-", i)}
		for n := range idleContainers - 1 {
			s.running(fmt.Sprint("side-", n))
		}
	}
	pid := a.agentPID(t)
	time.Sleep(20 * time.Second)
	const long = time.Minute
	before, err := usage.CPUTime(pid)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(long)
	after, err := usage.CPUTime(pid)
	if err != nil {
		t.Fatal(err)
	}
	rss, err := usage.RSSAnon(pid)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("with %d containers at rest: %.2f %% of a core, RssAnon %.1f MiB, charged to its container %.1f MiB", idlePods*idleContainers,
		100*(after-before).Seconds()/long.Seconds(), float64(rss)/1024, charged(t, pid))
	if rss > rssMax {
		t.Errorf("RssAnon %d KiB, budget %d", rss, rssMax)
	}
}

// agentPID is the host's pid of the agent in the bed.
func (a *deployed) agentPID(t *testing.T) int {
	t.Helper()
	names, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		args, _ := os.ReadFile(name)
		dir := filepath.Dir(name)
		cgroups, _ := os.ReadFile(dir + "/cgroup")
		if strings.HasPrefix(string(args), "/usr/bin/sigtrace\x00agent\x00") && strings.Contains(string(cgroups), a.bed.CgroupRoot) {
			pid, err := strconv.Atoi(filepath.Base(dir))
			if err != nil {
				t.Fatal(err)
			}
			return pid
		}
	}
	t.Fatal("no agent runs in the bed")
	return 0
}

// charged is what counts against the container's memory limit, in MiB: BPF maps and
// cached files as well.
func charged(t *testing.T, pid int) float64 {
	t.Helper()
	cgroups, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(cgroups)) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		for controller, name := range map[string]string{"memory": "memory/%s/memory.usage_in_bytes", "": "%s/memory.current"} {
			if f[1] != controller {
				continue
			}
			text, err := os.ReadFile("/sys/fs/cgroup/" + fmt.Sprintf(name, f[2]))
			if err != nil {
				continue // v2 beside v1 has no memory controller
			}
			n, err := strconv.Atoi(strings.TrimSpace(string(text)))
			if err != nil {
				t.Fatal(err)
			}
			return float64(n) / (1 << 20)
		}
	}
	t.Fatalf("no memory cgroup in %s", cgroups)
	return 0
}
