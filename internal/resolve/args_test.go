// SPDX-License-Identifier: Apache-2.0

package resolve

import (
	"slices"
	"strings"
	"testing"

	"github.com/sigtrace/sigtrace/internal/tracer/wire"
)

func TestAncestorArgs(t *testing.T) {
	long := strings.Repeat("x", 5000)
	for _, c := range []struct {
		name      string
		args      []string
		truncated bool
		want      []string
		cut       bool
	}{
		{"none", nil, false, nil, false},
		{"short", []string{"sh", "-c", "true"}, false, []string{"sh", "-c", "true"}, false},
		{"short and cut before", []string{"sh"}, true, []string{"sh"}, true},
		{"exact", []string{long[:1023]}, false, []string{long[:1023]}, false},
		{"one long", []string{"sh", long}, false, []string{"sh", long[:1021]}, true},
		{"full before the last", []string{long[:1023], "a"}, false, []string{long[:1023]}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, cut := ancestorArgs(c.args, c.truncated)
			if !slices.Equal(got, c.want) || cut != c.cut {
				t.Errorf("got %d args %.40q, cut %v", len(got), got, cut)
			}
			if size(got) > ancestorArgsMax+1 {
				t.Errorf("%d bytes", size(got))
			}
		})
	}
}

func TestMemoryIsBoundedInBytes(t *testing.T) {
	epochs := 0
	m := newMemory(func(uint32) { epochs++ })
	long := []string{strings.Repeat("x", 8191)}
	held := func() (n int) {
		for _, half := range []map[wire.Key]*known{m.young, m.old} {
			for _, k := range half {
				n += size(k.args)
			}
		}
		return n
	}
	for i := range uint32(3000) {
		m.describe(m.edit(wire.Key{TGID: i}), "/bin/sh", long, false)
		if held() > 2*generationArgs+size(long) {
			t.Fatalf("%d bytes are held after %d processes", held(), i+1)
		}
	}
	if epochs < 4 {
		t.Errorf("the kernel was asked %d times to describe anew", epochs)
	}
}

// Ancestries count as well: forty deep, twice, and of processes without arguments.
func TestMemoryIsBoundedInNodes(t *testing.T) {
	epochs := 0
	m := newMemory(func(uint32) { epochs++ })
	deep := make([]wire.Node, 40)
	for i := range uint32(3 * generation) {
		k := m.edit(wire.Key{TGID: i})
		for range 3 { // described again, as after a reparenting
			m.chain(&k.present, deep)
			m.chain(&k.lineage, deep)
		}
		held := 0
		for _, half := range []map[wire.Key]*known{m.young, m.old} {
			for _, k := range half {
				held += len(k.present) + len(k.lineage)
			}
		}
		if i%64 == 0 && held > 2*(generationNodes+2*len(deep)) {
			t.Fatalf("%d nodes are held after %d processes", held, i+1)
		}
	}
	if want := 3 * generation * 80 / generationNodes; epochs < want-2 || epochs > want+2 {
		t.Errorf("the kernel was asked %d times to describe anew, want about %d", epochs, want)
	}
}
