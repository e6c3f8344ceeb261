// SPDX-License-Identifier: Apache-2.0

package live

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// v2Root is where cgroup v2 is mounted: alone, or beside v1 as "unified".
func v2Root() string {
	for _, dir := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		var s unix.Statfs_t
		if unix.Statfs(dir, &s) == nil && s.Type == unix.CGROUP2_SUPER_MAGIC {
			return dir
		}
	}
	return ""
}

// newCgroup makes a cgroup below parent and removes it in the end.
func newCgroup(t *testing.T, parent, name string) string {
	t.Helper()
	dir := filepath.Join(parent, name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		eventually(t, "cgroup "+dir+" can be removed", func() bool {
			err := os.Remove(dir)
			return err == nil || os.IsNotExist(err)
		})
	})
	return dir
}

func uniqueName(t *testing.T) string {
	return fmt.Sprintf("sigtrace-test-%d-%s", os.Getpid(), strings.Map(func(r rune) rune {
		if r == '/' || r == '#' || r == ' ' {
			return '-'
		}
		return r
	}, t.Name()))
}

func unifiedCgroup(t *testing.T) string {
	t.Helper()
	root := v2Root()
	if root == "" {
		t.Skip("no cgroup v2 on this kernel's command line")
	}
	return newCgroup(t, root, uniqueName(t))
}

// memoryRoot is the hierarchy that has the memory controller; v2 is
// true where that is cgroup v2.
func memoryRoot(t *testing.T) (root string, v2 bool) {
	t.Helper()
	if _, err := os.Stat("/sys/fs/cgroup/memory/memory.limit_in_bytes"); err == nil {
		return "/sys/fs/cgroup/memory", false
	}
	root = v2Root()
	controllers, err := os.ReadFile(filepath.Join(root, "cgroup.controllers"))
	if err != nil || !bytes.Contains(controllers, []byte("memory")) {
		t.Fatalf("no memory controller: %s %v", controllers, err)
	}
	write(t, filepath.Join(root, "cgroup.subtree_control"), "+memory")
	return root, true
}

// memoryCgroup makes a memory cgroup with a limit in bytes, without swap; a
// limit of 0 is none.
func memoryCgroup(t *testing.T, limit int) string {
	t.Helper()
	root, _ := memoryRoot(t)
	dir := newCgroup(t, root, uniqueName(t))
	limitMemory(t, dir, limit)
	return dir
}

func limitMemory(t *testing.T, dir string, limit int) {
	t.Helper()
	if limit == 0 {
		return
	}
	if _, v2 := memoryRoot(t); v2 {
		write(t, filepath.Join(dir, "memory.max"), strconv.Itoa(limit))
		if _, err := os.Stat(filepath.Join(dir, "memory.swap.max")); err == nil {
			write(t, filepath.Join(dir, "memory.swap.max"), "0")
		}
		return
	}
	write(t, filepath.Join(dir, "memory.limit_in_bytes"), strconv.Itoa(limit))
	_ = os.WriteFile(filepath.Join(dir, "memory.swappiness"), []byte("0"), 0)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0); err != nil {
		t.Fatal(err)
	}
}
