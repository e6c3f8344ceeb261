// SPDX-License-Identifier: Apache-2.0

package kubereason

import (
	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/kubefact"
	"github.com/sigtrace/sigtrace/internal/proctree"
)

// Fact takes in what Kubernetes said.
func (c *Cluster) Fact(f *kubefact.Fact) {
	switch f.Kind {
	case kubefact.Available, kubefact.Unavailable:
		c.see(f)
		return
	}
	p := c.pod(f.Namespace, f.Pod, f.UID)
	if p == nil {
		return
	}
	if f.Kind == kubefact.Pod {
		p.settings = f.Settings
		return
	}
	p.add(f)
}

// PodOf finds what Kubernetes said of a process's pod; nil if nothing.
func (c *Cluster) PodOf(p *event.Process) *Pod {
	if p == nil || p.Pod == nil {
		return nil
	}
	return c.find(p.Pod.Namespace, p.Pod.Name, p.Pod.UID)
}

// ContainerEnded notes the end of a pod's container: a pod is finished once all its
// regular containers are.
func (c *Cluster) ContainerEnded(x *event.Exit) {
	if x.Process.Pod == nil || !proctree.IsInit(x.Process) || x.Process.Container.Name == "" {
		return
	}
	p := c.pod(x.Process.Pod.Namespace, x.Process.Pod.Name, x.Process.Pod.UID)
	if p == nil {
		return
	}
	if p.ends == nil {
		p.ends = map[string][]*event.Exit{}
	}
	name := x.Process.Container.Name
	ends := p.ends[name]
	if ends == nil && len(p.ends) >= podFactsMax {
		return
	}
	if len(ends) >= endsMax {
		ends = ends[1:]
	}
	p.ends[name] = append(ends, x)
}

// Status is the last status of a container that has terminated, nil if none was
// read; the API's is what users see.
func (p *Pod) Status(containerID string) *kubefact.Fact {
	if p == nil {
		return nil
	}
	var last *kubefact.Fact
	for _, f := range p.facts {
		if f.Kind == kubefact.Terminated && f.ContainerID == containerID &&
			(last == nil || f.Source == kubefact.SourceAPI || last.Source != kubefact.SourceAPI) {
			last = f
		}
	}
	return last
}

// GivenBy reports whether a source gives the reason.
func (r *Reason) GivenBy(source string) bool {
	for _, f := range r.Facts {
		if f.Source == source {
			return true
		}
	}
	for _, name := range r.sources {
		if name == source {
			return true
		}
	}
	return false
}

// News counts the facts of a pod; it changes when there is something new to
// look at.
func (p *Pod) News() uint64 { return p.news }

// Dropped counts the facts that were too many to be remembered.
func (p *Pod) Dropped() uint64 { return p.dropped }

// HasPreStop reports whether a container is known to have a preStop hook.
func (p *Pod) HasPreStop(container string) bool {
	c := p.container(container)
	return c != nil && c.PreStop
}
