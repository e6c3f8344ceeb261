// SPDX-License-Identifier: Apache-2.0

package metrics

import "sync"

// other is the label's value for those beyond the limit; no namespace can be
// called so.
const other = "_other"

// bounded lets a limited number of values of a label through.
type bounded struct {
	mu    *sync.Mutex
	seen  map[string]bool
	limit int
}

func limit(n int) bounded { return bounded{&sync.Mutex{}, map[string]bool{}, n} }

func (b bounded) of(value string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.seen[value] {
		return value
	}
	if len(b.seen) >= b.limit {
		return other
	}
	b.seen[value] = true
	return value
}
