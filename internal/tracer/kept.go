// SPDX-License-Identifier: Apache-2.0

package tracer

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"

	"github.com/sigtrace/sigtrace/internal/tracer/wire"
)

// KeptKey is the identity of a process of which something is kept.
type KeptKey struct {
	TGID  uint32
	Start uint64
}

// KeptDeaths returns the keys of deaths whose records have not been written.
func (p *Tracer) KeptDeaths() ([]KeptKey, error) { return p.keptKeys("kept_deaths") }

// KeptStories returns the keys of what is kept of processes that live still.
func (p *Tracer) KeptStories() ([]KeptKey, error) { return p.keptKeys("kept_stories") }

// KeptDeath returns one of the deaths; false where it has been released.
func (p *Tracer) KeptDeath(k KeptKey) ([]byte, bool) { return p.keptValue("kept_deaths", k) }

// KeptStory returns one of the stories; false where it is gone.
func (p *Tracer) KeptStory(k KeptKey) ([]byte, bool) { return p.keptValue("kept_stories", k) }

// keptKeys: a key that goes while it is the place to go on from makes the
// kernel begin again (kernel/bpf/hashtab.c, htab_map_get_next_key), so keys
// may come twice; the map's size bounds that.
func (p *Tracer) keptKeys(name string) ([]KeptKey, error) {
	m := p.maps[name]
	seen := map[KeptKey]bool{}
	var all []KeptKey
	var from any
	for range 2 * m.MaxEntries() {
		var next typedProcKey
		err := m.NextKey(from, &next)
		if errors.Is(err, ebpf.ErrKeyNotExist) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read the %s: %w", name, err)
		}
		if k := (KeptKey{next.Tgid, next.Start}); !seen[k] {
			seen[k] = true
			all = append(all, k)
		}
		from = &next
	}
	return all, nil
}

func (p *Tracer) keptValue(name string, k KeptKey) ([]byte, bool) {
	var value []byte
	key := typedProcKey{Start: k.Start, Tgid: k.TGID}
	if err := p.maps[name].Lookup(&key, &value); err != nil {
		return nil, false
	}
	return value, true
}

// NoteAttempt edits what a kept death says of the attempts to make its record; one
// that is not kept is no error. Nothing else writes a death once it is kept: the
// kernel side only adds (BPF_NOEXIST).
func (p *Tracer) NoteAttempt(k KeptKey, edit func(*wire.Attempts)) error {
	value, ok := p.KeptDeath(k)
	if !ok {
		return nil
	}
	if err := wire.ChangeAttempts(value, edit); err != nil {
		return fmt.Errorf("note an attempt in a kept death: %w", err)
	}
	key := typedProcKey{Start: k.Start, Tgid: k.TGID}
	if err := p.maps["kept_deaths"].Update(&key, value, ebpf.UpdateExist); err != nil && !isNotFound(err) {
		return fmt.Errorf("note an attempt in a kept death: %w", err)
	}
	return nil
}

// Release drops a death that was kept: its record has been written, or there
// is none to be written. One that is not kept is no error.
func (p *Tracer) Release(tgid int, start uint64) error {
	k := typedProcKey{Start: start, Tgid: uint32(tgid)}
	if err := p.maps["kept_deaths"].Delete(&k); err != nil && !isNotFound(err) {
		return fmt.Errorf("release a kept death: %w", err)
	}
	return nil
}

// lineageMax is MAX_CHAIN of bpf/event.h.
const lineageMax = 40

// Lineage walks up who forked whom, from a process that the kernel side knows
// or from a forker of whom only that is known; that one is its first then.
func (p *Tracer) Lineage(tgid int, start uint64) []wire.Forker {
	var line []wire.Forker
	k := typedProcKey{Start: start, Tgid: uint32(tgid)}
	for len(line) < lineageMax {
		var e typedProcEntry
		if err := p.maps["procs"].Lookup(&k, &e); err != nil {
			break
		}
		line = append(line, wire.Forker{
			TGID: int(k.Tgid), Start: k.Start, Comm: cString(e.Comm[:]), Dead: e.Dead != 0, Cgroup: e.Cgroup, Hierarchy: e.Hierarchy,
		})
		if k.Tgid == 0 {
			break
		}
		k = typedProcKey{Start: e.Forker.Start, Tgid: e.Forker.Tgid}
	}
	return line
}
