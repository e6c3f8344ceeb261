// SPDX-License-Identifier: Apache-2.0

package resolve

import (
	"github.com/sigtrace/sigtrace/internal/cgroup"
	"github.com/sigtrace/sigtrace/internal/container"
	"github.com/sigtrace/sigtrace/internal/event"
)

// Names puts cgroup, unit, container and pod on processes, from what is known
// already: it never waits.
type Names struct {
	Cgroups    *cgroup.Cache
	Containers *container.Directory
	version    uint64
}

// Version changes when names have come to be known; what was made before is
// made again.
func (n *Names) Version() uint64 { return n.version }

// Learned says that a name has come to be known.
func (n *Names) Learned() { n.version++ }

// Path returns the path of a cgroup, empty if it is unknown.
func (n *Names) Path(hierarchy uint8, id uint64) string {
	if n.Cgroups == nil {
		return ""
	}
	path, _ := n.Cgroups.Path(cgroup.Hierarchy(hierarchy), id)
	return path
}

// CgroupCreated takes in that a cgroup was made.
func (n *Names) CgroupCreated(path string) {
	if n.Containers != nil {
		n.Containers.CgroupCreated(path)
	}
}

func (n *Names) put(p *event.Process, hierarchy uint8, id uint64, first bool) {
	p.Cgroup = n.Path(hierarchy, id)
	if p.Cgroup == "" {
		return
	}
	ref := container.ParsePath(p.Cgroup)
	p.Unit = ref.Unit
	if n.Containers == nil {
		return
	}
	info, named := n.Containers.Cached(p.Cgroup)
	if named {
		p.Pod = info.Pod
	} else if info.Pod != nil {
		p.Pod = info.Pod
	}
	if info.ID == "" || ref.Candidate && !named {
		return
	}
	init := first
	if info.PID != 0 {
		init = info.PID == p.PID
	}
	p.Container = &event.Container{ID: info.ID, Name: info.Name, Image: info.Image, Runtime: info.Runtime, StopSignal: info.StopSignal, Init: &init}
	p.Unconfirmed = info.ByNameAlone()
}

// Owner names a cgroup, and the container that it is. The cgroup may be gone: then
// its path is empty.
func (n *Names) Owner(hierarchy uint8, id uint64) (path string, c *event.Container) {
	if id == 0 {
		return "", nil
	}
	var p event.Process
	n.put(&p, hierarchy, id, false)
	if c = p.Container; c != nil {
		c.Init = nil // that is a process's
	}
	return p.Cgroup, c
}

// Unnamed reports whether the cgroup looks like a container's whose name is not
// known yet, and returns its path.
func (n *Names) Unnamed(hierarchy uint8, id uint64) (path string, unnamed bool) {
	if n.Containers == nil {
		return "", false
	}
	path = n.Path(hierarchy, id)
	ref := container.ParsePath(path)
	if ref.ID == "" && ref.PodUID == "" {
		return path, false
	}
	info, named := n.Containers.Cached(path)
	return path, !named || info.Wanting()
}

// MemoryV1 reports whether memory limits lie in v1's own hierarchy.
func (n *Names) MemoryV1() bool {
	return n.Cgroups != nil && n.Cgroups.Mounts().Memory != ""
}
