// SPDX-License-Identifier: Apache-2.0

package cgroup

import (
	"context"
	"errors"
	"fmt"
	"path"
	"sync"
	"time"
)

// DefaultCacheSize is how many cgroups a Cache keeps: the living of a busy
// node and some thousands of removed ones (about 4 MiB when full).
const DefaultCacheSize = 1 << 14

// walkEvery is how often an unknown id may cost a walk of the whole tree, where
// ids cannot be opened by handle.
const walkEvery = time.Second

// Cache answers which path a cgroup id stands for. It goes on answering for
// removed cgroups until they are the least recently used: events of a process
// arrive after its cgroup has gone. Safe for concurrent use.
type Cache struct {
	mounts  Mounts
	handles [hierarchies]*handles // nil: cannot be opened by id, walk

	mu     sync.Mutex
	paths  *lru
	walked [hierarchies]time.Time // of the last walk for an unknown id
}

// NewCache returns a cache of at most size entries for the hierarchies of m.
// Close releases what it holds open.
func NewCache(m Mounts, size int) *Cache {
	c := &Cache{mounts: m, paths: newLRU(size)}
	for _, h := range m.Hierarchies() {
		// Without handles Path walks: slower, with the same answers.
		if hd, err := openHandles(m.Mount(h)); err == nil {
			c.handles[h] = hd
		}
	}
	return c
}

// Close closes the mount points. The cache must not be used afterwards.
func (c *Cache) Close() error {
	var errs []error
	for _, h := range c.handles {
		if h != nil {
			errs = append(errs, h.close())
		}
	}
	return errors.Join(errs...)
}

// Mounts returns the hierarchies that the cache is for.
func (c *Cache) Mounts() Mounts { return c.mounts }

// ByHandle reports whether ids of h are looked up with one system call. Where
// they are not, an unknown id costs a walk of the tree, at most one a second.
func (c *Cache) ByHandle(h Hierarchy) bool {
	return h < hierarchies && c.handles[h] != nil
}

// Put shows the cache a cgroup's path, as the kernel reported it when the
// cgroup was made. An empty path or an id of 0 is no news.
func (c *Cache) Put(h Hierarchy, id uint64, cgPath string) {
	if id == 0 || cgPath == "" || h >= hierarchies {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.paths.put(key{h, id}, path.Clean("/"+cgPath))
}

// Path returns the path of a cgroup; false if it is unknown and not there.
func (c *Cache) Path(h Hierarchy, id uint64) (string, bool) {
	if id == 0 || h >= hierarchies || c.mounts.Mount(h) == "" {
		return "", false
	}
	if p, ok := c.cached(h, id); ok {
		return p, true
	}
	if hd := c.handles[h]; hd != nil {
		p, err := hd.path(id)
		if err != nil {
			return "", false
		}
		c.Put(h, id, p)
		return p, true
	}
	return c.walkFor(h, id)
}

// ID returns the id of the cgroup cgPath in h, from the file system.
func (c *Cache) ID(h Hierarchy, cgPath string) (uint64, error) {
	return c.mounts.ID(h, cgPath)
}

// Seed reads the trees that exist, so that cgroups made before sigtrace
// started have names after they are gone. It fills at most half of the cache:
// the rest is for what comes.
func (c *Cache) Seed(ctx context.Context) error {
	hs := c.mounts.Hierarchies()
	for _, h := range hs {
		limit := max(c.paths.size/(2*len(hs)), 1)
		if err := c.fill(ctx, h, limit); err != nil && !errors.Is(err, ErrTooMany) {
			return fmt.Errorf("seed the cgroup cache: %w", err)
		}
	}
	return nil
}

// Evicted counts the entries that were dropped for want of room.
func (c *Cache) Evicted() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.paths.evicted
}

func (c *Cache) cached(h Hierarchy, id uint64) (string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.paths.get(key{h, id})
}

func (c *Cache) fill(ctx context.Context, h Hierarchy, limit int) error {
	return c.mounts.Walk(ctx, h, limit, func(p string, id uint64) error {
		c.Put(h, id, p)
		return nil
	})
}

// errFound ends a walk early.
var errFound = errors.New("found")

// walkFor looks for id in the tree and remembers what it passes.
func (c *Cache) walkFor(h Hierarchy, id uint64) (string, bool) {
	c.mu.Lock()
	due := time.Since(c.walked[h]) >= walkEvery
	if due {
		c.walked[h] = time.Now()
	}
	c.mu.Unlock()
	if !due {
		return "", false
	}
	found := ""
	err := c.mounts.Walk(context.Background(), h, MaxWalk, func(p string, have uint64) error {
		c.Put(h, have, p)
		if have == id {
			found = p
			return errFound
		}
		return nil
	})
	return found, errors.Is(err, errFound)
}
