// SPDX-License-Identifier: Apache-2.0

package kubereason

import (
	"slices"
	"time"

	"github.com/sigtrace/sigtrace/internal/event"
	"github.com/sigtrace/sigtrace/internal/kubefact"
)

const (
	// podsMax and podFactsMax bound what is remembered of Kubernetes' words,
	// endsMax the ends of one container.
	podsMax     = 1024
	podFactsMax = 96
	endsMax     = 4
)

// Pod is what Kubernetes has said of one pod.
type Pod struct {
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

// Cluster is what Kubernetes has said of all pods.
type Cluster struct {
	byUID, byName map[string]*Pod
	sights        map[string]*sight
	count         uint64
}

// pod finds or makes the pod of that UID, or of that name where a source shows
// no UID; nil for no pod at all.
func (c *Cluster) pod(namespace, name, uid string) *Pod {
	p := c.find(namespace, name, uid)
	if p == nil {
		if uid == "" && name == "" {
			return nil
		}
		p = &Pod{}
	}
	if p.uid == "" && uid != "" {
		p.uid = uid
		if c.byUID[uid] == nil {
			put(&c.byUID, uid, p)
		} else {
			put(&c.byUID, doubleKey(namespace, name, uid), p)
		}
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

func (c *Cluster) find(namespace, name, uid string) *Pod {
	if p := c.byUID[uid]; uid != "" && p != nil {
		if name == "" || p.name == "" || p.name == name && p.namespace == namespace {
			return p
		}
		return c.byUID[doubleKey(namespace, name, uid)]
	}
	p := c.byName[namespace+"/"+name]
	if name == "" || p != nil && uid != "" && p.uid != "" && p.uid != uid {
		return nil // another one of the same name
	}
	return p
}

// doubleKey is for a pod that shares its UID with one of another name: the UID is an
// annotation that its author has chosen, and what is said of one is not so of the
// other.
func doubleKey(namespace, name, uid string) string { return uid + " " + namespace + "/" + name }

func put(m *map[string]*Pod, key string, p *Pod) {
	if *m == nil {
		*m = map[string]*Pod{}
	}
	(*m)[key] = p
}

func (c *Cluster) touch(p *Pod) {
	c.count++
	p.touched, p.news = c.count, p.news+1
}

// bound forgets the pod that was spoken of the longest time ago.
func (c *Cluster) bound() {
	for _, m := range []map[string]*Pod{c.byUID, c.byName} {
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
func (p *Pod) add(f *kubefact.Fact) {
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
func (p *Pod) joinSuccesses(f *kubefact.Fact) {
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

// lastEnd is the last end of a container of the pod; nil if none was seen.
func (p *Pod) lastEnd(name string) *event.Exit {
	if ends := p.ends[name]; len(ends) > 0 {
		return ends[len(ends)-1]
	}
	return nil
}

func (p *Pod) container(name string) *kubefact.ContainerSettings {
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
