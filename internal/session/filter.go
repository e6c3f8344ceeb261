// SPDX-License-Identifier: Apache-2.0

package session

import (
	"fmt"
	"strings"

	"github.com/sigtrace/sigtrace/internal/cgroup"
	"github.com/sigtrace/sigtrace/internal/tracer"
)

// kernelFilter gives the kernel the depth of a target cgroup with its id.
type kernelFilter struct {
	tracer *tracer.Tracer
	cache  *cgroup.Cache
	// added is sent to when there are new targets.
	added chan<- struct{}
}

func (k kernelFilter) AddCgroup(h cgroup.Hierarchy, id uint64) error {
	path, ok := k.cache.Path(h, id)
	if !ok {
		return fmt.Errorf("cgroup %d is gone", id)
	}
	if err := k.tracer.AddCgroup(uint8(h), id, depth(path)); err != nil {
		return err
	}
	select {
	case k.added <- struct{}{}:
	default: // the last one has not been taken yet
	}
	return nil
}

func (k kernelFilter) RemoveCgroup(h cgroup.Hierarchy, id uint64) error {
	return k.tracer.RemoveCgroup(uint8(h), id)
}

// depth is a cgroup's level: 0 for the root.
func depth(path string) uint32 {
	path = strings.Trim(path, "/")
	if path == "" {
		return 0
	}
	return uint32(strings.Count(path, "/") + 1)
}
