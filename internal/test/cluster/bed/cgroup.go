// SPDX-License-Identifier: Apache-2.0

package bed

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const cgroupMount = "/sys/fs/cgroup"

// cgroupTrees are the hierarchies that kubelet and runc use: one on v2, one a
// controller on v1.
func cgroupTrees() []string {
	if _, err := os.Stat(cgroupMount + "/cgroup.controllers"); err == nil {
		return []string{cgroupMount}
	}
	entries, _ := os.ReadDir(cgroupMount)
	var trees []string
	for _, e := range entries {
		// v1 hosts may have names for one hierarchy several times, as links.
		if e.IsDir() {
			trees = append(trees, filepath.Join(cgroupMount, e.Name()))
		}
	}
	return trees
}

// makeCgroup makes kubelet's root, so that its pods are apart from those of
// another kubelet.
func (b *Bed) makeCgroup(context.Context) error {
	for _, tree := range cgroupTrees() {
		dir := tree + b.CgroupRoot
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
		for _, file := range []string{"cpuset.cpus", "cpuset.mems"} { // v1's are empty in a new one
			if above, err := os.ReadFile(filepath.Join(tree, file)); err == nil {
				_ = os.WriteFile(filepath.Join(dir, file), above, 0o644)
			}
		}
		if all, err := os.ReadFile(filepath.Join(tree, "cgroup.controllers")); err == nil {
			for c := range strings.FieldsSeq(string(all)) {
				_ = os.WriteFile(filepath.Join(tree, "cgroup.subtree_control"), []byte("+"+c), 0o644)
				_ = os.WriteFile(filepath.Join(dir, "cgroup.subtree_control"), []byte("+"+c), 0o644)
			}
		}
	}
	return nil
}

// removeCgroup kills what is left in there, and removes the directories.
func removeCgroup(root string) error {
	var errs []error
	for _, tree := range cgroupTrees() {
		errs = append(errs, removeTree(tree+root))
	}
	return errors.Join(errs...)
}

func removeTree(dir string) error {
	var err error
	for range 100 {
		if _, gone := os.Stat(dir); gone != nil {
			return nil
		}
		killAll(dir)
		if err = removeDirs(dir); err == nil {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return err
}

func killAll(dir string) {
	_ = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.IsDir() {
			return nil
		}
		pids, _ := os.ReadFile(filepath.Join(path, "cgroup.procs"))
		for field := range strings.FieldsSeq(string(pids)) {
			if pid, err := strconv.Atoi(field); err == nil && pid > 1 {
				_ = unix.Kill(pid, unix.SIGKILL)
			}
		}
		return nil
	})
}

// removeDirs removes the deepest first.
func removeDirs(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() {
			if err := removeDirs(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return unix.Rmdir(dir)
}
