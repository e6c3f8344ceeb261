// SPDX-License-Identifier: Apache-2.0

package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"runtime"
	"strconv"
	"strings"
	"testing"

	cgroups "github.com/containerd/cgroups/v3"
	"golang.org/x/sys/unix"
)

// live returns the cgroups of this machine; it skips without root and never
// with it.
func live(t *testing.T) Mounts {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: makes cgroups and opens them by handle")
	}
	m, err := Detect("/")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// make makes a cgroup of this test's own and removes it in the end.
func makeCgroup(t *testing.T, m Mounts, h Hierarchy, name string) string {
	t.Helper()
	p := path.Join("/", fmt.Sprintf("sigtrace-test-%d-%s", os.Getpid(), name))
	dir := m.Dir(h, p)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
	})
	return p
}

func TestLiveMode(t *testing.T) {
	m := live(t)
	want := map[cgroups.CGMode]string{
		cgroups.Unified: ModeV2, cgroups.Hybrid: ModeHybrid, cgroups.Legacy: ModeV1,
	}[cgroups.Mode()]
	if m.Mode != want || m.Partial {
		t.Errorf("Detect: %+v, containerd says %q", m, want)
	}
}

func TestLiveIDs(t *testing.T) {
	m := live(t)
	for _, h := range m.Hierarchies() {
		t.Run(h.String(), func(t *testing.T) {
			c := newCache(t, m, 100)
			if !c.ByHandle(h) {
				t.Fatal("root cannot open cgroups by id here")
			}
			wantPath(t, c, h, 1, "/")
			p := makeCgroup(t, m, h, "ids")
			n := id(t, m, h, p)
			wantPath(t, c, h, n, p)
			wantPath(t, c, h, n+1<<33, "") // another generation: nobody's

			// The same by walking.
			w := newCache(t, m, 1<<16)
			if err := w.handles[h].close(); err != nil {
				t.Fatal(err)
			}
			w.handles[h] = nil
			wantPath(t, w, h, n, p)

			if err := os.Remove(m.Dir(h, p)); err != nil {
				t.Fatal(err)
			}
			wantPath(t, c, h, n, p)
			wantPath(t, newCache(t, m, 100), h, n, "")
		})
	}
}

// A mount point that is only reached through /proc/PID/root, as a container's
// agent may have to, gives the same paths.
func TestLiveThroughProcRoot(t *testing.T) {
	m := live(t)
	far := Mounts{Mode: m.Mode}
	const root = "/proc/self/root"
	if m.Unified != "" {
		far.Unified = root + m.Unified
	}
	if m.Memory != "" {
		far.Memory = root + m.Memory
	}
	for _, h := range m.Hierarchies() {
		p := makeCgroup(t, m, h, "far")
		wantPath(t, newCache(t, far, 1<<16), h, id(t, m, h, p), p)
	}
}

func TestLiveMemoryFigures(t *testing.T) {
	m := live(t)
	p := makeCgroup(t, m, m.Primary(), "mem")
	file := "memory.max"
	if m.Primary() == Memory {
		file = "memory.limit_in_bytes"
	}
	f, err := m.MemoryFigures(p)
	if err != nil {
		t.Fatal(err)
	}
	if !f.Unlimited || f.Limit != nil {
		t.Errorf("new cgroup: limit %v, unlimited %v", f.Limit, f.Unlimited)
	}
	const limit = 64 << 20
	if err := os.WriteFile(path.Join(m.Dir(m.Primary(), p), file), []byte(strconv.Itoa(limit)), 0); err != nil {
		t.Fatal(err)
	}
	if f, err = m.MemoryFigures(p); err != nil {
		t.Fatal(err)
	}
	if f.Limit == nil || *f.Limit != limit || f.Unlimited {
		t.Errorf("limit %v, unlimited %v", f.Limit, f.Unlimited)
	}
	if f.Usage == nil || f.OOMKills == nil || *f.OOMKills != 0 {
		t.Errorf("usage %v, OOM kills %v", f.Usage, f.OOMKills)
	}
}

// In a cgroup namespace of its own, a process finds out where that is rooted.
func TestLiveNamespaceRoot(t *testing.T) {
	m := live(t)
	const inside = "TEST_CGROUP_NAMESPACE"
	if os.Getenv(inside) != "" {
		root, err := m.NamespaceRoot(t.Context(), "/")
		if err != nil {
			t.Fatal(err)
		}
		fmt.Printf("root=%s\n", root.In(m.Primary()))
		return
	}
	if own, err := m.NamespaceRoot(t.Context(), "/"); err != nil || own.In(m.Primary()) != "/" {
		t.Errorf("here: %+v, %v", own, err)
	}
	if out, _ := exec.Command("unshare", "--help").CombinedOutput(); !strings.Contains(string(out), "--cgroup") {
		t.Skip("this unshare has no --cgroup (busybox)")
	}
	p := makeCgroup(t, m, m.Primary(), "ns")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// The namespace is rooted at the cgroup that the process is in when it is
	// made, so the shell moves itself first.
	cmd := exec.Command("sh", "-c", `echo $$ > "$1/cgroup.procs" && exec unshare --cgroup "$0" -test.run=^TestLiveNamespaceRoot$`,
		self, m.Dir(m.Primary(), p))
	cmd.Env = append(os.Environ(), inside+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "root="+p+"\n") {
		t.Errorf("want root=%s, got %v:\n%s", p, err, out)
	}
}

// Without CAP_DAC_READ_SEARCH a handle cannot be opened: the walk takes over.
func TestLiveWithoutCapability(t *testing.T) {
	m := live(t)
	h := m.Primary()
	p := makeCgroup(t, m, h, "cap")
	n := id(t, m, h, p)
	done := make(chan error, 1)
	go func() {
		done <- withoutCapability(func() error {
			c := NewCache(m, 1<<16)
			defer c.Close()
			if c.ByHandle(h) {
				return errors.New("handles open without the capability")
			}
			if got, ok := c.Path(h, n); got != p || !ok {
				return fmt.Errorf("Path = %q, %v, want %q", got, ok, p)
			}
			return nil
		})
	}()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// withoutCapability runs f on a thread that has lost CAP_DAC_READ_SEARCH. The
// thread ends with its goroutine, which must be the caller's own.
func withoutCapability(f func() error) error {
	runtime.LockOSThread() // never unlocked: the thread is not to be used again
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return err
	}
	data[0].Effective &^= 1<<unix.CAP_DAC_READ_SEARCH | 1<<unix.CAP_DAC_OVERRIDE
	if err := unix.Capset(&header, &data[0]); err != nil {
		return err
	}
	return f()
}
