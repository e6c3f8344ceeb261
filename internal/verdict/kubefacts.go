// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"slices"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/kubefact"
	"github.com/sigtrace/sigtrace/internal/proctree"
)

const (
	// podsMax and podFactsMax bound what is remembered of Kubernetes' words,
	// endsMax the ends of one container.
	podsMax     = 1024
	podFactsMax = 96
	endsMax     = 4
)

// podFacts is what Kubernetes has said of one pod.
type podFacts struct {
	namespace, name, uid string
	settings             *kubefact.PodSettings
	facts                []*kubefact.Fact // as they came
	// ends are the last ends of its containers' inits, by container name and time.
	ends map[string][]*event.Exit
	// dropped counts the facts that were too many.
	dropped uint64
	touched uint64
	// news counts what came; a record that waits looks again when it changes.
	news uint64
}

// cluster is what Kubernetes has said of all pods.
type cluster struct {
	byUID, byName map[string]*podFacts
	sights        map[string]*sight
	count         uint64
}

// Fact takes in what Kubernetes said.
func (e *Engine) Fact(f *kubefact.Fact) {
	switch f.Kind {
	case kubefact.Available, kubefact.Unavailable:
		e.kube.see(f)
		return
	}
	p := e.kube.pod(f.Namespace, f.Pod, f.UID)
	if p == nil {
		return
	}
	if f.Kind == kubefact.Pod {
		p.settings = f.Settings
		return
	}
	p.add(f)
}

// pod finds or makes the pod of that UID, or of that name where a source tells
// no UID; nil for no pod at all.
func (c *cluster) pod(namespace, name, uid string) *podFacts {
	p := c.find(namespace, name, uid)
	if p == nil {
		if uid == "" && name == "" {
			return nil
		}
		p = &podFacts{}
	}
	if p.uid == "" && uid != "" {
		p.uid = uid
		put(&c.byUID, uid, p)
	}
	if p.name == "" && name != "" {
		p.namespace, p.name = namespace, name
	}
	if name != "" {
		put(&c.byName, namespace+"/"+name, p)
	}
	c.touch(p)
	c.bound()
	return p
}

func (c *cluster) find(namespace, name, uid string) *podFacts {
	if p := c.byUID[uid]; uid != "" && p != nil {
		return p
	}
	p := c.byName[namespace+"/"+name]
	if name == "" || p != nil && uid != "" && p.uid != "" && p.uid != uid {
		return nil // another one of the same name
	}
	return p
}

func put(m *map[string]*podFacts, key string, p *podFacts) {
	if *m == nil {
		*m = map[string]*podFacts{}
	}
	(*m)[key] = p
}

func (c *cluster) touch(p *podFacts) {
	c.count++
	p.touched, p.news = c.count, p.news+1
}

// bound forgets the pod that was spoken of the longest time ago.
func (c *cluster) bound() {
	for _, m := range []map[string]*podFacts{c.byUID, c.byName} {
		if len(m) <= podsMax {
			continue
		}
		oldest := ""
		for key, p := range m {
			if oldest == "" || p.touched < m[oldest].touched {
				oldest = key
			}
		}
		delete(m, oldest)
	}
}

// add remembers a fact. Probe results go first where there are too many.
func (p *podFacts) add(f *kubefact.Fact) {
	p.joinSuccesses(f)
	p.facts = append(p.facts, f)
	if len(p.facts) <= podFactsMax {
		return
	}
	p.dropped++
	drop := slices.IndexFunc(p.facts, func(f *kubefact.Fact) bool { return f.Kind == kubefact.ProbeResults })
	p.facts = slices.Delete(p.facts, max(drop, 0), max(drop, 0)+1)
}

// joinSuccesses forgets a success of a probe between two others: what bounds a
// row of failures is the last one before and the first one after it, and a chatty
// probe shall not push out another one's failures.
func (p *podFacts) joinSuccesses(f *kubefact.Fact) {
	if !succeeded(f) {
		return
	}
	last := -1
	for i := len(p.facts) - 1; i >= 0; i-- {
		g := p.facts[i]
		if g.Kind != kubefact.ProbeResults || g.Source != f.Source || g.Container != f.Container || g.Probe != f.Probe {
			continue
		}
		if !succeeded(g) {
			return
		}
		if last >= 0 {
			p.facts = slices.Delete(p.facts, last, last+1)
			return
		}
		last = i
	}
}

func succeeded(f *kubefact.Fact) bool {
	return f.Kind == kubefact.ProbeResults && f.Failed == 0 && f.Succeeded > 0
}

// podOf finds what Kubernetes said of a process's pod; nil if nothing.
func (e *Engine) podOf(p *event.Process) *podFacts {
	if p == nil || p.Pod == nil {
		return nil
	}
	return e.kube.find(p.Pod.Namespace, p.Pod.Name, p.Pod.UID)
}

// containerEnded notes the end of a pod's container: a pod is finished once all its
// regular containers are.
func (e *Engine) containerEnded(x *event.Exit) {
	if x.Process.Pod == nil || !proctree.IsInit(x.Process) || x.Process.Container.Name == "" {
		return
	}
	p := e.kube.pod(x.Process.Pod.Namespace, x.Process.Pod.Name, x.Process.Pod.UID)
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

// lastEnd is the last end of a container of the pod; nil if none was seen.
func (p *podFacts) lastEnd(name string) *event.Exit {
	if ends := p.ends[name]; len(ends) > 0 {
		return ends[len(ends)-1]
	}
	return nil
}

func (p *podFacts) container(name string) *kubefact.ContainerSettings {
	if p.settings == nil {
		return nil
	}
	for i := range p.settings.Containers {
		if c := &p.settings.Containers[i]; c.Name == name {
			return c
		}
	}
	return nil
}

func seconds(n int64) time.Duration { return time.Duration(n) * time.Second }
