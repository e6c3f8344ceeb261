// SPDX-License-Identifier: Apache-2.0

package cgroup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// tree makes a directory tree that stands for the unified hierarchy. It is no
// kernfs, so that ids are looked for by walking.
func tree(t *testing.T, paths ...string) Mounts {
	t.Helper()
	m := Mounts{Mode: ModeV2, Unified: t.TempDir()}
	for _, p := range paths {
		mkdir(t, filepath.Join(m.Unified, p))
	}
	return m
}

func newCache(t *testing.T, m Mounts, size int) *Cache {
	t.Helper()
	c := NewCache(m, size)
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func id(t *testing.T, m Mounts, h Hierarchy, p string) uint64 {
	t.Helper()
	n, err := m.ID(h, p)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func wantPath(t *testing.T, c *Cache, h Hierarchy, id uint64, want string) {
	t.Helper()
	if got, ok := c.Path(h, id); got != want || ok != (want != "") {
		t.Errorf("Path(%v, %d) = %q, %v, want %q", h, id, got, ok, want)
	}
}

func TestCacheWalks(t *testing.T) {
	m := tree(t, "a/b", "c")
	ids := map[string]uint64{}
	for _, p := range []string{"/", "/a", "/a/b", "/c"} {
		ids[p] = id(t, m, Unified, p)
	}
	synctest.Test(t, func(t *testing.T) {
		c := newCache(t, m, 100)
		if c.ByHandle(Unified) {
			t.Fatal("a plain directory answers to kernfs handles")
		}
		wantPath(t, c, Unified, ids["/a/b"], "/a/b")
		wantPath(t, c, Unified, ids["/"], "/")
		wantPath(t, c, Memory, ids["/c"], "")

		// An unknown id walks at most once a second.
		mkdir(t, m.Dir(Unified, "/late"))
		late := id(t, m, Unified, "/late")
		wantPath(t, c, Unified, late, "")
		time.Sleep(walkEvery)
		wantPath(t, c, Unified, late, "/late")
	})
}

func TestCacheKeepsRemoved(t *testing.T) {
	m := tree(t, "a/b")
	n := id(t, m, Unified, "/a/b")
	c := newCache(t, m, 100)
	if err := c.Seed(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(m.Dir(Unified, "/a/b")); err != nil {
		t.Fatal(err)
	}
	wantPath(t, c, Unified, n, "/a/b")
}

func TestCachePut(t *testing.T) {
	c := newCache(t, tree(t), 2)
	c.Put(Unified, 1<<40, "/x")
	c.Put(Unified, 2<<40, "y/")
	wantPath(t, c, Unified, 1<<40, "/x")
	c.Put(Unified, 3<<40, "/z") // 2<<40 is now the least recently used
	wantPath(t, c, Unified, 1<<40, "/x")
	wantPath(t, c, Unified, 3<<40, "/z")
	wantPath(t, c, Unified, 2<<40, "") // last: the walk for it fills the cache
	if got := c.Evicted(); got < 1 {
		t.Errorf("Evicted() = %d, want at least 1", got)
	}
	before := c.Evicted()
	c.Put(Unified, 0, "/zero")
	c.Put(Unified, 4<<40, "")
	c.Put(Hierarchy(7), 5<<40, "/seven")
	wantPath(t, c, Unified, 0, "")
	if got := c.Evicted(); got != before {
		t.Errorf("what is no news took %d entries' room", got-before)
	}
}

// The two hierarchies number their cgroups independently.
func TestCacheHierarchies(t *testing.T) {
	m := tree(t)
	m.Memory = t.TempDir()
	c := newCache(t, m, 10)
	c.Put(Unified, 1<<40, "/u")
	c.Put(Memory, 1<<40, "/m")
	wantPath(t, c, Unified, 1<<40, "/u")
	wantPath(t, c, Memory, 1<<40, "/m")
}

func TestSeedIsBounded(t *testing.T) {
	var paths []string
	for i := range 50 {
		paths = append(paths, fmt.Sprintf("d%02d", i))
	}
	c := newCache(t, tree(t, paths...), 20)
	c.Put(Unified, 1<<40, "/told")
	if err := c.Seed(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantPath(t, c, Unified, 1<<40, "/told")
	if got := c.Evicted(); got != 0 {
		t.Errorf("seeding evicted %d", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Seed(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
}

func TestWalk(t *testing.T) {
	m := tree(t, "a/b/c", "a/d", "e")
	write(t, filepath.Join(m.Unified, "a/cgroup.procs"), "")
	walk := func(limit int) ([]string, error) {
		var got []string
		err := m.Walk(t.Context(), Unified, limit, func(p string, _ uint64) error {
			got = append(got, p)
			return nil
		})
		return got, err
	}
	got, err := walk(100)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"/", "/a", "/e", "/a/b", "/a/d", "/a/b/c"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	got, err = walk(3)
	if !errors.Is(err, ErrTooMany) || !slices.Equal(got, want[:3]) {
		t.Errorf("limit 3: %v, %v", got, err)
	}
	if err := m.Walk(t.Context(), Memory, 1, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no such hierarchy: got %v", err)
	}
}

func TestDirStaysInTheMount(t *testing.T) {
	m := Mounts{Unified: "/mnt"}
	tests := []struct{ path, want string }{
		{"/", "/mnt"}, {"", "/mnt"}, {"/a/b", "/mnt/a/b"}, {"a", "/mnt/a"}, {"/../../etc", "/mnt/etc"},
	}
	for _, tt := range tests {
		if got := m.Dir(Unified, tt.path); got != tt.want {
			t.Errorf("Dir(%q) = %q, want %q", tt.path, got, tt.want)
		}
	}
	if got := m.Dir(Memory, "/a"); got != "" {
		t.Errorf("no such hierarchy: %q", got)
	}
}
