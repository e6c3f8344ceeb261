// SPDX-License-Identifier: Apache-2.0

package container

import "container/list"

// lru is a map of bounded size that drops what was used longest ago. It is not
// safe for concurrent use.
type lru[V any] struct {
	max     int
	order   *list.List // of *lruItem[V], most recently used first
	items   map[string]*list.Element
	dropped func(key string, value V)
}

type lruItem[V any] struct {
	key   string
	value V
}

// newLRU holds up to limit values; dropped, if any, is passed what leaves.
func newLRU[V any](limit int, dropped func(string, V)) *lru[V] {
	return &lru[V]{max: limit, order: list.New(), items: make(map[string]*list.Element), dropped: dropped}
}

func (l *lru[V]) get(key string) (V, bool) {
	element, ok := l.items[key]
	if !ok {
		var zero V
		return zero, false
	}
	l.order.MoveToFront(element)
	return element.Value.(*lruItem[V]).value, true
}

func (l *lru[V]) put(key string, value V) {
	if element, ok := l.items[key]; ok {
		element.Value.(*lruItem[V]).value = value
		l.order.MoveToFront(element)
		return
	}
	l.items[key] = l.order.PushFront(&lruItem[V]{key: key, value: value})
	if len(l.items) > l.max {
		l.remove(l.order.Back().Value.(*lruItem[V]).key)
	}
}

func (l *lru[V]) remove(key string) {
	element, ok := l.items[key]
	if !ok {
		return
	}
	l.order.Remove(element)
	delete(l.items, key)
	if l.dropped != nil {
		l.dropped(key, element.Value.(*lruItem[V]).value)
	}
}

// each calls f for every value; f may remove the one it is given.
func (l *lru[V]) each(f func(key string, value V)) {
	for element := l.order.Front(); element != nil; {
		next := element.Next()
		item := element.Value.(*lruItem[V])
		f(item.key, item.value)
		element = next
	}
}

func (l *lru[V]) len() int { return len(l.items) }
