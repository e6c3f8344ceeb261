// SPDX-License-Identifier: Apache-2.0

package cgroup

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// NamespaceRoot returns where the cgroup namespace of this process is rooted in
// each hierarchy of m, as host paths: what Rebase needs. In the host's own
// namespace that is "/" throughout.
//
// An agent in a container usually has a cgroup namespace of its own on cgroup2.
// /proc/PID/cgroup is then reported relative to it ("/../../kubepods-….slice/…" for
// others, "/" for itself); file handles and the kernel's events are not. Which
// namespace it is shows at pid 1: the host's init is above any container, so
// its path begins with "/..". How deep the root lies is reported there, but not its
// name: that is found by looking for this process in the tree.
func (m Mounts) NamespaceRoot(ctx context.Context, root string) (Paths, error) {
	init, err := ReadProc(root, 1)
	if err != nil {
		return Paths{}, err
	}
	own, err := ReadProc(root, os.Getpid())
	if err != nil {
		return Paths{}, err
	}
	var ns Paths
	if ns.Unified, err = m.namespaceRoot(ctx, Unified, init.Unified, own.Unified); err != nil {
		return Paths{}, err
	}
	if ns.Memory, err = m.namespaceRoot(ctx, Memory, init.Memory, own.Memory); err != nil {
		return Paths{}, err
	}
	return ns, nil
}

func (m Mounts) namespaceRoot(ctx context.Context, h Hierarchy, init, own string) (string, error) {
	if m.Mount(h) == "" || !above(init) {
		return "/", nil
	}
	host, err := m.find(ctx, h, os.Getpid())
	if err != nil {
		return "", fmt.Errorf("root of this cgroup namespace: %w", err)
	}
	// own leads from the root to this process; go back that way.
	if rest, ok := strings.CutSuffix(host, strings.TrimSuffix(own, "/")); ok && !above(own) {
		return path.Clean("/" + rest), nil
	}
	return "", fmt.Errorf("root of this cgroup namespace: %s is not where %s leads", host, own)
}

// above reports whether a path leads out of the reader's cgroup namespace.
func above(p string) bool {
	return p == "/.." || strings.HasPrefix(p, "/../")
}

// find returns the cgroup that lists pid in cgroup.procs.
func (m Mounts) find(ctx context.Context, h Hierarchy, pid int) (string, error) {
	want := strconv.Itoa(pid)
	found := ""
	err := m.Walk(ctx, h, MaxWalk, func(p string, _ uint64) error {
		if lists(filepath.Join(m.Dir(h, p), "cgroup.procs"), want) {
			found = p
			return errFound
		}
		return nil
	})
	if errors.Is(err, errFound) {
		return found, nil
	}
	if err == nil {
		err = fmt.Errorf("pid %d is in no cgroup of the %s hierarchy", pid, h)
	}
	return "", err
}

// lists reports whether the file has want as one of its lines. A file that cannot
// be read (a threaded cgroup's cgroup.procs) has not.
func lists(file, want string) bool {
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if s.Text() == want {
			return true
		}
	}
	return false
}

// Rebase turns paths as the reader's cgroup namespace shows them into those of
// the host. ns is that namespace's root (NamespaceRoot); the zero value means
// the host's own.
func (p Paths) Rebase(ns Paths) Paths {
	return Paths{
		Unified: rebase(ns.Unified, p.Unified),
		Memory:  rebase(ns.Memory, p.Memory),
		Systemd: rebase(ns.Systemd, p.Systemd),
	}
}

func rebase(nsRoot, p string) string {
	if p == "" {
		return ""
	}
	return path.Join("/", nsRoot, p)
}
