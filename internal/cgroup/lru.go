// SPDX-License-Identifier: Apache-2.0

package cgroup

import "container/list"

// key names a cgroup.
type key struct {
	h  Hierarchy
	id uint64
}

type entry struct {
	key  key
	path string
}

// lru keeps the paths of the cgroups that were asked for or reported last. It is
// not safe for concurrent use.
type lru struct {
	size    int
	order   *list.List // of *entry, the freshest in front
	byKey   map[key]*list.Element
	evicted uint64
}

func newLRU(size int) *lru {
	return &lru{size: max(size, 1), order: list.New(), byKey: make(map[key]*list.Element)}
}

func (l *lru) get(k key) (string, bool) {
	el, ok := l.byKey[k]
	if !ok {
		return "", false
	}
	l.order.MoveToFront(el)
	return el.Value.(*entry).path, true
}

func (l *lru) put(k key, path string) {
	if el, ok := l.byKey[k]; ok {
		el.Value.(*entry).path = path
		l.order.MoveToFront(el)
		return
	}
	l.byKey[k] = l.order.PushFront(&entry{key: k, path: path})
	if l.order.Len() <= l.size {
		return
	}
	last := l.order.Back()
	l.order.Remove(last)
	delete(l.byKey, last.Value.(*entry).key)
	l.evicted++
}
