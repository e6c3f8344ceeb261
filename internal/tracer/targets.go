// SPDX-License-Identifier: Apache-2.0

package tracer

import (
	"errors"
	"fmt"
	"sync"

	"github.com/cilium/ebpf"
)

// maxLevels is MAX_TARGET_LEVELS of bpf/config.h.
const maxLevels = 8

// levels counts the target cgroups at each depth of each hierarchy.
type levels struct {
	mu         sync.Mutex
	count      [2]map[uint32]int
	level      map[uint64]uint32
	generation uint32
}

func key(hierarchy uint8, id uint64) uint64 { return id | uint64(hierarchy&1)<<63 }

// AddCgroup makes the cgroup with this kernfs id, at this depth below its
// hierarchy's root, and everything below it, a target. Hierarchy is 0 for the
// unified one, 1 for v1's memory.
func (p *Tracer) AddCgroup(hierarchy uint8, id uint64, depth uint32) error {
	l := &p.levels
	l.mu.Lock()
	defer l.mu.Unlock()
	k := key(hierarchy, id)
	if _, ok := l.level[k]; ok {
		return nil
	}
	if err := p.maps["target_cgroups"].Put(k, uint8(1)); err != nil {
		return fmt.Errorf("add a target cgroup: %w", err)
	}
	if l.level == nil {
		l.level = map[uint64]uint32{}
		l.count = [2]map[uint32]int{{}, {}}
	}
	l.level[k] = depth
	l.count[hierarchy&1][depth]++
	return p.publishLevels()
}

// RemoveCgroup takes the cgroup from the targets; unknown ones are no error.
func (p *Tracer) RemoveCgroup(hierarchy uint8, id uint64) error {
	l := &p.levels
	l.mu.Lock()
	defer l.mu.Unlock()
	k := key(hierarchy, id)
	depth, ok := l.level[k]
	if !ok {
		return nil
	}
	delete(l.level, k)
	if l.count[hierarchy&1][depth]--; l.count[hierarchy&1][depth] == 0 {
		delete(l.count[hierarchy&1], depth)
	}
	if err := p.maps["target_cgroups"].Delete(k); err != nil && !isNotFound(err) {
		return fmt.Errorf("remove a target cgroup: %w", err)
	}
	return p.publishLevels()
}

// publishLevels shows the kernel at which depths it has to look. The
// generation goes last: it voids the memory of earlier answers.
func (p *Tracer) publishLevels() error {
	var counts [2]uint32
	var depths [2][maxLevels]uint32
	for h, at := range p.levels.count {
		for depth := range at {
			if counts[h] == maxLevels {
				return fmt.Errorf("target cgroups lie at more than %d depths", maxLevels)
			}
			depths[h][counts[h]] = depth
			counts[h]++
		}
	}
	p.levels.generation++
	for _, v := range []struct {
		name  string
		value any
	}{
		{"target_levels", depths},
		{"target_level_count", counts},
		{"target_generation", p.levels.generation + 1},
	} {
		if err := p.vars[v.name].Set(v.value); err != nil {
			return fmt.Errorf("set %s: %w", v.name, err)
		}
	}
	return nil
}

func isNotFound(err error) bool { return errors.Is(err, ebpf.ErrKeyNotExist) }
