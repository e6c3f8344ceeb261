// SPDX-License-Identifier: Apache-2.0

package cgroup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
)

// MaxWalk is how many cgroups a walk of a whole tree looks at.
const MaxWalk = 1 << 16

// ErrTooMany says that a walk stopped at its limit.
var ErrTooMany = errors.New("too many cgroups")

// Walk calls fn for each cgroup of h, the root first and parents before their
// children, until fn returns an error, ctx is done, or limit cgroups have been
// seen (ErrTooMany). What is removed under the walk is left out.
func (m Mounts) Walk(ctx context.Context, h Hierarchy, limit int, fn func(cgPath string, id uint64) error) error {
	if m.Mount(h) == "" {
		return fmt.Errorf("walk: no %s hierarchy: %w", h, fs.ErrNotExist)
	}
	queue := []string{"/"}
	for seen := 0; len(queue) > 0; {
		p := queue[0]
		queue = queue[1:]
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("walk of the %s cgroups: %w", h, err)
		}
		if seen++; seen > limit {
			return fmt.Errorf("walk of the %s cgroups: %w: stopped after %d", h, ErrTooMany, limit)
		}
		id, err := m.ID(h, p)
		if err != nil {
			continue
		}
		if err := fn(p, id); err != nil {
			return err
		}
		queue = appendChildren(queue, m.Dir(h, p), p)
	}
	return nil
}

// appendChildren adds the child cgroups of the one at dir. An unreadable or
// removed directory has none: the walk goes on with what there is.
func appendChildren(queue []string, dir, cgPath string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil && len(entries) == 0 {
		return queue
	}
	for _, e := range entries {
		if e.IsDir() {
			queue = append(queue, path.Join(cgPath, e.Name()))
		}
	}
	return queue
}
