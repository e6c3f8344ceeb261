// SPDX-License-Identifier: Apache-2.0

package live

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sigtrace/sigtrace/internal/usage"
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
	anon, err := usage.RSSAnon(a.cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
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

// relay stands between the agent and the runtime's socket, and can be taken away.
type relay struct {
	t        *testing.T
	path, to string
	mu       sync.Mutex
	l        net.Listener
	conns    []net.Conn
}

func (r *relay) open() {
	r.t.Helper()
	l, err := net.Listen("unix", r.path)
	if err != nil {
		r.t.Fatal(err)
	}
	r.l = l
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("unix", r.to)
			if err != nil {
				_ = in.Close()
				continue
			}
			r.mu.Lock()
			r.conns = append(r.conns, in, out)
			r.mu.Unlock()
			go func() { _, _ = io.Copy(in, out) }()
			go func() { _, _ = io.Copy(out, in) }()
		}
	}()
}

func (r *relay) cut() {
	_ = r.l.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.conns {
		_ = c.Close()
	}
	r.conns = nil
}

// The runtime's socket goes away and comes back: what was named stays named,
// what is new keeps its id, and what comes after it is back has its name again.
func TestAgentWithoutItsRuntime(t *testing.T) {
	p := newPods(t)
	r := &relay{t: t, path: filepath.Join(t.TempDir(), "cri.sock"), to: containerdSocket}
	r.open()
	defer r.cut()
	sandbox, config := p.sandbox("web-7")
	_, known := p.container(sandbox, config, "app", 0, "/bin/sleep", "1000")
	a := startAgent(t, filepath.Join(t.TempDir(), "log"), nil, "--cri-endpoint", "unix://"+r.path)
	eventually(t, "the agent has asked the runtime", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return len(r.conns) > 0
	})
	time.Sleep(2 * time.Second) // and has its answer
	r.cut()
	killFrom(t, "sh", unix.SIGKILL, known)
	if d := a.deathOf(t, known); d.Process.Container == nil || d.Process.Container.Name != "app" {
		t.Errorf("the container that was known: %+v", d.Process.Container)
	}
	id, unknown := p.container(sandbox, config, "side", 0, "/bin/sleep", "1000")
	killFrom(t, "sh", unix.SIGKILL, unknown)
	if d := a.deathOf(t, unknown); d.Process.Container == nil || d.Process.Container.ID != id {
		t.Errorf("the container that came meanwhile: %+v", d.Process.Container)
	}
	r.open()
	_, later := p.container(sandbox, config, "late", 0, "/bin/sleep", "1000")
	killFrom(t, "sh", unix.SIGKILL, later)
	if d := a.deathOf(t, later); d.Process.Container == nil || d.Process.Container.Name != "late" {
		t.Errorf("the container that came after: %+v", d.Process.Container)
	}
	a.keeps("all of them", known, unknown, later)
	a.stop()
}
