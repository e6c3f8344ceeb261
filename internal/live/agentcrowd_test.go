// SPDX-License-Identifier: Apache-2.0

package live

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// 500 containers come and go, as cgroups named as kubelet names them: each death
// is kept once, with its container, and the agent stays small.
func TestAgentManyContainers(t *testing.T) {
	root, _ := memoryRoot(t)
	dir := filepath.Join(t.TempDir(), "log")
	a := startAgent(t, dir, nil)
	parent := newCgroup(t, root, uniqueName(t))
	const containers, atOnce = 500, 25
	pids := make([]int, containers)
	for from := 0; from < containers; from += atOnce {
		var g sync.WaitGroup
		for i := from; i < from+atOnce; i++ {
			g.Go(func() { pids[i] = inCgroupOfOne(t, parent, i) })
		}
		g.Wait()
	}
	a.keeps("all deaths", pids...)
	lines, _ := keptLines(t, dir)
	named := 0
	for _, k := range lines {
		if k.Type == "death" && k.Process.Container != nil && strings.HasPrefix(k.Process.Container.ID, "5161") {
			named++
		}
		if k.Type == "lost" {
			t.Errorf("%d events were lost: %s", k.Count, k.Reason)
		}
	}
	if named != containers {
		t.Errorf("%d of %d deaths have their container", named, containers)
	}
	anon := rssAnon(t, a.cmd.Process.Pid)
	t.Logf("RssAnon after %d containers: %d KiB", containers, anon)
	// After a burst, garbage included: what grows without a bound is found.
	if anon > 100<<10 {
		t.Errorf("RssAnon is %d KiB", anon)
	}
	a.stop()
}

// inCgroupOfOne runs a process in a cgroup of its own, kills it, and removes that.
func inCgroupOfOne(t *testing.T, parent string, n int) int {
	dir := filepath.Join(parent, fmt.Sprintf("5161%060x", n))
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Error(err)
		return 0
	}
	c := exec.Command("sleep", "1000")
	if err := c.Start(); err != nil {
		t.Error(err)
		return 0
	}
	if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(c.Process.Pid)), 0); err != nil {
		t.Error(err)
	}
	_ = c.Process.Kill()
	_ = c.Wait()
	eventually(t, "the cgroup is empty", func() bool { return os.Remove(dir) == nil })
	return c.Process.Pid
}

// rssAnon is in KiB.
func rssAnon(t *testing.T, pid int) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "RssAnon:" {
			n, err := strconv.Atoi(f[1])
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatal("no RssAnon")
	return 0
}
