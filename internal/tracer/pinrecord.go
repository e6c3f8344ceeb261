// SPDX-License-Identifier: Apache-2.0

package tracer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"

	"github.com/cilium/ebpf"
)

const (
	pinFormat = "sigtrace-pins/v1"
	// recordBytes is the size of the map's one value: JSON, then zeros.
	recordBytes = 8192
	// reasonMax bounds why a hook is not attached.
	reasonMax = 200
)

// pinRecord is what lies beside the pins and reports whether they fit.
type pinRecord struct {
	Format string `json:"format"`
	// Version of the sigtrace that made them, for people.
	Version string `json:"version,omitempty"`
	// Layout is of the maps and events; Object and Config are empty while
	// programs are being exchanged.
	Layout string `json:"layout"`
	Object string `json:"object,omitempty"`
	Config string `json:"config,omitempty"`
	// Generation counts the exchanges of programs.
	Generation uint16 `json:"generation,omitempty"`
	// Hooks is what Tracer.Hooks says.
	Hooks map[string]string `json:"hooks,omitempty"`
	// Epoch is the last describe_epoch.
	Epoch uint32 `json:"epoch,omitempty"`
	// Told are the losses that have been reported.
	Told []Loss `json:"told,omitempty"`
	// NotKept is how many deaths had not been kept when this run began.
	NotKept uint64 `json:"not_kept,omitempty"`
	// Seen is CLOCK_BOOTTIME, ns, of when the rings were last read.
	Seen uint64 `json:"seen,omitempty"`
}

// read looks at what is there. A directory with anything else than sigtrace's
// pins is left alone.
func (p *Pins) read() error {
	entries, err := os.ReadDir(p.dir)
	if err != nil {
		return fmt.Errorf("read the pin directory: %w", err)
	}
	if len(entries) == 0 {
		return nil
	}
	meta, err := ebpf.LoadPinnedMap(filepath.Join(p.dir, pinnedMeta), nil)
	if err != nil {
		return p.foreign(err)
	}
	record, err := readRecord(meta)
	if err != nil {
		_ = meta.Close()
		return p.foreign(err)
	}
	p.meta, p.record, p.found = meta, record, true
	return nil
}

func (p *Pins) foreign(err error) error {
	return fmt.Errorf("%s holds what is %w: name an empty or new directory with --pin=DIR (%w)", p.dir, ErrPinsForeign, err)
}

func readRecord(meta *ebpf.Map) (pinRecord, error) {
	var r pinRecord
	if meta.Type() != ebpf.Array || meta.ValueSize() != recordBytes {
		return r, errors.New("its meta is none")
	}
	var value []byte
	if err := meta.Lookup(uint32(0), &value); err != nil {
		return r, fmt.Errorf("read its meta: %w", err)
	}
	return parseRecord(value)
}

// parseRecord reads the map's value: JSON, then zeros.
func parseRecord(value []byte) (pinRecord, error) {
	var r pinRecord
	if err := json.Unmarshal(bytes.TrimRight(value, "\x00"), &r); err != nil {
		return r, fmt.Errorf("read its meta: %w", err)
	}
	if r.Format != pinFormat {
		return r, fmt.Errorf("its meta is of format %q", r.Format)
	}
	return r, nil
}

// begin writes down the layout before anything of it is pinned.
func (p *Pins) begin(id identity) error {
	if p.meta == nil {
		meta, err := ebpf.NewMap(&ebpf.MapSpec{
			Name: "sigtrace_meta", Type: ebpf.Array, KeySize: 4, ValueSize: recordBytes, MaxEntries: 1,
		})
		if err != nil {
			return fmt.Errorf("make the pins' meta: %w", err)
		}
		p.meta = meta
	}
	err := p.update(func(r *pinRecord) {
		r.Generation++
		r.Format, r.Version, r.Layout, r.Object, r.Config = pinFormat, id.version, id.layout, "", ""
	})
	if err != nil {
		return err
	}
	if err := p.meta.Pin(filepath.Join(p.dir, pinnedMeta)); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("pin the pins' meta: %w", err)
	}
	for _, kind := range []string{pinnedMaps, pinnedPrograms, pinnedLinks} {
		if err := os.Mkdir(filepath.Join(p.dir, kind), 0o700); err != nil && !errors.Is(err, os.ErrExist) {
			return fmt.Errorf("make a directory for pins: %w", err)
		}
	}
	return nil
}

// complete says that everything that id names is pinned.
func (p *Pins) complete(id identity, hooks map[string]string, notKept uint64) error {
	short := maps.Clone(hooks)
	for name, state := range short {
		short[name] = state[:min(len(state), reasonMax)]
	}
	return p.update(func(r *pinRecord) { r.Object, r.Config, r.Hooks, r.NotKept = id.object, id.config, short, notKept })
}

func (p *Pins) notKept() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.record.NotKept
}

// update changes the record and stores it.
func (p *Pins) update(change func(*pinRecord)) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.record)
	b, err := json.Marshal(p.record)
	if err != nil || len(b) > recordBytes {
		return fmt.Errorf("the pins' meta has %d bytes, %d fit: %w", len(b), recordBytes, err)
	}
	value := make([]byte, recordBytes)
	copy(value, b)
	if err := p.meta.Put(uint32(0), value); err != nil {
		return fmt.Errorf("write the pins' meta: %w", err)
	}
	return nil
}

// Settle says that everything that was read has been written: what was not
// kept has not been lost.
func (p *Pins) Settle() error {
	m, err := ebpf.LoadPinnedMap(p.path(pinnedMaps, "counted"), nil)
	if err != nil {
		return fmt.Errorf("open the pinned counters: %w", err)
	}
	defer m.Close()
	total, err := sumNotKept(m)
	if err != nil {
		return err
	}
	return p.update(func(r *pinRecord) { r.NotKept = total })
}

func sumNotKept(counted *ebpf.Map) (uint64, error) {
	var perCPU []typedCounters
	if err := counted.Lookup(uint32(0), &perCPU); err != nil {
		return 0, fmt.Errorf("read the counters: %w", err)
	}
	var n uint64
	for _, c := range perCPU {
		n += c.KeptFull
	}
	return n, nil
}
