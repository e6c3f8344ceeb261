// SPDX-License-Identifier: Apache-2.0

package output

import (
	"testing"

	"github.com/sigtrace/sigtrace/internal/event"
)

func TestProcessCacheIsBoundedInBytes(t *testing.T) {
	var c processCache
	held := func() (n int) {
		for _, half := range []map[*event.Process][]byte{c.young, c.old} {
			for _, b := range half {
				n += len(b)
			}
		}
		return n
	}
	for range 200 {
		p := &event.Process{}
		c.put(p, make([]byte, 60<<10))
		if _, ok := c.get(p); !ok {
			t.Fatal("what was put last is not there")
		}
		if held() > 2*processCacheMax {
			t.Fatalf("%d bytes are held", held())
		}
	}
}
