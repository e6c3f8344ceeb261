// SPDX-License-Identifier: Apache-2.0

package cgroup

import "fmt"

// Hierarchy says which tree an id or a path belongs to.
type Hierarchy uint8

// The hierarchies that sigtrace looks at. The other controllers of a v1 host
// carry no container that these two do not.
const (
	// Unified is cgroup2: task->cgroups->dfl_cgrp.
	Unified Hierarchy = iota
	// Memory is the v1 memory controller's own tree. It exists only where
	// memory is not on cgroup2.
	Memory

	hierarchies = 2
)

// String returns "unified" or "memory".
func (h Hierarchy) String() string {
	switch h {
	case Unified:
		return "unified"
	case Memory:
		return "memory"
	}
	return fmt.Sprintf("hierarchy(%d)", uint8(h))
}
